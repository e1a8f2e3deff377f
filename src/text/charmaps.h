/* SPDX-License-Identifier: MIT */
/* The single-byte encodings whose mix-up with UTF-8 is undone, in the order they are tried. */
#ifndef CLIPC_TEXT_CHARMAPS_H
#define CLIPC_TEXT_CHARMAPS_H

#include "text/codepoints.h"

enum {
    CLIPC_CHARMAP_LATIN1,
    CLIPC_CHARMAP_WINDOWS1252,
    CLIPC_CHARMAP_WINDOWS1251,
    CLIPC_CHARMAP_WINDOWS1250,
    CLIPC_CHARMAP_WINDOWS1253,
    CLIPC_CHARMAP_WINDOWS1254,
    CLIPC_CHARMAP_WINDOWS1257,
    CLIPC_CHARMAP_ISO8859_2,
    CLIPC_CHARMAP_MACROMAN,
    CLIPC_CHARMAP_CP437,
    CLIPC_CHARMAP_COUNT,
};

typedef struct clipc_charmap {
    uint32_t high[128]; /* what bytes 80 to FF mean */
    struct {
        uint32_t codepoint;
        uint8_t byte;
    } sorted[128]; /* the same by code point */
    /*
     * The Windows encodings are "sloppy": unassigned bytes mean what they mean in Latin-1, and
     * U+FFFD is written as byte 1A, which stands for itself in the others.
     */
    bool is_sloppy;
} clipc_charmap;

/* Which roles a character can play in UTF-8 that was read in one of the Latin-1-like encodings. */
enum {
    CLIPC_CLUE_FIRST_OF_2 = 1,
    CLIPC_CLUE_FIRST_OF_3 = 2,
    CLIPC_CLUE_FIRST_OF_4 = 4,
    CLIPC_CLUE_CONTINUATION = 8,
    CLIPC_CLUE_CONTINUATION_STRICT = 16, /* not one that stands beside mojibake by itself */
};

typedef struct clipc_charmaps {
    clipc_charmap maps[CLIPC_CHARMAP_COUNT];
} clipc_charmaps;

/* Fills in the tables from the data compiled in. */
void clipc_charmaps_init(clipc_charmaps *charmaps);

/* The byte that means codepoint; -1 when none does. */
int clipc_charmap_encode(const clipc_charmap *charmap, uint32_t codepoint);

/* CLIPC_CLUE_* of a character. */
unsigned clipc_charmaps_clues(const clipc_charmaps *charmaps, uint32_t codepoint);

#endif
