/* SPDX-License-Identifier: MIT */
/* Text -> byte-pair token ids, id for id what the original's clip.tokenize gives. */
#ifndef CLIPC_TEXT_TOKENIZER_H
#define CLIPC_TEXT_TOKENIZER_H

#include <clipc.h>

/* CLIP's own vocabulary: 256 bytes, 256 bytes at a word's end, 48,894 merges, start, end. */
#define CLIPC_VOCAB_SIZE 49408
#define CLIPC_VOCAB_SIZE_MIN 514

typedef struct clipc_tokenizer clipc_tokenizer; /* immutable: shared by threads */

/*
 * A tokenizer of vocab_size ids (514 to 49,408): the 512 byte symbols, the first vocab_size - 514
 * merges of CLIP's list, start token vocab_size - 2, end token vocab_size - 1.
 */
clipc_status clipc_tokenizer_open(clipc_tokenizer **out, uint32_t vocab_size, clipc_error *error);
void clipc_tokenizer_close(clipc_tokenizer *tokenizer);

/*
 * ids: [context], zero-padded. *length (may be NULL) receives the tokens before padding. flags:
 * CLIPC_TOKENIZE_*. Thread-safe. Errors as clipc_tokenize_bytes says.
 */
clipc_status clipc_tokenizer_encode(const clipc_tokenizer *tokenizer, const char *utf8, size_t size,
                                    int32_t *ids, size_t context, unsigned flags, size_t *length,
                                    clipc_error *error);

/* The same without the short cut for plain text, which gives what this gives: see plain_text.h. */
clipc_status clipc_tokenizer_encode_general(const clipc_tokenizer *tokenizer, const char *utf8,
                                            size_t size, int32_t *ids, size_t context,
                                            unsigned flags, size_t *length, clipc_error *error);

#endif
