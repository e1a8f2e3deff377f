/* SPDX-License-Identifier: MIT */
/*
 * ftfy's sequence of repairs, line by line, each line until nothing changes. Lone surrogates, which
 * ftfy repairs too, cannot come out of UTF-8.
 */
#include "text/fix_text.h"

#include "text/mojibake.h"

#include <stdlib.h>
#include <unictype.h>
#include <uninorm.h>

/* ftfy cuts lines into segments of at most this many characters. */
#define LONGEST_SEGMENT 1000000
/*
 * ftfy goes on until nothing changes; one or two rounds are what text needs. Only "&amp;amp;..."
 * and the like need a round a level: the limit keeps huge ones from taking quadratic time.
 */
#define FEWEST_ROUNDS 100
#define CHARACTERS_TO_REPAIR ((size_t)1 << 22)

#define ESCAPE 0x1B

/* Puts a normalisation form of n characters after *out. */
static void append_normalized(clipc_codepoints *out, uninorm_t form, const uint32_t *text, size_t n)
{
    size_t length = 0;
    uint32_t *normalized = u32_normalize(form, text, n, NULL, &length);

    if (normalized || n == 0)
        clipc_codepoints_append_all(out, normalized, length);
    else
        out->failed = true;
    free(normalized);
}

/* Latin ligatures and digraphs that one rather writes as letters. */
static bool is_ligature(uint32_t c)
{
    return c == 0x132 || c == 0x133 || c == 0x149 || (c >= 0x1C4 && c <= 0x1CC) ||
           (c >= 0x1F1 && c <= 0x1F3) || (c >= 0xFB00 && c <= 0xFB06);
}

/* Forms for columns of equal width: full width of ASCII, half width of Katakana and Hangul. */
static bool is_width_form(uint32_t c)
{
    return c == 0x3000 || (c >= 0xFF01 && c < 0xFFF0);
}

static bool is_removed_control(uint32_t c)
{
    return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
           (c >= 0x206A && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

/* The length of a terminal's escape sequence "ESC [ 1 ; 2 m"; 0 when it is none. */
static size_t escape_length(const uint32_t *text, size_t count)
{
    size_t length = 2;

    if (count < 3 || text[0] != ESCAPE || text[1] != '[')
        return 0;
    while (length < count && (text[length] == ';' ||
                              uc_is_general_category_withtable(text[length], UC_CATEGORY_MASK_Nd)))
        length++;
    if (length < count && ((text[length] >= 'a' && text[length] <= 'z') ||
                           (text[length] >= 'A' && text[length] <= 'Z')))
        return length + 1;
    return 0;
}

static uint32_t straighten(uint32_t c)
{
    if (c == 0x02BC || (c >= 0x2018 && c <= 0x201B))
        return '\'';
    return c >= 0x201C && c <= 0x201F ? '"' : c;
}

static bool is_line_break(uint32_t c)
{
    return c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85;
}

/* Ligatures, widths, quotes and line breaks; each is one character by itself (CR LF aside). */
static void fix_characters(clipc_codepoints *text, clipc_codepoints *out)
{
    for (size_t i = 0; i < text->count; i++) {
        const uint32_t c = text->items[i];

        if (c == 0xFB05) { /* whose normal form would lose the long s */
            clipc_codepoints_append(out, 0x17F);
            clipc_codepoints_append(out, 't');
        } else if (is_ligature(c) || is_width_form(c)) {
            append_normalized(out, UNINORM_NFKC, &c, 1);
        } else if (is_line_break(c)) {
            if (c != '\r' || i + 1 == text->count || text->items[i + 1] != '\n')
                clipc_codepoints_append(out, '\n');
        } else {
            clipc_codepoints_append(out, c);
        }
    }
    for (size_t i = 0; i < out->count; i++)
        out->items[i] = straighten(out->items[i]);
}

static void remove_controls(const clipc_codepoints *text, clipc_codepoints *out)
{
    clipc_codepoints visible = {0};

    for (size_t i = 0; i < text->count;) {
        const size_t length = escape_length(text->items + i, text->count - i);

        if (!length)
            clipc_codepoints_append(&visible, text->items[i]);
        i += length ? length : 1;
    }
    for (size_t i = 0; i < visible.count; i++)
        if (!is_removed_control(visible.items[i]))
            clipc_codepoints_append(out, visible.items[i]);
    if (visible.failed)
        out->failed = true;
    clipc_codepoints_free(&visible);
}

/* One round of all repairs. */
static void fix_once(const clipc_charmaps *charmaps, const clipc_html_entities *entities,
                     bool unescapes, clipc_codepoints *text)
{
    clipc_codepoints next = {0};

    if (unescapes) {
        clipc_html_unescape_carefully(entities, charmaps, text->items, text->count, &next);
        clipc_codepoints_swap(text, &next);
        next.count = 0;
    }
    clipc_fix_encoding(charmaps, text);
    clipc_fix_c1_controls(charmaps, text);
    fix_characters(text, &next);
    clipc_codepoints_swap(text, &next);
    next.count = 0;
    remove_controls(text, &next);
    clipc_codepoints_swap(text, &next);
    next.count = 0;
    append_normalized(&next, UNINORM_NFC, text->items, text->count);
    clipc_codepoints_swap(text, &next);
    if (next.failed)
        text->failed = true;
    clipc_codepoints_free(&next);
}

static void fix_segment(const clipc_charmaps *charmaps, const clipc_html_entities *entities,
                        bool unescapes, clipc_codepoints *segment)
{
    const size_t most_rounds = FEWEST_ROUNDS + CHARACTERS_TO_REPAIR / (segment->count + 1);
    clipc_codepoints before = {0};

    for (size_t round = 0; round < most_rounds && !segment->failed; round++) {
        before.count = 0;
        clipc_codepoints_append_all(&before, segment->items, segment->count);
        fix_once(charmaps, entities, unescapes, segment);
        if (before.failed)
            segment->failed = true;
        if (clipc_codepoints_equal(&before, segment))
            break;
    }
    clipc_codepoints_free(&before);
}

static size_t segment_end(const clipc_codepoints *text, size_t start)
{
    size_t end = start;

    while (end < text->count && end - start < LONGEST_SEGMENT)
        if (text->items[end++] == '\n')
            break;
    return end;
}

static bool has_angle(const clipc_codepoints *text, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++)
        if (text->items[i] == '<')
            return true;
    return false;
}

void clipc_fix_text(const clipc_charmaps *charmaps, const clipc_html_entities *entities,
                    clipc_codepoints *text)
{
    clipc_codepoints out = {0};
    bool unescapes = true; /* until a '<' tells that this is HTML whose references are meant */

    for (size_t start = 0, end; start < text->count && !text->failed; start = end) {
        clipc_codepoints segment = {0};

        end = segment_end(text, start);
        if (has_angle(text, start, end))
            unescapes = false;
        clipc_codepoints_append_all(&segment, text->items + start, end - start);
        fix_segment(charmaps, entities, unescapes, &segment);
        clipc_codepoints_append_all(&out, segment.items, segment.count);
        if (segment.failed)
            text->failed = true;
        clipc_codepoints_free(&segment);
    }
    if (out.failed)
        text->failed = true;
    clipc_codepoints_swap(text, &out);
    if (out.failed)
        text->failed = true;
    clipc_codepoints_free(&out);
}
