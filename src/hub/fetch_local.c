/* SPDX-License-Identifier: MIT */
/* Fetching from a file:// address: a copy, without libcurl. */
#include "base/memory.h"
#include "base/status.h"
#include "hub/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 18 };

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Undoes %XX in place; false when one is not two hex digits, or is a NUL. */
static bool decode_percent(char *text)
{
    char *out = text;

    for (const char *in = text; *in; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        int high = hex_value(in[1]), low = high < 0 ? -1 : hex_value(in[2]);

        if (low < 0 || high * 16 + low == 0)
            return false;
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return true;
}

/* The path in a file:// address; free(). NULL when it has none. */
static char *path_of(const char *url)
{
    const char *start = url + strlen("file://");
    char *path;

    if (strncasecmp(start, "localhost/", 10) == 0)
        start += strlen("localhost");
    if (*start != '/')
        return NULL;
    path = clipc_copy_text(start, strlen(start));
    if (path && !decode_percent(path)) {
        free(path);
        return NULL;
    }
    return path;
}

static clipc_status copy(clipc_part *part, int in, const char *path, unsigned char *piece,
                         clipc_error *error)
{
    for (;;) {
        ssize_t got = read(in, piece, PIECE);
        clipc_status status;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return clipc_fail_errno(error, path, "read");
        if (got == 0)
            return CLIPC_OK;
        status = clipc_part_append(part, piece, (size_t)got, error);
        if (status)
            return status;
    }
}

static clipc_status copy_file(clipc_part *part, const char *path, clipc_error *error)
{
    unsigned char *piece = clipc_calloc(PIECE, 1);
    struct stat facts;
    clipc_status status;
    int in;

    if (!piece)
        return clipc_fail_memory(error, path, PIECE);
    in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0 || fstat(in, &facts) != 0) {
        status = clipc_fail_errno(error, path, "open");
    } else {
        part->progress->total = (uint64_t)facts.st_size;
        status = clipc_part_restart(part, error);
        if (!status)
            status = copy(part, in, path, piece, error);
    }
    if (in >= 0)
        close(in);
    free(piece);
    return status;
}

clipc_status clipc_fetch_local(clipc_part *part, const char *url, clipc_error *error)
{
    char *path = path_of(url);
    clipc_status status;

    if (!path)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "%s: not a file address, expected file:///path", url);
    status = copy_file(part, path, error);
    free(path);
    return status;
}
