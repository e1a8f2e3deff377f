/* SPDX-License-Identifier: MIT */
/* Code points in memory, and their way from and to UTF-8. */
#include "text/codepoints.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu

void clipc_codepoints_append_all(clipc_codepoints *text, const uint32_t *items, size_t count)
{
    if (text->failed || count == 0)
        return;
    if (clipc_grow(&text->items, &text->capacity, text->count + count, sizeof(*text->items)) != 0) {
        text->failed = true;
        return;
    }
    memcpy(text->items + text->count, items, count * sizeof(*items));
    text->count += count;
}

void clipc_codepoints_append(clipc_codepoints *text, uint32_t codepoint)
{
    if (text->count < text->capacity)
        text->items[text->count++] = codepoint;
    else
        clipc_codepoints_append_all(text, &codepoint, 1);
}

void clipc_codepoints_free(clipc_codepoints *text)
{
    free(text->items);
    *text = (clipc_codepoints){0};
}

void clipc_codepoints_swap(clipc_codepoints *a, clipc_codepoints *b)
{
    const clipc_codepoints old = *a;

    *a = *b;
    *b = old;
}

bool clipc_codepoints_equal(const clipc_codepoints *a, const clipc_codepoints *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

/* The length that a first byte announces (1 to 4), 0 when it cannot be one. */
static size_t sequence_length(uint8_t first)
{
    return first < 0x80   ? 1
           : first < 0xC2 ? 0
           : first < 0xE0 ? 2
           : first < 0xF0 ? 3
           : first < 0xF5 ? 4
                          : 0;
}

/* Whether `byte` may stand at place i (1 to 3) after `first`: Unicode's table 3-7. */
static bool may_follow(uint8_t first, size_t i, uint8_t byte)
{
    uint8_t low = 0x80, high = 0xBF;

    if (i == 1) {
        low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    }
    return byte >= low && byte <= high;
}

/* Reads one sequence; *used receives its length, or that of the invalid subpart (then false). */
static bool decode_one(const uint8_t *bytes, size_t size, uint32_t *codepoint, size_t *used)
{
    const size_t length = sequence_length(bytes[0]);

    *used = 1;
    if (length == 0)
        return false;
    *codepoint = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (i >= size || !may_follow(bytes[0], i, bytes[i]))
            return false;
        *codepoint = *codepoint << 6 | (bytes[i] & 0x3Fu);
        *used = i + 1;
    }
    return true;
}

bool clipc_utf8_decode(clipc_codepoints *out, const uint8_t *bytes, size_t size, bool replace,
                       size_t *bad_at)
{
    size_t position = 0, used;

    while (position < size) {
        uint32_t codepoint;

        if (!decode_one(bytes + position, size - position, &codepoint, &used)) {
            if (!replace) {
                *bad_at = position;
                return false;
            }
            codepoint = REPLACEMENT;
        }
        clipc_codepoints_append(out, codepoint);
        position += used;
    }
    return true;
}

void clipc_utf8_append(clipc_byte_buffer *out, uint32_t c)
{
    uint8_t bytes[4];
    size_t length;

    if (c < 0x80) {
        clipc_buffer_append_byte(out, (uint8_t)c);
        return;
    }
    length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length; i > 1; i--, c >>= 6)
        bytes[i - 1] = (uint8_t)(0x80 | (c & 0x3F));
    bytes[0] = (uint8_t)((0xF00u >> length) | c);
    clipc_buffer_append(out, bytes, length);
}

bool clipc_is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}
