/* SPDX-License-Identifier: MIT */
/* basic_clean, whitespace_clean and lower() of the original's tokenizer. */
#include "text/clean.h"

#include "text/fix_text.h"

#include <stdlib.h>
#include <unicase.h>

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

/* The full mapping, with the final form of sigma at a word's end. */
static void lower(clipc_codepoints *text)
{
    size_t length = 0;
    uint32_t *lowered;

    if (text->count == 0)
        return;
    lowered = u32_tolower(text->items, text->count, NULL, NULL, NULL, &length);
    if (lowered) {
        text->count = 0;
        clipc_codepoints_append_all(text, lowered, length);
    } else {
        text->failed = true;
    }
    free(lowered);
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
