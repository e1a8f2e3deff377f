/* SPDX-License-Identifier: MIT */
/*
 * ftfy's fix_encoding, step for step: encode the text in each single-byte encoding that can hold
 * it, mend bytes that were damaged on the way, and see whether they decode as UTF-8; where no
 * encoding holds all of it, mend the parts that look like UTF-8.
 */
#include "text/mojibake.h"

#include "text/badness.h"

#include <string.h>

/* Deeper than any mix-up happens; a limit on recursion all the same. */
#define DEEPEST 16
/* ftfy has no limit; each round undoes one mix-up. */
#define MOST_ROUNDS 100

static void fix_encoding(const clipc_charmaps *charmaps, clipc_codepoints *text, unsigned depth);

/* --- Bytes that were altered on the way --- */

static bool is_continuation(uint8_t byte)
{
    return byte >= 0x80 && byte <= 0xBF;
}

/* A continuation byte other than 85 and A0, which stand for white space too easily. */
static bool is_sure_continuation(uint8_t byte)
{
    return is_continuation(byte) && byte != 0x85 && byte != 0xA0;
}

/* The length of a UTF-8 sequence at bytes in which one A0 has become a space; 0 when it is none. */
static size_t altered_length(const uint8_t *bytes, size_t size)
{
    const uint8_t first = bytes[0];

    if (size >= 2 && bytes[1] == ' ' &&
        (first == 0xC2 || first == 0xC3 || first == 0xC5 || first == 0xCE || first == 0xD0 ||
         first == 0xD9))
        return 2;
    if (size >= 3 && (first == 0xE2 || first == 0xE3) && bytes[1] == ' ' &&
        is_sure_continuation(bytes[2]))
        return 3;
    if (size >= 3 && first >= 0xE0 && first <= 0xE3 && is_sure_continuation(bytes[1]) &&
        bytes[2] == ' ')
        return 3;
    if (size >= 4 && first == 0xF0) {
        unsigned spaces = 0, continuations = 0;

        for (size_t i = 1; i < 4; i++) {
            spaces += bytes[i] == ' ';
            continuations += is_continuation(bytes[i]);
        }
        if (spaces == 1 && continuations == 2)
            return 4;
    }
    return 0;
}

static bool begins_with(const uint8_t *bytes, size_t size, const char *text)
{
    const size_t length = strlen(text);

    return size >= length && memcmp(bytes, text, length) == 0;
}

/*
 * "C3 space" is mostly the French word a-grave, whose own space must stay; not so where a second
 * space or one of the Portuguese words that begin with it follows.
 */
static bool is_grave_word(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0xC3 && bytes[1] == ' ' &&
           !begins_with(bytes + 2, size - 2, " ") && !begins_with(bytes + 2, size - 2, "quele") &&
           !begins_with(bytes + 2, size - 2, "quela") &&
           !begins_with(bytes + 2, size - 2, "quilo") && !begins_with(bytes + 2, size - 2, "s ");
}

static bool has_altered(const clipc_byte_buffer *in)
{
    for (size_t i = 0; i < in->size; i++)
        if (altered_length(in->bytes + i, in->size - i))
            return true;
    return false;
}

static void restore_byte_a0(const clipc_byte_buffer *in, clipc_byte_buffer *out)
{
    size_t length;

    for (size_t i = 0; i < in->size; i++) {
        clipc_buffer_append_byte(out, in->bytes[i]);
        if (is_grave_word(in->bytes + i, in->size - i))
            clipc_buffer_append_byte(out, 0xA0);
    }
    for (size_t i = 0; i < out->size; i += length ? length : 1) {
        length = altered_length(out->bytes + i, out->size - i);
        for (size_t j = 1; j < length; j++)
            if (out->bytes[i + j] == ' ')
                out->bytes[i + j] = 0xA0;
    }
}

static bool in_range(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

/* A lost byte (1A), perhaps written as a question mark. */
static bool is_lost(uint8_t byte)
{
    return byte == 0x1A || byte == '?';
}

static bool is_lost_or_continuation(uint8_t byte)
{
    return byte == 0x1A || is_continuation(byte);
}

/* Six bytes of a surrogate pair with at least one of its payload bytes lost. */
static bool is_lossy_pair(const uint8_t *b)
{
    const bool lost_3 = is_lost(b[2]), lost_6 = is_lost(b[5]);

    return b[0] == 0xED && in_range(b[1], 0xA0, 0xAF) && b[3] == 0xED &&
           in_range(b[4], 0xB0, 0xBF) && (lost_3 || is_continuation(b[2])) &&
           (lost_6 || is_continuation(b[5])) && (lost_3 || lost_6);
}

/* Whether the n bytes after the first are lost or continuation bytes, one at least lost. */
static bool is_lossy_tail(const uint8_t *tail, size_t n)
{
    unsigned lost = 0, questions = 0;

    for (size_t i = 0; i < n; i++) {
        if (tail[i] == '?')
            questions++;
        else if (!is_lost_or_continuation(tail[i]))
            return false;
        lost += is_lost(tail[i]);
    }
    return lost > 0 && questions <= 1;
}

/* The length of a UTF-8 sequence at bytes of which a byte was lost; 0 when it is none. */
static size_t lossy_length(const uint8_t *bytes, size_t size)
{
    const uint8_t first = bytes[0];

    if (size >= 2 && in_range(first, 0xC2, 0xDF) && bytes[1] == 0x1A)
        return 2;
    if (size >= 2 && in_range(first, 0xC2, 0xC3) && bytes[1] == '?')
        return 2;
    if (size >= 6 && is_lossy_pair(bytes))
        return 6;
    if (size >= 3 && in_range(first, 0xE0, 0xEF) && is_lossy_tail(bytes + 1, 2))
        return 3;
    if (size >= 4 && in_range(first, 0xF0, 0xF4) && is_lossy_tail(bytes + 1, 3))
        return 4;
    return first == 0x1A;
}

static void replace_lossy(const clipc_byte_buffer *in, clipc_byte_buffer *out)
{
    size_t length;

    for (size_t i = 0; i < in->size; i += length ? length : 1) {
        length = lossy_length(in->bytes + i, in->size - i);
        if (length)
            clipc_utf8_append(out, 0xFFFD);
        else
            clipc_buffer_append_byte(out, in->bytes[i]);
    }
}

/* --- Variants of UTF-8 --- */

/* A pair of surrogates, three bytes each (CESU-8). A newline that ends the text may be its last. */
static bool is_cesu8(const uint8_t *b, size_t size)
{
    return size >= 6 && b[0] == 0xED && in_range(b[1], 0xA0, 0xAF) && is_continuation(b[2]) &&
           b[3] == 0xED && in_range(b[4], 0xB0, 0xBF) &&
           (is_continuation(b[5]) || (size == 6 && b[5] == '\n'));
}

/* Java's two bytes for NUL. A newline that ends the text is taken for the second. */
static bool is_java_nul(const uint8_t *b, size_t size)
{
    return size >= 2 && b[0] == 0xC0 && (b[1] == 0x80 || (size == 2 && b[1] == '\n'));
}

/* UTF-8 in which both are allowed; false where it is neither. */
static bool decode_variants(const clipc_byte_buffer *in, clipc_codepoints *out)
{
    size_t plain = 0, i = 0, bad_at;

    while (i < in->size) {
        const uint8_t *b = in->bytes + i;
        const size_t left = in->size - i;
        const bool is_pair = is_cesu8(b, left);

        if (!is_pair && !is_java_nul(b, left)) {
            i++;
            continue;
        }
        if (!clipc_utf8_decode(out, in->bytes + plain, i - plain, false, &bad_at))
            return false;
        clipc_codepoints_append(out, !is_pair ? 0
                                              : 0x10000 + ((b[1] & 0x0Fu) << 16) +
                                                    ((b[2] & 0x3Fu) << 10) + ((b[4] & 0x0Fu) << 6) +
                                                    (b[5] & 0x3Fu));
        i += is_pair ? 6 : 2;
        plain = i;
    }
    return clipc_utf8_decode(out, in->bytes + plain, in->size - plain, false, &bad_at);
}

static bool decode(const clipc_byte_buffer *in, clipc_codepoints *out)
{
    size_t bad_at;

    for (size_t i = 0; i < in->size; i++)
        if (in->bytes[i] == 0xED || in->bytes[i] == 0xC0)
            return decode_variants(in, out);
    return clipc_utf8_decode(out, in->bytes, in->size, false, &bad_at);
}

/* --- One encoding --- */

/* The text as bytes of an encoding; false when it does not hold all of it. */
static bool encode(const clipc_charmap *charmap, const clipc_codepoints *text,
                   clipc_byte_buffer *out)
{
    for (size_t i = 0; i < text->count; i++) {
        const int byte = clipc_charmap_encode(charmap, text->items[i]);

        if (byte < 0)
            return false;
        clipc_buffer_append_byte(out, (uint8_t)byte);
    }
    return true;
}

/* Replaces *text where its bytes in the encoding are UTF-8. *holds: whether it has such bytes. */
static bool try_charmap(const clipc_charmaps *charmaps, size_t index, clipc_codepoints *text,
                        bool *holds)
{
    const clipc_charmap *charmap = &charmaps->maps[index];
    clipc_byte_buffer bytes = {0}, mended = {0}, replaced = {0};
    const clipc_byte_buffer *best = &bytes;
    clipc_codepoints fixed = {0};
    bool is_fixed = false;

    *holds = encode(charmap, text, &bytes);
    if (*holds && index != CLIPC_CHARMAP_MACROMAN && has_altered(&bytes)) {
        restore_byte_a0(&bytes, &mended);
        best = &mended;
    }
    if (*holds && charmap->is_sloppy) {
        replace_lossy(best, &replaced);
        best = &replaced;
    }
    if (*holds)
        is_fixed = decode(best, &fixed);
    if (bytes.failed || mended.failed || replaced.failed || fixed.failed)
        text->failed = true;
    if (is_fixed && !text->failed)
        clipc_codepoints_swap(text, &fixed);
    clipc_buffer_free(&bytes);
    clipc_buffer_free(&mended);
    clipc_buffer_free(&replaced);
    clipc_codepoints_free(&fixed);
    return is_fixed;
}

/* --- Parts of a text --- */

/* The length of one sequence of characters that would be UTF-8 as bytes. */
static size_t sequence_length(const clipc_charmaps *charmaps, const uint32_t *text, size_t count)
{
    const unsigned first = clipc_charmaps_clues(charmaps, text[0]);
    size_t continuations = 0;

    if (!(first & (CLIPC_CLUE_FIRST_OF_2 | CLIPC_CLUE_FIRST_OF_3 | CLIPC_CLUE_FIRST_OF_4)))
        return 0;
    while (continuations < 3 && continuations + 1 < count &&
           clipc_charmaps_clues(charmaps, text[continuations + 1]) & CLIPC_CLUE_CONTINUATION)
        continuations++;
    if (first & CLIPC_CLUE_FIRST_OF_2 && continuations >= 1)
        return 2;
    if (first & CLIPC_CLUE_FIRST_OF_3 && continuations >= 2)
        return 3;
    return first & CLIPC_CLUE_FIRST_OF_4 && continuations >= 3 ? 4 : 0;
}

/* The length of the run of such sequences at text[i], which must not continue a garble. */
static size_t run_length(const clipc_charmaps *charmaps, const clipc_codepoints *text, size_t i)
{
    size_t length = 0, more;

    if (i > 0 &&
        clipc_charmaps_clues(charmaps, text->items[i - 1]) & CLIPC_CLUE_CONTINUATION_STRICT)
        return 0;
    while (i + length < text->count &&
           (more = sequence_length(charmaps, text->items + i + length, text->count - i - length)))
        length += more;
    return length;
}

/* Mends each run by itself; false when nothing changed. */
static bool fix_parts(const clipc_charmaps *charmaps, clipc_codepoints *text, unsigned depth)
{
    clipc_codepoints out = {0};
    bool has_changed;

    for (size_t i = 0; i < text->count;) {
        const size_t length = run_length(charmaps, text, i);
        clipc_codepoints part = {0};

        clipc_codepoints_append_all(&part, text->items + i, length ? length : 1);
        if (length && length < text->count && depth < DEEPEST && !part.failed &&
            clipc_is_bad(part.items, part.count))
            fix_encoding(charmaps, &part, depth + 1);
        if (part.failed)
            text->failed = true;
        clipc_codepoints_append_all(&out, part.items, part.count);
        clipc_codepoints_free(&part);
        i += length ? length : 1;
    }
    has_changed = !clipc_codepoints_equal(text, &out);
    if (out.failed)
        text->failed = true;
    if (has_changed && !text->failed)
        clipc_codepoints_swap(text, &out);
    clipc_codepoints_free(&out);
    return has_changed;
}

/* --- The last resort: Latin-1 that was meant as Windows-1252 --- */

void clipc_fix_c1_controls(const clipc_charmaps *charmaps, clipc_codepoints *text)
{
    const uint32_t *high = charmaps->maps[CLIPC_CHARMAP_WINDOWS1252].high;

    for (size_t i = 0; i < text->count; i++)
        if (text->items[i] >= 0x80 && text->items[i] <= 0x9F)
            text->items[i] = high[text->items[i] - 0x80];
}

static bool is_ascii(const clipc_codepoints *text)
{
    for (size_t i = 0; i < text->count; i++)
        if (text->items[i] >= 0x80)
            return false;
    return true;
}

static void fix_one_step(const clipc_charmaps *charmaps, clipc_codepoints *text, unsigned depth)
{
    if (is_ascii(text) || !clipc_is_bad(text->items, text->count))
        return;
    for (size_t i = 0; i < CLIPC_CHARMAP_COUNT; i++) {
        bool holds;

        if (try_charmap(charmaps, i, text, &holds) || text->failed)
            return;
    }
    if (fix_parts(charmaps, text, depth))
        return;
    clipc_fix_c1_controls(charmaps, text);
}

static void fix_encoding(const clipc_charmaps *charmaps, clipc_codepoints *text, unsigned depth)
{
    clipc_codepoints before = {0};

    for (int round = 0; round < MOST_ROUNDS && !text->failed; round++) {
        before.count = 0;
        clipc_codepoints_append_all(&before, text->items, text->count);
        fix_one_step(charmaps, text, depth);
        if (before.failed)
            text->failed = true;
        if (clipc_codepoints_equal(&before, text))
            break;
    }
    clipc_codepoints_free(&before);
}

void clipc_fix_encoding(const clipc_charmaps *charmaps, clipc_codepoints *text)
{
    fix_encoding(charmaps, text, 0);
}
