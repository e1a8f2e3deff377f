/* SPDX-License-Identifier: MIT */
/* The list of stored tensors that a format's reader fills. */
#include "checkpoint/contents.h"

#include "base/memory.h"
#include "base/status.h"

#include <string.h>

/* The largest of OpenAI's models has about 1,000. */
#define MOST_TENSORS 65536

clipc_status clipc_contents_add(clipc_contents *contents, const clipc_stored_tensor *tensor,
                                const char *source, clipc_error *error)
{
    if (contents->count >= MOST_TENSORS)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: holds more than %d tensors", source,
                          MOST_TENSORS);
    if (clipc_grow(&contents->tensors, &contents->capacity, contents->count + 1,
                   sizeof(*contents->tensors)) != 0)
        return clipc_fail_memory(error, source, sizeof(*tensor));
    contents->tensors[contents->count++] = *tensor;
    return CLIPC_OK;
}

char *clipc_contents_text(clipc_contents *contents, const char *text, size_t length)
{
    char *copy = clipc_arena_alloc(&contents->arena, length + 1);

    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}
