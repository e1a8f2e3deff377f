/* SPDX-License-Identifier: MIT */
/*
 * The tables of byte-pair encoding. cmake/embed_bpe.c computes them from data/bpe_merges.txt when
 * the library is built, and the compiler puts them among the constants: opening a tokenizer costs
 * nothing, a short text touches a few pages of them, and processes share them.
 */
#ifndef CLIPC_TEXT_BPE_TABLES_H
#define CLIPC_TEXT_BPE_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* Ids 0 to 255 are bytes, 256 to 511 bytes that end a word, then one a merge in order of rank. */
#define CLIPC_BPE_BYTES 512
#define CLIPC_BPE_MERGES 48894

/*
 * Perfect hash tables: a key's bucket says by what its hash is displaced so that it has a place for
 * itself. A look-up reads one place and needs no branch.
 */
#define CLIPC_BPE_PLACE_BITS 16
#define CLIPC_BPE_BUCKET_BITS 14
#define CLIPC_BPE_PLACES (1 << CLIPC_BPE_PLACE_BITS)
#define CLIPC_BPE_BUCKETS (1 << CLIPC_BPE_BUCKET_BITS)

/* `left` followed by `right` becomes `joined`; the lower its id, the earlier it is done. */
typedef struct clipc_bpe_merge {
    uint16_t left, right;
    uint16_t joined; /* all three CLIPC_BPE_NONE: an empty place */
} clipc_bpe_merge;

#define CLIPC_BPE_NONE 0xFFFFu

/* A word of ASCII, at most CLIPC_BPE_WORD_SIZE bytes, that the merges make one token of. */
typedef struct clipc_bpe_word {
    uint64_t first; /* 8 bytes of it, the first the least significant; zeros after the last */
    uint32_t rest;  /* 4 more */
    uint32_t id;    /* 0: an empty place */
} clipc_bpe_word;

#define CLIPC_BPE_WORD_SIZE ((size_t)12)

extern const uint8_t clipc_bpe_byte_ids[256];
extern const uint8_t clipc_bpe_merge_displacements[CLIPC_BPE_BUCKETS];
extern const clipc_bpe_merge clipc_bpe_merges[CLIPC_BPE_PLACES];
extern const uint8_t clipc_bpe_word_displacements[CLIPC_BPE_BUCKETS];
extern const clipc_bpe_word clipc_bpe_words[CLIPC_BPE_PLACES];

static inline uint64_t clipc_bpe_hash_pair(uint32_t left, uint32_t right)
{
    return (left << 16 | right) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline uint64_t clipc_bpe_hash_word(uint64_t first, uint32_t rest)
{
    return (first ^ rest * UINT64_C(0xC2B2AE3D27D4EB4F)) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline size_t clipc_bpe_bucket(uint64_t hash)
{
    return (size_t)(hash >> (64 - CLIPC_BPE_BUCKET_BITS));
}

static inline size_t clipc_bpe_place(uint64_t hash, uint8_t displacement)
{
    return (size_t)((hash ^ displacement) * UINT64_C(0xD6E8FEB86659FD93) >>
                    (64 - CLIPC_BPE_PLACE_BITS));
}

#endif
