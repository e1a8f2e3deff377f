/* SPDX-License-Identifier: MIT */
/*
 * Tokens of plain text: printable ASCII and spaces, which cleaning only lower-cases. Nearly every
 * caption and prompt is that, and it needs one pass, no memory and no pattern.
 */
#ifndef CLIPC_TEXT_PLAIN_TEXT_H
#define CLIPC_TEXT_PLAIN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define CLIPC_NOT_PLAIN SIZE_MAX

/*
 * Counts the tokens of text, without start and end, and writes the first `room` of them to ids.
 * symbols: as bpe.h says; the special tokens are the two ids after them. CLIPC_NOT_PLAIN, with ids
 * in any state, for text that is for the tokenizer's general path.
 */
size_t clipc_plain_text_encode(uint32_t symbols, const uint8_t *text, size_t size, int32_t *ids,
                               size_t room);

#endif
