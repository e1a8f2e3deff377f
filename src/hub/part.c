/* SPDX-License-Identifier: MIT */
/* A file being received: what the sources write into, whatever they are. */
#include "base/status.h"
#include "hub/hub.h"

#include <errno.h>
#include <unistd.h>

/* Ends a transfer that would never end; the largest known model has 1.4 GB. */
static const uint64_t largest_file = UINT64_C(16) << 30;

clipc_status clipc_part_append(clipc_part *part, const void *bytes, size_t size, clipc_error *error)
{
    clipc_progress *progress = part->progress;
    const unsigned char *next = bytes;

    if (size > largest_file || progress->received > largest_file - size)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: more than 16 GiB came, expected a model",
                          part->source);
    while (size > 0) {
        ssize_t put = pwrite(part->descriptor, next, size, (off_t)progress->received);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return clipc_fail_errno(error, part->path, "write");
        next += put;
        size -= (size_t)put;
        progress->received += (uint64_t)put;
    }
    if (clipc_progress_report(progress))
        return clipc_fail(error, CLIPC_ERROR_CANCELLED, "%s: cancelled", part->source);
    return CLIPC_OK;
}

clipc_status clipc_part_restart(clipc_part *part, clipc_error *error)
{
    if (ftruncate(part->descriptor, 0) != 0)
        return clipc_fail_errno(error, part->path, "empty");
    part->progress->received = 0;
    return CLIPC_OK;
}
