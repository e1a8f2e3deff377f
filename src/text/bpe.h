/* SPDX-License-Identifier: MIT */
/*
 * Byte-pair encoding: the bytes of a word -> token ids. `symbols` says how long a beginning of
 * CLIP's list of merges counts: that of 512 + N ids is the first N merges.
 */
#ifndef CLIPC_TEXT_BPE_H
#define CLIPC_TEXT_BPE_H

#include "text/bpe_tables.h"

/* One token: its id and the bytes of the word that it stands for. */
typedef struct clipc_bpe_token {
    int32_t id;
    uint32_t bytes;
} clipc_bpe_token;

/* Scratch of clipc_bpe_encode, kept from word to word; zero it first, free(items) at the end. */
typedef struct clipc_bpe_scratch {
    void *items;
    size_t capacity;
} clipc_bpe_scratch;

/*
 * Encodes a word of `size` bytes (at least 1). tokens: room for `size`; the number written is
 * returned, 0 when out of memory.
 */
size_t clipc_bpe_encode(uint32_t symbols, const uint8_t *word, size_t size, clipc_bpe_token *tokens,
                        clipc_bpe_scratch *scratch);

#define CLIPC_BPE_SHORT ((size_t)64)

/*
 * The same for 1 to CLIPC_BPE_SHORT bytes, without memory of its own. ids: room for `size`; the
 * number of ids is returned.
 */
size_t clipc_bpe_encode_short(uint32_t symbols, const uint8_t *word, size_t size, int32_t *ids);

#endif
