/* SPDX-License-Identifier: MIT */
/* Untrusted JSON -> a cJSON tree, more strictly than cJSON by itself. */
#include "base/json.h"

#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

/* text: size bytes and a NUL, as some versions of cJSON look one byte too far. */
static clipc_status parse_text(cJSON **out, const char *text, size_t size, const char *source,
                               const char *subject, clipc_error *error)
{
    const char *end = text;

    errno = 0; /* cJSON does not say whether memory or the text was the reason */
    *out = cJSON_ParseWithLengthOpts(text, size + 1, &end, true);
    if (*out)
        return CLIPC_OK;
    if (errno == ENOMEM)
        return clipc_fail_memory(error, source, size);
    return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s is not valid JSON, as byte %zu shows",
                      source, subject, (size_t)(end - text));
}

clipc_status clipc_json_parse(cJSON **out, const void *bytes, size_t size, const char *source,
                              const char *subject, clipc_error *error)
{
    const uint8_t *invalid = u8_check(bytes, size);
    clipc_status status;
    char *text;

    *out = NULL;
    if (!invalid)
        invalid = memchr(bytes, '\0', size);
    if (invalid)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s is not UTF-8 text, as byte %zu shows",
                          source, subject, (size_t)(invalid - (const uint8_t *)bytes));
    text = clipc_copy_text(bytes, size);
    if (!text)
        return clipc_fail_memory(error, source, size);
    status = parse_text(out, text, size, source, subject, error);
    free(text);
    return status;
}
