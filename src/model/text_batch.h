/* SPDX-License-Identifier: MIT */
/* Texts packed for the text tower: no padding, and what they begin with in common only once. */
#ifndef CLIPC_MODEL_TEXT_BATCH_H
#define CLIPC_MODEL_TEXT_BATCH_H

#include <clipc.h>

/* A text to be encoded: its tokens up to the end token, and its place among the caller's texts. */
typedef struct clipc_text {
    const int32_t *ids; /* [length] */
    size_t length;
    size_t index;
} clipc_text;

/* What clipc_packed_texts (towers.h) binds. */
typedef struct clipc_text_batch {
    size_t texts, tokens, listed; /* of each array below, how much is filled */
    size_t most_texts, most_tokens, most_listed;
    uint32_t *ids, *places;               /* [tokens] */
    uint32_t *offsets;                    /* [texts + 1] */
    uint32_t *token_rows, *token_offsets; /* [listed], [texts + 1] */
    uint32_t *ends;                       /* [texts] */
    uint32_t *path;                       /* [context]: the rows of the text added last */
} clipc_text_batch;

/*
 * Takes each text of ids: [n][context] up to the first occurrence of its largest id, and sorts, so
 * that texts which begin alike are neighbours. texts: [n].
 */
void clipc_texts_sort(clipc_text *texts, const int32_t *ids, size_t n, size_t context);

/* An empty batch for texts of at most `context` tokens, at most max_texts of them (0: no limit). */
clipc_status clipc_text_batch_open(clipc_text_batch *batch, size_t context, size_t max_texts,
                                   clipc_error *error);
void clipc_text_batch_close(clipc_text_batch *batch);

/*
 * Empties the batch and packs sorted texts until it is full; returns how many it took, at least 1.
 */
size_t clipc_text_batch_fill(clipc_text_batch *batch, const clipc_text *texts, size_t n);

#endif
