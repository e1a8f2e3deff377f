/* SPDX-License-Identifier: MIT */
/* Filling a clipc_error: the one way every part of the library reports what went wrong. */
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *clipc_status_name(clipc_status status)
{
    switch (status) {
    case CLIPC_OK: return "success";
    case CLIPC_ERROR_ARGUMENT: return "invalid argument";
    case CLIPC_ERROR_MEMORY: return "out of memory";
    case CLIPC_ERROR_IO: return "input/output error";
    case CLIPC_ERROR_FORMAT: return "format error";
    case CLIPC_ERROR_UNSUPPORTED: return "unsupported";
    case CLIPC_ERROR_LIMIT: return "over a limit";
    case CLIPC_ERROR_NOT_FOUND: return "not found";
    case CLIPC_ERROR_ENCODING: return "invalid UTF-8";
    case CLIPC_ERROR_TOO_LONG: return "too long";
    case CLIPC_ERROR_NETWORK: return "network error";
    case CLIPC_ERROR_CHECKSUM: return "checksum mismatch";
    case CLIPC_ERROR_CANCELLED: return "cancelled";
    }
    return "unknown status";
}

/* Cuts a message that filled its buffer at the start of its last, perhaps incomplete, character. */
static void cut_at_character(char *message, size_t capacity)
{
    size_t end = strlen(message);

    if (end + 1 < capacity)
        return;
    while (end > 0 && ((unsigned char)message[end - 1] & 0xC0u) == 0x80u)
        end--;
    if (end > 0 && (unsigned char)message[end - 1] >= 0xC0u)
        end--;
    if (end > 0 && (unsigned char)message[end] >= 0x80u)
        message[end] = '\0';
}

static void replace_control_characters(char *message)
{
    for (; *message; message++)
        if ((unsigned char)*message < 0x20 || *message == 0x7F)
            *message = '?';
}

clipc_status clipc_fail(clipc_error *error, clipc_status code, const char *format, ...)
{
    va_list arguments;

    if (!error)
        return code;
    error->code = code;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    cut_at_character(error->message, sizeof(error->message));
    replace_control_characters(error->message);
    return code;
}

clipc_status clipc_fail_memory(clipc_error *error, const char *purpose, size_t bytes)
{
    return clipc_fail(error, CLIPC_ERROR_MEMORY, "%s: out of memory, %zu bytes were needed",
                      purpose, bytes);
}

clipc_status clipc_fail_errno(clipc_error *error, const char *source, const char *verb)
{
    int number = errno;
    char text[128];

    if (strerror_r(number, text, sizeof(text)) != 0)
        snprintf(text, sizeof(text), "error %d", number);
    return clipc_fail(error, CLIPC_ERROR_IO, "%s: cannot %s: %s", source, verb, text);
}
