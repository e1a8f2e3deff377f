/* SPDX-License-Identifier: MIT */
/*
 * Packing texts. In sorted order a text shares with the one before it all that it shares with any
 * earlier one, so one comparison with its neighbour walks the trie of all texts: the common
 * beginning has its rows already, and only the rest gets new ones. With causal attention a row's
 * result depends on its ancestors alone, so the numbers are those of each text by itself, bit for
 * bit.
 */
#include "model/text_batch.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* Enough rows to keep the kernels busy, few enough that intermediates stay in the caches' reach. */
#define MOST_TOKENS ((size_t)2048)
#define MOST_TEXTS ((size_t)2048)
/* The lists of rows may be this much longer than the rows that are computed. */
#define MOST_LISTED (16 * MOST_TOKENS)

/* The first occurrence of the largest id: the end token, as the reference's argmax. */
static size_t end_position(const int32_t *ids, size_t context)
{
    size_t best = 0;

    for (size_t i = 1; i < context; i++)
        if (ids[i] > ids[best])
            best = i;
    return best;
}

static size_t common_length(const clipc_text *a, const clipc_text *b)
{
    const size_t most = clipc_min_size(a->length, b->length);
    size_t length = 0;

    while (length < most && a->ids[length] == b->ids[length])
        length++;
    return length;
}

static int by_tokens(const void *left, const void *right)
{
    const clipc_text *a = left, *b = right;
    const size_t common = common_length(a, b);

    if (common < a->length && common < b->length)
        return a->ids[common] < b->ids[common] ? -1 : 1;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

void clipc_texts_sort(clipc_text *texts, const int32_t *ids, size_t n, size_t context)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t *text = ids + i * context;

        texts[i] = (clipc_text){text, end_position(text, context) + 1, i};
    }
    qsort(texts, n, sizeof(*texts), by_tokens);
}

clipc_status clipc_text_batch_open(clipc_text_batch *batch, size_t context, size_t max_texts,
                                   clipc_error *error)
{
    *batch = (clipc_text_batch){
        .most_texts = clipc_min_size(max_texts ? max_texts : MOST_TEXTS, MOST_TEXTS),
        .most_tokens = clipc_max_size(MOST_TOKENS, context),
        .most_listed = clipc_max_size(MOST_LISTED, context),
    };
    batch->ids = clipc_calloc(batch->most_tokens, sizeof(*batch->ids));
    batch->places = clipc_calloc(batch->most_tokens, sizeof(*batch->places));
    batch->offsets = clipc_calloc(batch->most_texts + 1, sizeof(*batch->offsets));
    batch->token_rows = clipc_calloc(batch->most_listed, sizeof(*batch->token_rows));
    batch->token_offsets = clipc_calloc(batch->most_texts + 1, sizeof(*batch->token_offsets));
    batch->ends = clipc_calloc(batch->most_texts, sizeof(*batch->ends));
    batch->path = clipc_calloc(context, sizeof(*batch->path));
    if (batch->ids && batch->places && batch->offsets && batch->token_rows &&
        batch->token_offsets && batch->ends && batch->path)
        return CLIPC_OK;
    clipc_text_batch_close(batch);
    return clipc_fail_memory(error, "texts", context * sizeof(*batch->path));
}

void clipc_text_batch_close(clipc_text_batch *batch)
{
    free(batch->ids);
    free(batch->places);
    free(batch->offsets);
    free(batch->token_rows);
    free(batch->token_offsets);
    free(batch->ends);
    free(batch->path);
    *batch = (clipc_text_batch){0};
}

/* Adds a text that begins with `common` tokens of the one before it; false when it has no room. */
static bool add(clipc_text_batch *batch, const clipc_text *text, size_t common)
{
    const size_t own = text->length - common;

    if (batch->texts == batch->most_texts || own > batch->most_tokens - batch->tokens ||
        text->length > batch->most_listed - batch->listed)
        return false;
    for (size_t i = common; i < text->length; i++) {
        batch->path[i] = (uint32_t)batch->tokens;
        batch->ids[batch->tokens] = (uint32_t)text->ids[i];
        batch->places[batch->tokens++] = (uint32_t)i;
    }
    memcpy(batch->token_rows + batch->listed, batch->path, text->length * sizeof(*batch->path));
    batch->listed += text->length;
    batch->ends[batch->texts++] = batch->path[text->length - 1];
    batch->offsets[batch->texts] = (uint32_t)batch->tokens;
    batch->token_offsets[batch->texts] = (uint32_t)batch->listed;
    return true;
}

size_t clipc_text_batch_fill(clipc_text_batch *batch, const clipc_text *texts, size_t n)
{
    size_t taken = 0;

    batch->texts = batch->tokens = batch->listed = 0;
    while (taken < n &&
           add(batch, texts + taken, taken ? common_length(texts + taken - 1, texts + taken) : 0))
        taken++;
    return taken;
}
