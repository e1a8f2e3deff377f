/* SPDX-License-Identifier: MIT */
/*
 * ftfy's heuristic as two tables: the category of each character that mojibake is made of, and the
 * sequences of categories (and of single characters) that give it away.
 */
#include "text/badness.h"

#include "text/codepoints.h"

#include <string.h>
#include <uchar.h>
#include <unictype.h>

enum {
    COMMON = 1 << 0, /* found anywhere */
    C1 = 1 << 1,     /* control characters 80 to 9F */
    BAD = 1 << 2,    /* hardly used in earnest */
    LAW = 1 << 3,
    CURRENCY = 1 << 4,
    START = 1 << 5, /* punctuation that opens */
    END = 1 << 6,   /* punctuation that closes */
    NUMERIC = 1 << 7,
    KAOMOJI = 1 << 8, /* letters that draw faces */
    UPPER = 1 << 9,   /* accented capitals */
    LOWER = 1 << 10,
    UPPER_COMMON = 1 << 11, /* capitals that end words in honest text */
    LOWER_COMMON = 1 << 12,
    BOX = 1 << 13, /* box drawing */
    /* The rest is not in the table. */
    LATIN_UPPER = 1 << 14, /* A to Z */
    LATIN_LOWER = 1 << 15,
    LATIN = LATIN_UPPER | LATIN_LOWER,
    NOT_LATIN = 1 << 16,
    SPACE = 1 << 17,
    WORD = 1 << 18, /* letters, numbers, underscore */
    NO_NEWLINE = 1 << 19,
};

typedef struct category_range {
    uint32_t first, last;
    unsigned categories;
} category_range;

static const category_range ranges[] = {
    /* clang-format off */
    {0x80, 0x9F, C1}, {0xA0, 0xA0, COMMON}, {0xA1, 0xA1, START}, {0xA2, 0xA3, CURRENCY},
    {0xA4, 0xA4, BAD}, {0xA5, 0xA5, CURRENCY}, {0xA6, 0xA6, BAD}, {0xA7, 0xA7, LAW},
    {0xA8, 0xA8, BAD}, {0xA9, 0xA9, START}, {0xAA, 0xAA, BAD}, {0xAB, 0xAB, START},
    {0xAC, 0xAC, BAD}, {0xAD, 0xAD, COMMON}, {0xAE, 0xAE, END}, {0xAF, 0xAF, BAD},
    {0xB0, 0xB0, KAOMOJI}, {0xB1, 0xB3, NUMERIC}, {0xB4, 0xB4, COMMON}, {0xB5, 0xB5, NUMERIC},
    {0xB6, 0xB6, LAW}, {0xB7, 0xB7, COMMON}, {0xB8, 0xB8, BAD}, {0xB9, 0xB9, NUMERIC},
    {0xBA, 0xBA, BAD}, {0xBB, 0xBB, END}, {0xBC, 0xBE, NUMERIC}, {0xBF, 0xBF, START},
    {0xC0, 0xD1, UPPER}, {0xD2, 0xD6, KAOMOJI}, {0xD7, 0xD7, NUMERIC}, {0xD8, 0xD8, UPPER},
    {0xD9, 0xDB, KAOMOJI}, {0xDC, 0xDC, KAOMOJI | UPPER}, {0xDD, 0xDD, UPPER},
    {0xDE, 0xDE, UPPER_COMMON}, {0xDF, 0xF1, LOWER}, {0xF2, 0xF6, KAOMOJI}, {0xF7, 0xF7, NUMERIC},
    {0xF8, 0xFB, KAOMOJI}, {0xFC, 0xFC, KAOMOJI | LOWER}, {0x100, 0x100, UPPER},
    {0x101, 0x101, LOWER}, {0x102, 0x102, UPPER}, {0x103, 0x103, LOWER}, {0x104, 0x104, UPPER},
    {0x105, 0x105, LOWER}, {0x106, 0x106, UPPER}, {0x107, 0x107, LOWER}, {0x10C, 0x10C, UPPER},
    {0x10D, 0x10D, LOWER}, {0x10E, 0x10E, UPPER}, {0x10F, 0x10F, LOWER}, {0x110, 0x110, UPPER},
    {0x111, 0x111, LOWER}, {0x112, 0x112, UPPER}, {0x113, 0x113, LOWER}, {0x116, 0x116, UPPER},
    {0x117, 0x117, LOWER}, {0x118, 0x118, UPPER}, {0x119, 0x119, LOWER}, {0x11A, 0x11A, UPPER},
    {0x11B, 0x11B, LOWER}, {0x11E, 0x11E, UPPER}, {0x11F, 0x11F, LOWER}, {0x122, 0x122, UPPER},
    {0x123, 0x123, LOWER}, {0x12A, 0x12A, UPPER}, {0x12B, 0x12B, LOWER}, {0x12F, 0x12F, LOWER},
    {0x130, 0x130, UPPER}, {0x136, 0x136, UPPER}, {0x137, 0x137, LOWER}, {0x139, 0x139, UPPER},
    {0x13A, 0x13A, LOWER}, {0x13B, 0x13B, UPPER}, {0x13C, 0x13C, LOWER}, {0x13D, 0x13D, UPPER},
    {0x13E, 0x13E, LOWER}, {0x141, 0x141, UPPER}, {0x142, 0x142, LOWER}, {0x143, 0x143, UPPER},
    {0x145, 0x145, UPPER}, {0x147, 0x147, UPPER}, {0x14C, 0x14C, KAOMOJI},
    {0x150, 0x150, KAOMOJI}, {0x152, 0x152, UPPER}, {0x153, 0x153, LOWER}, {0x155, 0x155, LOWER},
    {0x158, 0x158, UPPER}, {0x15A, 0x15A, UPPER}, {0x15B, 0x15B, LOWER}, {0x15E, 0x15E, UPPER},
    {0x15F, 0x15F, LOWER}, {0x160, 0x160, UPPER}, {0x161, 0x161, LOWER}, {0x162, 0x162, UPPER},
    {0x164, 0x164, UPPER}, {0x165, 0x165, LOWER}, {0x16A, 0x16A, KAOMOJI}, {0x16E, 0x16E, UPPER},
    {0x170, 0x170, UPPER}, {0x172, 0x172, KAOMOJI}, {0x178, 0x179, UPPER}, {0x17A, 0x17A, LOWER},
    {0x17B, 0x17B, UPPER}, {0x17C, 0x17C, LOWER}, {0x17D, 0x17D, UPPER}, {0x17E, 0x17E, LOWER},
    {0x192, 0x192, BAD}, {0x2C6, 0x2C7, BAD}, {0x2D8, 0x2D8, BAD}, {0x2DB, 0x2DC, BAD},
    {0x2DD, 0x2DD, END}, {0x384, 0x385, START}, {0x386, 0x386, UPPER_COMMON},
    {0x388, 0x38A, UPPER_COMMON}, {0x38C, 0x38C, UPPER_COMMON}, {0x38E, 0x38F, UPPER_COMMON},
    {0x391, 0x3AB, UPPER_COMMON}, {0x3AC, 0x3C9, LOWER_COMMON}, {0x401, 0x42F, UPPER_COMMON},
    {0x430, 0x45F, LOWER_COMMON}, {0x490, 0x490, UPPER}, {0x491, 0x491, LOWER},
    {0x2013, 0x2015, COMMON}, {0x2018, 0x2018, START}, {0x2019, 0x2019, COMMON},
    {0x201A, 0x201A, START}, {0x201C, 0x201C, START}, {0x201D, 0x201D, END},
    {0x201E, 0x201E, START}, {0x2020, 0x2021, BAD}, {0x2022, 0x2022, START},
    {0x2026, 0x2026, COMMON}, {0x2030, 0x2030, BAD}, {0x2039, 0x2039, START},
    {0x203A, 0x203A, END}, {0x2044, 0x2044, NUMERIC}, {0x20A7, 0x20A7, CURRENCY},
    {0x20AC, 0x20AC, CURRENCY}, {0x2116, 0x2116, NUMERIC}, {0x2122, 0x2122, END},
    {0x2202, 0x2202, NUMERIC}, {0x2206, 0x2206, NUMERIC}, {0x220F, 0x220F, NUMERIC},
    {0x2211, 0x2211, NUMERIC}, {0x221A, 0x221A, NUMERIC}, {0x221E, 0x221E, NUMERIC},
    {0x2229, 0x2229, NUMERIC}, {0x222B, 0x222B, NUMERIC}, {0x2248, 0x2248, NUMERIC},
    {0x2260, 0x2261, NUMERIC}, {0x2264, 0x2265, NUMERIC}, {0x2310, 0x2310, BAD},
    {0x2502, 0x2502, BOX}, {0x250C, 0x250C, BOX}, {0x2510, 0x2510, BOX}, {0x2518, 0x2518, BOX},
    {0x251C, 0x251C, BOX}, {0x2524, 0x2524, BOX}, {0x252C, 0x252C, BOX}, {0x253C, 0x253C, BOX},
    {0x2550, 0x256C, BOX}, {0x2580, 0x2580, BOX}, {0x2584, 0x2584, BOX}, {0x2588, 0x2588, BOX},
    {0x258C, 0x258C, BOX}, {0x2590, 0x2593, BOX}, {0x25CA, 0x25CA, BAD}, {0xF8FF, 0xF8FF, START},
    {0xFB01, 0xFB02, LOWER}, {0xFFFD, 0xFFFD, BAD},
    /* clang-format on */
};

/* A step of a rule: a character of these categories, or one of `also`. */
typedef struct rule_step {
    unsigned categories;
    const char32_t *also; /* may be NULL */
} rule_step;

#define LONGEST_RULE 7

typedef struct rule {
    rule_step steps[LONGEST_RULE]; /* an empty one ends the rule */
    bool at_start;                 /* of the text only */
} rule;

#define ACCENTED (LOWER | UPPER)
#define SYMBOLS (START | END | CURRENCY | NUMERIC | LAW)

static const rule rules[] = {
    {{{C1, NULL}}, false},
    {{{ACCENTED | BOX | BAD | SYMBOLS, NULL}, {BAD, NULL}}, false},
    {{{LATIN, NULL}, {LOWER_COMMON | UPPER_COMMON, NULL}, {BAD, NULL}}, false},
    {{{BAD, NULL}, {ACCENTED | BOX | SYMBOLS, NULL}}, false},
    {{{LOWER | LOWER_COMMON | BOX | END | CURRENCY | NUMERIC, NULL}, {UPPER, NULL}}, false},
    {{{BOX | END | CURRENCY | NUMERIC, NULL}, {LOWER, NULL}}, false},
    {{{LOWER | BOX | END, NULL}, {CURRENCY, NULL}}, false},
    {{{SPACE, NULL}, {UPPER, NULL}, {CURRENCY, NULL}}, false},
    {{{UPPER | BOX, NULL}, {NUMERIC | LAW, NULL}}, false},
    {{{ACCENTED | BOX | CURRENCY | END, NULL}, {START, NULL}, {NUMERIC, NULL}}, false},
    {{{ACCENTED | CURRENCY | NUMERIC | BOX | LAW, NULL}, {END, NULL}, {START, NULL}}, false},
    {{{CURRENCY | NUMERIC | BOX, NULL}, {START, NULL}}, false},
    {{{LATIN_LOWER, NULL}, {UPPER, NULL}, {START | CURRENCY, NULL}}, false},
    {{{BOX, NULL}, {KAOMOJI, NULL}}, false},
    {{{ACCENTED | SYMBOLS, NULL}, {BOX, NULL}}, false},
    {{{BOX, NULL}, {END, NULL}}, false},
    {{{ACCENTED, NULL}, {START | END, NULL}, {WORD, NULL}}, false},
    /* The ligature oe where no plain letter follows; degree signs after capitals. */
    {{{0, U"\u0152\u0153"}, {NOT_LATIN, NULL}}, false},
    {{{UPPER, NULL}, {0, U"\u00B0"}}, false},
    /* Windows-1252 in two characters, in four of Arabic, in three of South Asian scripts. */
    {{{0, U"\u00C2\u00C3\u00CE\u00D0"},
      {START | END,
       U"\u20AC\u0153\u0160\u0161\u00A2\u00A3\u0178\u017E\u00A0\u00AD\u00AE\u00A9\u00B0"
       U"\u00B7\u00BB\u2013\u2014\u00B4"}},
     false},
    {{{0, U"\u00D7"}, {0, U"\u00B2\u00B3"}}, false},
    {{{0, U"\u00D8\u00D9"},
      {COMMON | CURRENCY | BAD | NUMERIC | START, U"\u0178\u0160\u00AE\u00B0\u00B5\u00BB"},
      {0, U"\u00D8\u00D9"},
      {COMMON | CURRENCY | BAD | NUMERIC | START, U"\u0178\u0160\u00AE\u00B0\u00B5\u00BB"}},
     false},
    {{{0, U"\u00E0"}, {0, U"\u00B2\u00B5\u00B9\u00BC\u00BD\u00BE"}}, false},
    /* MacRoman. */
    {{{0, U"\u221A"},
      {0, U"\u00B1\u2202\u2020\u2260\u00AE\u2122\u00B4\u2264\u2265\u00A5\u00B5\u00F8"}},
     false},
    {{{0, U"\u2248"}, {0, U"\u00B0\u00A2"}}, false},
    {{{0, U"\u201A"},
      {0, U"\u00C4"},
      {0, U"\u00EC\u00EE\u00EF\u00F2\u00F4\u00FA\u00F9\u00FB\u2020\u00B0\u00A2\u03C0"}},
     false},
    {{{0, U"\u201A"}, {0, U"\u00E2\u00F3"}, {0, U"\u00E0\u00E4\u00B0\u00EA"}}, false},
    /* Windows-1251: of the range from U+2000, of Cyrillic letters, twice mistaken. */
    {{{0, U"\u0432"}, {0, U"\u0402"}}, false},
    {{{0, U"\u0412\u0413\u0420\u0421"},
      {C1 | BAD | START | END | CURRENCY, U"\u00B0\u00B5"},
      {0, U"\u0412\u0413\u0420\u0421"}},
     false},
    {{{0, U"\u0413"},
      {0, U"\u045E"},
      {0, U"\u0412"},
      {0, U"\u0402"},
      {0, U"\u0412"},
      {NO_NEWLINE, NULL},
      {LATIN, U" "}},
     false},
    /* Windows-1252 of the letter a with an accent, and of the no-break space. */
    {{{0, U"\u00C3"}, {0, U"\u00A0\u00A1"}}, false},
    {{{LATIN_LOWER, NULL}, {0, U"\u00C3\u00C2"}, {0, U" "}}, false},
    {{{LATIN_LOWER, NULL}, {SPACE, NULL}, {0, U"\u00C3\u00C2"}, {0, U" "}}, false},
    {{{0, U"\u00C3\u00C2"}, {0, U" "}}, true},
    {{{LATIN_LOWER | END, U".,?!"}, {0, U"\u00C2"}, {START | END, U" "}}, false},
    /* Windows-1253 and Windows-1257. */
    {{{0, U"\u03B2"}, {0, U"\u20AC"}, {0, U"\u2122\u00A0\u0386\u00AD\u00AE\u00B0"}}, false},
    {{{0, U"\u0392\u0393\u039E\u039F"},
      {C1 | BAD | START | END | CURRENCY, U"\u00B0"},
      {0, U"\u0392\u0393\u039E\u039F"}},
     false},
    {{{0, U"\u0101"}, {0, U"\u20AC"}}, false},
};

static unsigned table_categories(uint32_t c)
{
    size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (c > ranges[middle].last)
            low = middle + 1;
        else if (c < ranges[middle].first)
            high = middle;
        else
            return ranges[middle].categories;
    }
    return 0;
}

static unsigned categories_of(uint32_t c)
{
    unsigned categories = c < 0x80 ? 0 : table_categories(c);

    if (c >= 'a' && c <= 'z')
        categories |= LATIN_LOWER;
    else if (c >= 'A' && c <= 'Z')
        categories |= LATIN_UPPER;
    else
        categories |= NOT_LATIN;
    if (clipc_is_space(c))
        categories |= SPACE;
    if (c != '\n')
        categories |= NO_NEWLINE;
    if (c == '_' || uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N))
        categories |= WORD;
    return categories;
}

static bool is_among(const char32_t *characters, uint32_t c)
{
    for (; *characters; characters++)
        if (*characters == c)
            return true;
    return false;
}

static bool rule_matches(const rule *r, const uint32_t *text, const unsigned *categories,
                         size_t count)
{
    for (size_t i = 0; i < LONGEST_RULE && (r->steps[i].categories || r->steps[i].also); i++) {
        const rule_step *step = &r->steps[i];

        if (i >= count ||
            (!(categories[i] & step->categories) && !(step->also && is_among(step->also, text[i]))))
            return false;
    }
    return true;
}

bool clipc_is_bad(const uint32_t *text, size_t count)
{
    unsigned window[LONGEST_RULE] = {0}; /* categories of text[i], text[i + 1], ... */

    for (size_t i = 0; i < LONGEST_RULE && i < count; i++)
        window[i] = categories_of(text[i]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sizeof(rules) / sizeof(rules[0]); j++)
            if ((i == 0 || !rules[j].at_start) &&
                rule_matches(&rules[j], text + i, window, count - i))
                return true;
        memmove(window, window + 1, sizeof(window) - sizeof(window[0]));
        if (i + LONGEST_RULE < count)
            window[LONGEST_RULE - 1] = categories_of(text[i + LONGEST_RULE]);
    }
    return false;
}
