/* SPDX-License-Identifier: MIT */
/* Undoing UTF-8 that was decoded in a single-byte encoding: ftfy's fix_encoding. */
#ifndef CLIPC_TEXT_MOJIBAKE_H
#define CLIPC_TEXT_MOJIBAKE_H

#include "text/charmaps.h"

/*
 * Repairs *text until nothing changes any more; text that does not look like mojibake stays as
 * it is. text->failed is set when out of memory.
 */
void clipc_fix_encoding(const clipc_charmaps *charmaps, clipc_codepoints *text);

/* Replaces control characters 80 to 9F by what these bytes mean in Windows-1252. */
void clipc_fix_c1_controls(const clipc_charmaps *charmaps, clipc_codepoints *text);

#endif
