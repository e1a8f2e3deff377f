/* SPDX-License-Identifier: MIT */
/* HTML character references -> characters, as Python's html.unescape and ftfy's unescape_html. */
#ifndef CLIPC_TEXT_HTML_ENTITIES_H
#define CLIPC_TEXT_HTML_ENTITIES_H

#include "text/charmaps.h"

#define CLIPC_ENTITY_MAX_CODEPOINTS 4

typedef struct clipc_html_entity {
    const char
        *name; /* not NUL-terminated; without the ampersand, with its semicolon if it has one */
    uint8_t name_length;
    uint8_t count;
    bool is_ftfy_only; /* html.unescape does not know it */
    uint32_t codepoints[CLIPC_ENTITY_MAX_CODEPOINTS];
} clipc_html_entity;

typedef struct clipc_html_entities {
    clipc_html_entity *items; /* [count], owned; by name */
    size_t count;
} clipc_html_entities;

/* Fills in the table from the data compiled in; false when out of memory. */
bool clipc_html_entities_init(clipc_html_entities *entities);
void clipc_html_entities_free(clipc_html_entities *entities);

/* html.unescape: appends text with every reference resolved, by the rules of HTML 5. */
void clipc_html_unescape(const clipc_html_entities *entities, const clipc_charmaps *charmaps,
                         const uint32_t *text, size_t count, clipc_codepoints *out);

/* ftfy's more careful one: only references that end in a semicolon. */
void clipc_html_unescape_carefully(const clipc_html_entities *entities,
                                   const clipc_charmaps *charmaps, const uint32_t *text,
                                   size_t count, clipc_codepoints *out);

#endif
