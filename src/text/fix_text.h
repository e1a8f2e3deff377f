/* SPDX-License-Identifier: MIT */
/* ftfy.fix_text with its default settings: mojibake, ligatures, widths, quotes, controls, NFC. */
#ifndef CLIPC_TEXT_FIX_TEXT_H
#define CLIPC_TEXT_FIX_TEXT_H

#include "text/html_entities.h"

/* Repairs *text; text->failed is set when out of memory. */
void clipc_fix_text(const clipc_charmaps *charmaps, const clipc_html_entities *entities,
                    clipc_codepoints *text);

#endif
