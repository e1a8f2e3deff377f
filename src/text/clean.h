/* SPDX-License-Identifier: MIT */
/* Text -> the form that is split into tokens: repaired, unescaped, spaces joined, lower case. */
#ifndef CLIPC_TEXT_CLEAN_H
#define CLIPC_TEXT_CLEAN_H

#include "text/html_entities.h"

/* The tables of cleaning; immutable once made. */
typedef struct clipc_cleaner {
    clipc_charmaps charmaps;
    clipc_html_entities entities;
} clipc_cleaner;

/* False when out of memory. */
bool clipc_cleaner_init(clipc_cleaner *cleaner);
void clipc_cleaner_free(clipc_cleaner *cleaner);

/*
 * What the original does before its pattern: ftfy.fix_text, html.unescape twice, white space to
 * single spaces, lower(). text->failed is set when out of memory.
 */
void clipc_clean_text(const clipc_cleaner *cleaner, clipc_codepoints *text);

#endif
