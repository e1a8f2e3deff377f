/* SPDX-License-Identifier: MIT */
/* Code tables out of data/charmaps.txt, and what follows from them. */
#include "text/charmaps.h"

#include "embedded/charmaps.h"

#include <stdlib.h>
#include <string.h>

static int by_codepoint(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/* One line: a name, then 128 hexadecimal numbers. */
static const char *read_line(clipc_charmap *charmap, const char *line)
{
    const char *at = strchr(line, ' ');

    for (size_t i = 0; i < 128; i++) {
        char *end;

        charmap->high[i] = (uint32_t)strtoul(at, &end, 16);
        charmap->sorted[i].codepoint = charmap->high[i];
        charmap->sorted[i].byte = (uint8_t)(128 + i);
        at = end;
    }
    qsort(charmap->sorted, 128, sizeof(charmap->sorted[0]), by_codepoint);
    charmap->is_sloppy = strncmp(line, "sloppy-", 7) == 0;
    return at + 1;
}

void clipc_charmaps_init(clipc_charmaps *charmaps)
{
    const char *at = (const char *)clipc_embedded_charmaps;

    for (size_t i = 0; i < CLIPC_CHARMAP_COUNT; i++)
        at = read_line(&charmaps->maps[i], at);
}

int clipc_charmap_encode(const clipc_charmap *charmap, uint32_t codepoint)
{
    size_t low = 0, high = 128;

    if (codepoint < 0x80)
        return codepoint == 0x1A && charmap->is_sloppy ? -1 : (int)codepoint;
    if (codepoint == 0xFFFD && charmap->is_sloppy)
        return 0x1A;
    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (charmap->sorted[middle].codepoint == codepoint)
            return charmap->sorted[middle].byte;
        if (charmap->sorted[middle].codepoint < codepoint)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* Dashes, quotation marks, bullet and ellipsis: found beside mojibake without being part of it. */
static bool stands_for_itself(uint32_t c)
{
    return (c >= 0x2013 && c <= 0x2015) || (c >= 0x2018 && c <= 0x201A) ||
           (c >= 0x201C && c <= 0x201E) || c == 0x2022 || c == 0x2026;
}

static unsigned clues_of_byte(int byte)
{
    if (byte < 0x80)
        return 0;
    if (byte < 0xC0)
        return CLIPC_CLUE_CONTINUATION;
    if (byte >= 0xC2 && byte < 0xE0)
        return CLIPC_CLUE_FIRST_OF_2;
    if (byte >= 0xE0 && byte < 0xF0)
        return CLIPC_CLUE_FIRST_OF_3;
    return byte == 0xF0 || byte == 0xF3 ? CLIPC_CLUE_FIRST_OF_4 : 0;
}

unsigned clipc_charmaps_clues(const clipc_charmaps *charmaps, uint32_t codepoint)
{
    unsigned clues = 0;

    if (codepoint == ' ') /* perhaps a no-break space once */
        return CLIPC_CLUE_CONTINUATION;
    if (codepoint < 0x80 || codepoint == 0xFFFD)
        return 0;
    for (size_t i = CLIPC_CHARMAP_LATIN1; i <= CLIPC_CHARMAP_WINDOWS1257; i++)
        clues |= clues_of_byte(clipc_charmap_encode(&charmaps->maps[i], codepoint));
    if (clues & CLIPC_CLUE_CONTINUATION && !stands_for_itself(codepoint))
        clues |= CLIPC_CLUE_CONTINUATION_STRICT;
    return clues;
}
