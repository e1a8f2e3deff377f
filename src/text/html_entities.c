/* SPDX-License-Identifier: MIT */
/* The table of named characters and the two ways of using it. */
#include "text/html_entities.h"

#include "base/memory.h"
#include "embedded/html_entities.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_NAME 32    /* characters that html.unescape takes for a name */
#define LONGEST_CAREFUL 24 /* letters and digits that ftfy takes for one */
#define REPLACEMENT 0xFFFDu

/* --- The table --- */

static int digit_of(uint32_t c)
{
    if (c >= '0' && c <= '9')
        return (int)c - '0';
    if (c >= 'a' && c <= 'f')
        return (int)c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? (int)c - 'A' + 10 : -1;
}

/* One line: the name, a tab, hexadecimal numbers with spaces between them. */
static const char *read_entity(clipc_html_entity *entity, const char *line)
{
    const char *at = strchr(line, '\t');

    entity->is_ftfy_only = line[0] == '^';
    entity->name = line + entity->is_ftfy_only;
    entity->name_length = (uint8_t)(at - entity->name);
    entity->count = 0;
    while (*at != '\n' && entity->count < CLIPC_ENTITY_MAX_CODEPOINTS) {
        uint32_t number = 0;

        for (at++; digit_of((uint8_t)*at) >= 0; at++)
            number = number << 4 | (uint32_t)digit_of((uint8_t)*at);
        entity->codepoints[entity->count++] = number;
    }
    return at + 1;
}

static int compare_names(const char *a, size_t a_length, const char *b, size_t b_length)
{
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int by_name(const void *a, const void *b)
{
    const clipc_html_entity *left = a, *right = b;

    return compare_names(left->name, left->name_length, right->name, right->name_length);
}

bool clipc_html_entities_init(clipc_html_entities *entities)
{
    const char *at = (const char *)clipc_embedded_html_entities;
    const char *end = at + clipc_embedded_html_entities_size;
    size_t lines = 0;

    for (const char *c = at; c < end; c++)
        lines += *c == '\n';
    entities->items = clipc_calloc(lines, sizeof(*entities->items));
    if (!entities->items)
        return false;
    entities->count = lines;
    for (size_t i = 0; i < lines; i++) /* the data are sorted as by_name() does */
        at = read_entity(&entities->items[i], at);
    return true;
}

void clipc_html_entities_free(clipc_html_entities *entities)
{
    free(entities->items);
    *entities = (clipc_html_entities){0};
}

static const clipc_html_entity *find(const clipc_html_entities *entities, const char *name,
                                     size_t length)
{
    const clipc_html_entity key = {.name = name, .name_length = (uint8_t)length};

    return bsearch(&key, entities->items, entities->count, sizeof(key), by_name);
}

/* --- References by number --- */

/* Characters that HTML forbids: their references vanish. */
static bool is_forbidden(uint32_t c)
{
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) ||
           (c >= 0x7F && c <= 0x9F) || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

static void append_number(const clipc_charmaps *charmaps, uint32_t number, clipc_codepoints *out)
{
    if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
        clipc_codepoints_append(out, REPLACEMENT);
    else if (number >= 0x80 && number <= 0x9F) /* meant in Windows-1252, as browsers know */
        clipc_codepoints_append(out, charmaps->maps[CLIPC_CHARMAP_WINDOWS1252].high[number - 0x80]);
    else if (number == 0x0D || !is_forbidden(number))
        clipc_codepoints_append(out, number);
}

/* "#12;" or "#x1F;" after an ampersand: the characters it takes, 0 when it is none. */
static size_t read_number(const uint32_t *text, size_t count, uint32_t *number)
{
    const bool is_hex = count > 1 && (text[1] == 'x' || text[1] == 'X');
    const int base = is_hex ? 16 : 10;
    size_t first = is_hex ? 2 : 1, at = first;

    *number = 0;
    for (; at < count && digit_of(text[at]) >= 0 && digit_of(text[at]) < base; at++)
        if (*number <= 0x10FFFF)
            *number = *number * (uint32_t)base + (uint32_t)digit_of(text[at]);
    if (at == first)
        return 0;
    return at < count && text[at] == ';' ? at + 1 : at;
}

/* --- References by name --- */

/* The name's beginning as ASCII; stops before what no name holds. */
static size_t to_ascii(const uint32_t *text, size_t count, char *name)
{
    size_t length = 0;

    while (length < count && text[length] < 0x80) {
        name[length] = (char)text[length];
        length++;
    }
    return length;
}

/* How many characters after an ampersand html.unescape would look up. */
static size_t name_extent(const uint32_t *text, size_t count)
{
    size_t length = 0;

    while (length < count && length < LONGEST_NAME && text[length] != '\t' &&
           text[length] != '\n' && text[length] != '\f' && text[length] != ' ' &&
           text[length] != '<' && text[length] != '&' && text[length] != '#' && text[length] != ';')
        length++;
    return length > 0 && length < count && text[length] == ';' ? length + 1 : length;
}

/* The longest name that begins there; 0 when there is none. */
static size_t read_name(const clipc_html_entities *entities, const uint32_t *text, size_t count,
                        const clipc_html_entity **entity)
{
    const size_t extent = name_extent(text, count);
    char name[LONGEST_NAME + 1];
    size_t length = to_ascii(text, extent, name);

    for (; length > 1; length--) {
        *entity = find(entities, name, length);
        if (*entity && !(*entity)->is_ftfy_only)
            return length;
    }
    return 0;
}

void clipc_html_unescape(const clipc_html_entities *entities, const clipc_charmaps *charmaps,
                         const uint32_t *text, size_t count, clipc_codepoints *out)
{
    for (size_t i = 0; i < count;) {
        const uint32_t *after = text + i + 1;
        const size_t left = count - i - 1;
        const clipc_html_entity *entity;
        uint32_t number;
        size_t used = 0;

        if (text[i] == '&' && left && after[0] == '#') {
            used = read_number(after, left, &number);
            if (used)
                append_number(charmaps, number, out);
        } else if (text[i] == '&') {
            used = read_name(entities, after, left, &entity);
            if (used)
                clipc_codepoints_append_all(out, entity->codepoints, entity->count);
        }
        if (used == 0)
            clipc_codepoints_append(out, text[i]);
        i += 1 + used;
    }
}

/* --- ftfy's way --- */

static bool is_alphanumeric(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The length of "#?[0-9A-Za-z]{1,24};" after an ampersand; 0 when it is not that. */
static size_t careful_extent(const uint32_t *text, size_t count)
{
    const size_t first = count && text[0] == '#';
    size_t at = first;

    while (at < count && at - first < LONGEST_CAREFUL && is_alphanumeric(text[at]))
        at++;
    return at > first && at < count && text[at] == ';' ? at + 1 : 0;
}

void clipc_html_unescape_carefully(const clipc_html_entities *entities,
                                   const clipc_charmaps *charmaps, const uint32_t *text,
                                   size_t count, clipc_codepoints *out)
{
    for (size_t i = 0; i < count;) {
        const uint32_t *after = text + i + 1;
        const size_t extent = text[i] == '&' ? careful_extent(after, count - i - 1) : 0;
        const clipc_html_entity *entity = NULL;
        char name[LONGEST_NAME];
        uint32_t number;
        bool is_number;

        if (extent)
            entity = find(entities, name, to_ascii(after, extent, name));
        /* A number that does not reach to the semicolon, or that is a semicolon, is left alone. */
        is_number = extent && after[0] == '#' && read_number(after, extent, &number) == extent &&
                    number != ';';
        if (entity)
            clipc_codepoints_append_all(out, entity->codepoints, entity->count);
        else if (is_number)
            append_number(charmaps, number, out);
        if (!entity && !is_number)
            clipc_codepoints_append_all(out, text + i, 1 + extent);
        i += 1 + extent;
    }
}
