/* SPDX-License-Identifier: MIT */
/* Text as a growing run of Unicode code points: what the cleaning steps work on. */
#ifndef CLIPC_TEXT_CODEPOINTS_H
#define CLIPC_TEXT_CODEPOINTS_H

#include "base/byte_buffer.h"

#include <clipc.h>

/* A failed append is remembered, so that a step checks once, at its end. */
typedef struct clipc_codepoints {
    uint32_t *items; /* owned */
    size_t count, capacity;
    bool failed; /* out of memory */
} clipc_codepoints;

void clipc_codepoints_append(clipc_codepoints *text, uint32_t codepoint);
void clipc_codepoints_append_all(clipc_codepoints *text, const uint32_t *items, size_t count);
void clipc_codepoints_free(clipc_codepoints *text);

/* Exchanges two texts. */
void clipc_codepoints_swap(clipc_codepoints *a, clipc_codepoints *b);
bool clipc_codepoints_equal(const clipc_codepoints *a, const clipc_codepoints *b);

/*
 * Appends strictly decoded UTF-8 (no surrogates, no overlong forms). On invalid bytes *bad_at
 * receives the offset of the first; with replace each maximal invalid subpart becomes U+FFFD
 * instead, as Python's errors="replace" does. Returns false when an invalid byte ended the
 * decoding.
 */
bool clipc_utf8_decode(clipc_codepoints *out, const uint8_t *bytes, size_t size, bool replace,
                       size_t *bad_at);

/* Appends UTF-8. */
void clipc_utf8_append(clipc_byte_buffer *out, uint32_t codepoint);

/* Python's str.isspace(): what strip() removes. */
bool clipc_is_space(uint32_t codepoint);

#endif
