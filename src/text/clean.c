/* SPDX-License-Identifier: MIT */
/* basic_clean, whitespace_clean and lower() of the original's tokenizer. */
#include "text/clean.h"

#include "text/fix_text.h"

#include <unicase.h>
#include <unictype.h>

#define CAPITAL_SIGMA 0x3A3u
#define SIGMA 0x3C3u
#define FINAL_SIGMA 0x3C2u
#define CAPITAL_DOTTED_I 0x130u
#define COMBINING_DOT_ABOVE 0x307u

bool clipc_cleaner_init(clipc_cleaner *cleaner)
{
    clipc_charmaps_init(&cleaner->charmaps);
    return clipc_html_entities_init(&cleaner->entities);
}

void clipc_cleaner_free(clipc_cleaner *cleaner)
{
    clipc_html_entities_free(&cleaner->entities);
}

static void unescape(const clipc_cleaner *cleaner, clipc_codepoints *text)
{
    clipc_codepoints out = {0};

    clipc_html_unescape(&cleaner->entities, &cleaner->charmaps, text->items, text->count, &out);
    clipc_codepoints_swap(text, &out);
    if (out.failed)
        text->failed = true;
    clipc_codepoints_free(&out);
}

/* White space at both ends goes, between words it becomes one space. */
static void join_spaces(clipc_codepoints *text)
{
    size_t kept = 0;

    for (size_t i = 0; i < text->count; i++) {
        const uint32_t c = text->items[i];

        if (!clipc_is_space(c))
            text->items[kept++] = c;
        else if (kept && text->items[kept - 1] != ' ')
            text->items[kept++] = ' ';
    }
    if (kept && text->items[kept - 1] == ' ')
        kept--;
    text->count = kept;
}

/* Whether the sigma at i ends a word: a cased letter before it and none after, as Python looks. */
static bool is_final_sigma(const clipc_codepoints *text, size_t i)
{
    size_t before = i, after = i + 1;

    while (before > 0 && uc_is_property_case_ignorable(text->items[before - 1]))
        before--;
    if (before == 0 || !uc_is_property_cased(text->items[before - 1]))
        return false;
    while (after < text->count && uc_is_property_case_ignorable(text->items[after]))
        after++;
    return after == text->count || !uc_is_property_cased(text->items[after]);
}

/*
 * str.lower(): one character for one, but for dotted capital I (which becomes two) and sigma.
 * u32_tolower() would look for the word's end by other rules than Python.
 */
static void lower(clipc_codepoints *text)
{
    clipc_codepoints out = {0};

    for (size_t i = 0; i < text->count; i++) {
        const uint32_t c = text->items[i];

        if (c == CAPITAL_SIGMA) {
            clipc_codepoints_append(&out, is_final_sigma(text, i) ? FINAL_SIGMA : SIGMA);
        } else if (c == CAPITAL_DOTTED_I) {
            clipc_codepoints_append(&out, 'i');
            clipc_codepoints_append(&out, COMBINING_DOT_ABOVE);
        } else {
            clipc_codepoints_append(&out, uc_tolower(c));
        }
    }
    clipc_codepoints_swap(text, &out);
    if (out.failed)
        text->failed = true;
    clipc_codepoints_free(&out);
}

static bool is_ascii(const clipc_codepoints *text)
{
    for (size_t i = 0; i < text->count; i++)
        if (text->items[i] >= 0x80)
            return false;
    return true;
}

static void lower_ascii(clipc_codepoints *text)
{
    for (size_t i = 0; i < text->count; i++)
        if (text->items[i] >= 'A' && text->items[i] <= 'Z')
            text->items[i] += 'a' - 'A';
}

/* Letters, digits and plain punctuation: nothing in it could need repair. */
static bool needs_no_repair(const clipc_codepoints *text)
{
    for (size_t i = 0; i < text->count; i++)
        if (text->items[i] < ' ' || text->items[i] > '~' || text->items[i] == '&')
            return false;
    return true;
}

void clipc_clean_text(const clipc_cleaner *cleaner, clipc_codepoints *text)
{
    if (!needs_no_repair(text)) {
        clipc_fix_text(&cleaner->charmaps, &cleaner->entities, text);
        unescape(cleaner, text);
        unescape(cleaner, text);
    }
    join_spaces(text);
    if (is_ascii(text))
        lower_ascii(text);
    else
        lower(text);
}
