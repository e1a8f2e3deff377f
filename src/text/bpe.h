/* SPDX-License-Identifier: MIT */
/* Byte-pair encoding: the bytes of a word -> token ids. */
#ifndef CLIPC_TEXT_BPE_H
#define CLIPC_TEXT_BPE_H

#include <clipc.h>

/* Ids 0 to 255 are bytes, 256 to 511 bytes that end a word, then one a merge in order of rank. */
#define CLIPC_BPE_BYTES 512

typedef struct clipc_bpe clipc_bpe; /* immutable */

/* The first `merges` merges of CLIP's list; more than it has is an error. */
clipc_status clipc_bpe_open(clipc_bpe **out, size_t merges, clipc_error *error);
void clipc_bpe_close(clipc_bpe *bpe);

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
size_t clipc_bpe_encode(const clipc_bpe *bpe, const uint8_t *word, size_t size,
                        clipc_bpe_token *tokens, clipc_bpe_scratch *scratch);

#endif
