/* SPDX-License-Identifier: MIT */
/*
 * Computes the tables of src/text/bpe_tables.h from the list of merges, at build time:
 *
 *     embed_bpe IN OUT.c
 *
 * IN has one merge a line, "left right", in order of rank.
 */
#include "text/bpe_tables.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS (CLIPC_BPE_BYTES + CLIPC_BPE_MERGES)
#define LONGEST_SYMBOL 255
#define SPELLING_PLACES ((size_t)1 << 17)
#define END_OF_WORD "</w>"
#define END_LENGTH (sizeof(END_OF_WORD) - 1)

/* A hash table to be: its hashes, and what is found for them. */
typedef struct table {
    size_t count;
    uint64_t hashes[SYMBOLS];
    uint32_t next[SYMBOLS + 1]; /* key + 1 after key + 1 in a bucket; 0: the last */
    uint32_t buckets[CLIPC_BPE_BUCKETS];
    size_t bucket_sizes[CLIPC_BPE_BUCKETS];
    uint8_t displacements[CLIPC_BPE_BUCKETS];
    uint32_t places[CLIPC_BPE_PLACES]; /* key + 1; 0: empty */
} table;

typedef struct bpe {
    uint8_t byte_ids[256];
    size_t symbols;
    char spellings[SYMBOLS][LONGEST_SYMBOL + 1]; /* by id, as the list writes them */
    uint32_t by_spelling[SPELLING_PLACES];       /* id + 1; 0: empty */
    clipc_bpe_merge merges[CLIPC_BPE_MERGES];
    clipc_bpe_word words[SYMBOLS];
    table merge_table, word_table;
} bpe;

/* --- Perfect hashing --- */

static void add_key(table *t, uint64_t hash)
{
    const size_t bucket = clipc_bpe_bucket(hash), key = t->count++;

    t->hashes[key] = hash;
    t->next[key + 1] = t->buckets[bucket];
    t->buckets[bucket] = (uint32_t)key + 1;
    t->bucket_sizes[bucket]++;
}

/* Gives the keys of a bucket their places; false, with nothing changed, when one is taken. */
static bool try_displacement(table *t, size_t bucket, uint8_t displacement)
{
    uint32_t key;

    for (key = t->buckets[bucket]; key; key = t->next[key]) {
        uint32_t *place = &t->places[clipc_bpe_place(t->hashes[key - 1], displacement)];

        if (*place)
            break;
        *place = key;
    }
    if (key == 0) {
        t->displacements[bucket] = displacement;
        return true;
    }
    for (uint32_t undo = t->buckets[bucket]; undo != key; undo = t->next[undo])
        t->places[clipc_bpe_place(t->hashes[undo - 1], displacement)] = 0;
    return false;
}

/* Full buckets first, while there is room. False when one finds no places. */
static bool place_keys(table *t)
{
    size_t largest = 0;

    for (size_t bucket = 0; bucket < CLIPC_BPE_BUCKETS; bucket++)
        if (t->bucket_sizes[bucket] > largest)
            largest = t->bucket_sizes[bucket];
    for (size_t size = largest; size > 0; size--)
        for (size_t bucket = 0; bucket < CLIPC_BPE_BUCKETS; bucket++) {
            uint32_t displacement = 0;

            while (t->bucket_sizes[bucket] == size &&
                   !try_displacement(t, bucket, (uint8_t)displacement))
                if (++displacement > UINT8_MAX)
                    return false;
        }
    return true;
}

/* --- Symbols --- */

/* Whether a byte is written as itself: printable, and no space. */
static bool is_printable_byte(unsigned byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/* The character that stands for a byte: itself, or the next free one from U+0100 on. */
static unsigned character_of(unsigned byte)
{
    unsigned others = 0;

    if (is_printable_byte(byte))
        return byte;
    for (unsigned i = 0; i < byte; i++)
        others += !is_printable_byte(i);
    return 256 + others;
}

/* The place of a spelling, or the empty one where it belongs. */
static uint32_t *find_spelling(bpe *b, const char *text)
{
    uint32_t hash = 2166136261u;
    size_t place;

    for (const char *at = text; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    place = hash % SPELLING_PLACES;
    while (b->by_spelling[place] && strcmp(b->spellings[b->by_spelling[place] - 1], text) != 0)
        place = (place + 1) % SPELLING_PLACES;
    return &b->by_spelling[place];
}

/* The next id gets the spelling. */
static void add_symbol(bpe *b, const char *text)
{
    snprintf(b->spellings[b->symbols], sizeof(b->spellings[0]), "%s", text);
    *find_spelling(b, text) = (uint32_t)++b->symbols;
}

static void add_byte(bpe *b, unsigned byte, bool ends)
{
    const unsigned c = character_of(byte);
    char text[8];

    if (c < 0x80)
        snprintf(text, sizeof(text), "%c%s", (int)c, ends ? END_OF_WORD : "");
    else
        snprintf(text, sizeof(text), "%c%c%s", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 0x3F)),
                 ends ? END_OF_WORD : "");
    if (!ends)
        b->byte_ids[byte] = (uint8_t)b->symbols;
    add_symbol(b, text);
}

/* Ids of bytes follow the printable ones first, as the original lists them. */
static void add_bytes(bpe *b)
{
    for (int ends = 0; ends < 2; ends++)
        for (int pass = 0; pass < 2; pass++)
            for (unsigned byte = 0; byte < 256; byte++)
                if (is_printable_byte(byte) == (pass == 0))
                    add_byte(b, byte, ends);
}

/* --- Merges --- */

/* "left right": false when they are not two symbols that are known. */
static bool add_merge(bpe *b, char *line)
{
    char *space = strchr(line, ' ');
    uint32_t left, right;

    if (!space || strlen(line) > LONGEST_SYMBOL || b->symbols == SYMBOLS)
        return false;
    *space = '\0';
    left = *find_spelling(b, line);
    right = *find_spelling(b, space + 1);
    if (!left || !right)
        return false;
    b->merges[b->merge_table.count] =
        (clipc_bpe_merge){(uint16_t)(left - 1), (uint16_t)(right - 1), (uint16_t)b->symbols};
    add_key(&b->merge_table, clipc_bpe_hash_pair(left - 1, right - 1));
    memmove(space, space + 1, strlen(space + 1) + 1);
    add_symbol(b, line);
    return true;
}

static bool read_merges(bpe *b, FILE *in)
{
    char line[1024];

    while (fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\n")] = '\0';
        if (!add_merge(b, line))
            return false;
    }
    return b->symbols == SYMBOLS;
}

static unsigned find_joined(const bpe *b, unsigned left, unsigned right)
{
    const uint64_t hash = clipc_bpe_hash_pair(left, right);
    const table *t = &b->merge_table;
    const uint32_t key = t->places[clipc_bpe_place(hash, t->displacements[clipc_bpe_bucket(hash)])];
    const clipc_bpe_merge *merge = key ? &b->merges[key - 1] : NULL;

    return merge && merge->left == left && merge->right == right ? merge->joined : CLIPC_BPE_NONE;
}

/* --- Words --- */

/* Joins the pair of lowest rank until none is left, as the definition says; returns the symbols. */
static size_t encode(const bpe *b, const char *word, size_t size)
{
    unsigned ids[CLIPC_BPE_WORD_SIZE];

    for (size_t i = 0; i < size; i++)
        ids[i] = b->byte_ids[(uint8_t)word[i]] + (i + 1 == size ? 256u : 0u);
    for (;;) {
        unsigned least = CLIPC_BPE_NONE;
        size_t at = 0;

        for (size_t i = 0; i + 1 < size; i++)
            if (find_joined(b, ids[i], ids[i + 1]) < least) {
                least = find_joined(b, ids[i], ids[i + 1]);
                at = i;
            }
        if (least == CLIPC_BPE_NONE)
            return size;
        ids[at] = least;
        memmove(ids + at + 1, ids + at + 2, (size - at - 2) * sizeof(*ids));
        size--;
    }
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((uint8_t)*text >= 0x80)
            return false;
    return true;
}

/*
 * A symbol that ends a word is in the table when it is that word's only token. With a list that is
 * cut after it the word has that token still: its merges are all of lower rank.
 */
static void add_word(bpe *b, uint32_t id)
{
    const char *text = b->spellings[id];
    const size_t length = strlen(text), size = length - END_LENGTH;
    clipc_bpe_word word = {.id = id};

    if (length <= END_LENGTH || size > CLIPC_BPE_WORD_SIZE || !is_ascii(text) ||
        strcmp(text + size, END_OF_WORD) != 0 || encode(b, text, size) != 1)
        return;
    for (size_t i = 0; i < size; i++)
        if (i < 8)
            word.first |= (uint64_t)(uint8_t)text[i] << 8 * i;
        else
            word.rest |= (uint32_t)(uint8_t)text[i] << 8 * (i - 8);
    b->words[b->word_table.count] = word;
    add_key(&b->word_table, clipc_bpe_hash_word(word.first, word.rest));
}

static bool make_tables(bpe *b)
{
    if (!place_keys(&b->merge_table))
        return false;
    for (uint32_t id = 0; id < SYMBOLS; id++)
        add_word(b, id);
    return place_keys(&b->word_table);
}

/* --- Output --- */

static void write_displacements(const table *t, const char *name, FILE *out)
{
    fprintf(out, "const uint8_t clipc_bpe_%s_displacements[CLIPC_BPE_BUCKETS] = {", name);
    for (size_t i = 0; i < CLIPC_BPE_BUCKETS; i++)
        fprintf(out, "%s%d,", i % 16 ? "" : "\n", t->displacements[i]);
    fputs("\n};\n\n", out);
}

static void write_tables(const bpe *b, FILE *out)
{
    fputs("/* Generated by embed_bpe; do not edit. */\n#include \"text/bpe_tables.h\"\n\n", out);
    fputs("const uint8_t clipc_bpe_byte_ids[256] = {", out);
    for (size_t i = 0; i < 256; i++)
        fprintf(out, "%s%d,", i % 16 ? "" : "\n", b->byte_ids[i]);
    fputs("\n};\n\n", out);
    write_displacements(&b->merge_table, "merge", out);
    fputs("const clipc_bpe_merge clipc_bpe_merges[CLIPC_BPE_PLACES] = {\n", out);
    for (size_t i = 0; i < CLIPC_BPE_PLACES; i++) {
        const uint32_t key = b->merge_table.places[i];
        const clipc_bpe_merge empty = {CLIPC_BPE_NONE, CLIPC_BPE_NONE, CLIPC_BPE_NONE};
        const clipc_bpe_merge merge = key ? b->merges[key - 1] : empty;

        fprintf(out, "{%d,%d,%d},\n", merge.left, merge.right, merge.joined);
    }
    fputs("};\n\n", out);
    write_displacements(&b->word_table, "word", out);
    fputs("const clipc_bpe_word clipc_bpe_words[CLIPC_BPE_PLACES] = {\n", out);
    for (size_t i = 0; i < CLIPC_BPE_PLACES; i++) {
        const uint32_t key = b->word_table.places[i];
        const clipc_bpe_word word = key ? b->words[key - 1] : (clipc_bpe_word){0};

        fprintf(out, "{0x%llx,0x%lx,%lu},\n", (unsigned long long)word.first,
                (unsigned long)word.rest, (unsigned long)word.id);
    }
    fputs("};\n", out);
}

static int fail(const char *source, const char *what)
{
    fprintf(stderr, "embed_bpe: %s: %s\n", source, what);
    return 1;
}

static int write_file(const bpe *b, const char *path)
{
    FILE *out = fopen(path, "wb");
    bool failed = !out;

    if (out) {
        write_tables(b, out);
        failed = ferror(out) != 0;
        failed = fclose(out) != 0 || failed;
    }
    return failed ? fail(path, "cannot be written") : 0;
}

static int embed(bpe *b, FILE *in, char **argv)
{
    add_bytes(b);
    if (!read_merges(b, in))
        return fail(argv[1], "not CLIP's merges, \"left right\" a line");
    if (!make_tables(b))
        return fail(argv[1], "found no perfect hash; another multiplier is needed");
    return write_file(b, argv[2]);
}

int main(int argc, char **argv)
{
    FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
    bpe *b = calloc(1, sizeof(*b));
    const int result =
        in && b ? embed(b, in, argv) : fail("usage", "embed_bpe IN OUT.c, and memory");

    if (in)
        fclose(in);
    free(b);
    return result;
}
