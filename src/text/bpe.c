/* SPDX-License-Identifier: MIT */
/*
 * Byte-pair encoding (Sennrich et al., 2016) with CLIP's merges. The original joins all places of
 * the pair of lowest rank, left to right, and looks again; a pair with a joined symbol always has a
 * higher rank, so a heap of pairs by (rank, place) does the same in n log n.
 */
#include "text/bpe.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "embedded/bpe_merges.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_SYMBOL 256
#define TABLE_BITS 17 /* 2^17 places for up to 48,894 merges: less than half full */
#define TABLE_SIZE ((size_t)1 << TABLE_BITS)
#define NO_MERGE UINT32_MAX
#define END_OF_WORD "</w>"

/* A place of the hash table: a pair of ids, and the rank of the merge that joins them. */
typedef struct merge {
    uint32_t pair; /* left << 16 | right */
    uint32_t rank; /* NO_MERGE: the place is empty */
} merge;

struct clipc_bpe {
    uint32_t byte_ids[256];
    merge table[TABLE_SIZE];
};

static size_t hash_pair(uint32_t pair)
{
    return (size_t)((pair * 0x9E3779B1u) >> (32 - TABLE_BITS));
}

static merge *find_place(clipc_bpe *bpe, uint32_t pair)
{
    size_t place = hash_pair(pair);

    while (bpe->table[place].rank != NO_MERGE && bpe->table[place].pair != pair)
        place = (place + 1) & (TABLE_SIZE - 1);
    return &bpe->table[place];
}

static uint32_t rank_of(const clipc_bpe *bpe, uint32_t left, uint32_t right)
{
    const uint32_t pair = left << 16 | right;
    size_t place = hash_pair(pair);

    while (bpe->table[place].rank != NO_MERGE && bpe->table[place].pair != pair)
        place = (place + 1) & (TABLE_SIZE - 1);
    return bpe->table[place].rank;
}

/* --- Reading the list --- */

/* The list spells symbols as text: ids are found again by their spelling. */
typedef struct symbol {
    const char *text;
    uint16_t length;
    uint16_t id;
} symbol;

typedef struct symbols {
    symbol *table; /* [TABLE_SIZE]; length 0: empty */
    char (*byte_texts)[8];
    char *joined; /* the texts of merged symbols, one after another */
    size_t joined_size;
} symbols;

static symbol *find_symbol(const symbols *known, const char *text, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    for (size_t place = hash & (TABLE_SIZE - 1);; place = (place + 1) & (TABLE_SIZE - 1)) {
        symbol *s = &known->table[place];

        if (s->length == 0 || (s->length == length && memcmp(s->text, text, length) == 0))
            return s;
    }
}

/* Whether a byte is written as itself: printable, and no space. */
static bool is_printable_byte(unsigned byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/* The character that stands for a byte: itself, or the next free one from U+0100 on. */
static uint32_t character_of(unsigned byte)
{
    uint32_t others = 0;

    if (is_printable_byte(byte))
        return byte;
    for (unsigned i = 0; i < byte; i++)
        others += !is_printable_byte(i);
    return 256 + others;
}

/* Ids of bytes follow the printable ones first, as the original lists them. */
static void number_bytes(clipc_bpe *bpe)
{
    uint32_t next = 0;

    for (int pass = 0; pass < 2; pass++)
        for (unsigned byte = 0; byte < 256; byte++)
            if (is_printable_byte(byte) == (pass == 0))
                bpe->byte_ids[byte] = next++;
}

static void add_byte_symbols(const clipc_bpe *bpe, symbols *known)
{
    for (unsigned byte = 0; byte < 256; byte++)
        for (unsigned ends = 0; ends < 2; ends++) {
            char *text = known->byte_texts[2 * byte + ends];
            const uint32_t c = character_of(byte);
            size_t length = 0;
            symbol *s;

            if (c >= 0x80)
                text[length++] = (char)(0xC0 | c >> 6);
            text[length++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c);
            memcpy(text + length, END_OF_WORD, ends ? strlen(END_OF_WORD) : 0);
            length += ends ? strlen(END_OF_WORD) : 0;
            s = find_symbol(known, text, length);
            *s = (symbol){text, (uint16_t)length, (uint16_t)(bpe->byte_ids[byte] + 256 * ends)};
        }
}

/* "left right\n": the pair gets its rank, the joined symbol its id. False for a malformed line. */
static bool add_merge(clipc_bpe *bpe, symbols *known, const char *line, size_t length,
                      uint32_t rank)
{
    const char *space = memchr(line, ' ', length);
    const size_t left_length = space ? (size_t)(space - line) : 0;
    const size_t right_length = space ? length - left_length - 1 : 0;
    const symbol *left, *right;
    symbol *joined;
    char *text = known->joined + known->joined_size;

    if (!space || length > LONGEST_SYMBOL)
        return false;
    left = find_symbol(known, line, left_length);
    right = find_symbol(known, space + 1, right_length);
    if (!left->length || !right->length)
        return false;
    *find_place(bpe, (uint32_t)left->id << 16 | right->id) =
        (merge){(uint32_t)left->id << 16 | right->id, rank};
    memcpy(text, line, left_length);
    memcpy(text + left_length, space + 1, right_length);
    joined = find_symbol(known, text, left_length + right_length);
    *joined =
        (symbol){text, (uint16_t)(left_length + right_length), (uint16_t)(CLIPC_BPE_BYTES + rank)};
    known->joined_size += left_length + right_length;
    return true;
}

static bool read_merges(clipc_bpe *bpe, symbols *known, size_t merges)
{
    const char *at = (const char *)clipc_embedded_bpe_merges;
    const char *end = at + clipc_embedded_bpe_merges_size;

    for (size_t i = 0; i < TABLE_SIZE; i++)
        bpe->table[i].rank = NO_MERGE;
    number_bytes(bpe);
    add_byte_symbols(bpe, known);
    for (size_t rank = 0; rank < merges; rank++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        if (!newline || !add_merge(bpe, known, at, (size_t)(newline - at), (uint32_t)rank))
            return false;
        at = newline + 1;
    }
    return true;
}

clipc_status clipc_bpe_open(clipc_bpe **out, size_t merges, clipc_error *error)
{
    clipc_bpe *bpe = clipc_calloc(1, sizeof(*bpe));
    symbols known = {
        .table = clipc_calloc(TABLE_SIZE, sizeof(symbol)),
        .byte_texts = clipc_calloc(CLIPC_BPE_BYTES, sizeof(*known.byte_texts)),
        .joined = clipc_calloc(clipc_embedded_bpe_merges_size, 1),
    };
    const bool has_memory = bpe && known.table && known.byte_texts && known.joined;
    const bool is_read = has_memory && read_merges(bpe, &known, merges);

    free(known.table);
    free(known.byte_texts);
    free(known.joined);
    *out = is_read ? bpe : NULL;
    if (is_read)
        return CLIPC_OK;
    free(bpe);
    return has_memory ? clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                                   "tokenizer: CLIP's list does not have %zu merges", merges)
                      : clipc_fail_memory(error, "tokenizer", sizeof(*bpe));
}

void clipc_bpe_close(clipc_bpe *bpe)
{
    free(bpe);
}

/* --- Encoding --- */

/* A symbol of the word, in a doubly linked list by place. */
typedef struct node {
    uint32_t id, bytes;
    uint32_t before, after; /* places; the word's size: none */
} node;

/* A pair that could be joined: the symbol at `place` and the one after it, when it was seen. */
typedef struct candidate {
    uint32_t rank, place, left, right;
} candidate;

typedef struct word_state {
    const clipc_bpe *bpe;
    node *nodes;
    candidate *heap; /* the least (rank, place) first */
    size_t heap_count;
    uint32_t size;
} word_state;

static bool is_less(const candidate *a, const candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->place < b->place;
}

static void push(word_state *state, candidate added)
{
    size_t i = state->heap_count++;

    while (i > 0 && is_less(&added, &state->heap[(i - 1) / 2])) {
        state->heap[i] = state->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    state->heap[i] = added;
}

static candidate pop(word_state *state)
{
    const candidate least = state->heap[0], last = state->heap[--state->heap_count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= state->heap_count)
            break;
        if (child + 1 < state->heap_count && is_less(&state->heap[child + 1], &state->heap[child]))
            child++;
        if (!is_less(&state->heap[child], &last))
            break;
        state->heap[i] = state->heap[child];
        i = child;
    }
    state->heap[i] = last;
    return least;
}

static void consider(word_state *state, uint32_t place)
{
    const node *left = &state->nodes[place];
    uint32_t rank;

    if (left->after == state->size)
        return;
    rank = rank_of(state->bpe, left->id, state->nodes[left->after].id);
    if (rank != NO_MERGE)
        push(state, (candidate){rank, place, left->id, state->nodes[left->after].id});
}

/* Joins the pair unless one of its symbols has been joined with another since. */
static void join(word_state *state, const candidate *pair)
{
    node *left = &state->nodes[pair->place], *right;

    if (left->bytes == 0 || left->id != pair->left || left->after == state->size ||
        state->nodes[left->after].id != pair->right)
        return;
    right = &state->nodes[left->after];
    left->id = CLIPC_BPE_BYTES + pair->rank;
    left->bytes += right->bytes;
    left->after = right->after;
    right->bytes = 0; /* gone */
    if (left->after != state->size)
        state->nodes[left->after].before = pair->place;
    if (left->before != state->size)
        consider(state, left->before);
    consider(state, pair->place);
}

/* Room for the nodes, and for the candidates: n - 1 at first, two more a join. */
static bool reserve(clipc_bpe_scratch *scratch, size_t size, word_state *state)
{
    size_t bytes;

    if (size >= UINT32_MAX || !clipc_mul_size(size, sizeof(node) + 3 * sizeof(candidate), &bytes) ||
        (bytes > scratch->capacity &&
         clipc_grow(&scratch->items, &scratch->capacity, bytes, 1) != 0))
        return false;
    state->nodes = scratch->items;
    state->heap = (candidate *)(void *)(state->nodes + size);
    state->size = (uint32_t)size;
    return true;
}

size_t clipc_bpe_encode(const clipc_bpe *bpe, const uint8_t *word, size_t size,
                        clipc_bpe_token *tokens, clipc_bpe_scratch *scratch)
{
    word_state state = {.bpe = bpe};
    size_t count = 0;

    if (!reserve(scratch, size, &state))
        return 0;
    for (uint32_t i = 0; i < state.size; i++)
        state.nodes[i] = (node){
            .id = bpe->byte_ids[word[i]] + (i + 1 == state.size ? 256 : 0),
            .bytes = 1,
            .before = i ? i - 1 : state.size,
            .after = i + 1,
        };
    for (uint32_t i = 0; i < state.size; i++)
        consider(&state, i);
    while (state.heap_count) {
        const candidate pair = pop(&state);

        join(&state, &pair);
    }
    for (uint32_t i = 0; i != state.size; i = state.nodes[i].after)
        tokens[count++] = (clipc_bpe_token){(int32_t)state.nodes[i].id, state.nodes[i].bytes};
    return count;
}
