/* SPDX-License-Identifier: MIT */
/*
 * Byte-pair encoding (Sennrich et al., 2016) with CLIP's merges. The original joins all places of
 * the pair of lowest rank, left to right, and looks again; a pair with a joined symbol always has a
 * higher rank, so joining one pair after another by (rank, place) does the same: short words by
 * looking at all pairs each time, long ones in n log n with a heap. Ids of joined symbols ascend
 * with the rank, and stand for it here.
 */
#include "text/bpe.h"

#include "base/memory.h"
#include "base/sizes.h"

#include <stdbool.h>
#include <string.h>

/* The id that two symbols become; CLIPC_BPE_NONE when they are not joined. */
static uint32_t find_joined(uint32_t left, uint32_t right)
{
    const uint64_t hash = clipc_bpe_hash_pair(left, right);
    const uint8_t displacement = clipc_bpe_merge_displacements[clipc_bpe_bucket(hash)];
    const clipc_bpe_merge merge = clipc_bpe_merges[clipc_bpe_place(hash, displacement)];
    const bool is_found = (merge.left == left) & (merge.right == right); /* both: no branch */

    return is_found ? merge.joined : CLIPC_BPE_NONE;
}

static uint32_t byte_symbol(const uint8_t *word, size_t size, size_t i)
{
    return clipc_bpe_byte_ids[word[i]] + (i + 1 == size ? 256u : 0u);
}

/* --- Short words --- */

/* A symbol of a word: the id that it and the next become is above its own, so that they compare. */
#define PACK(joined, id) ((joined) << 16 | (id))
#define JOINED(item) ((item) >> 16)
#define ID(item) ((item)&0xFFFFu)

/* The lesser by (joined, place), which is what both hold. */
static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/*
 * Joins the symbols at `at` and after it, of `count`; returns the pair to join next as PACK(joined,
 * place). The two look-ups are begun first, for the loops to run while memory answers.
 */
static uint32_t join_at(uint32_t *items, size_t count, size_t at)
{
    const uint32_t id = JOINED(items[at]);
    const uint32_t before = at > 0 ? find_joined(ID(items[at - 1]), id) : CLIPC_BPE_NONE;
    const uint32_t after = at + 2 < count ? find_joined(id, ID(items[at + 2])) : CLIPC_BPE_NONE;
    uint32_t least = PACK(after, (uint32_t)at);

    for (size_t i = 0; i + 1 < at; i++)
        least = least_of(least, PACK(JOINED(items[i]), (uint32_t)i));
    for (size_t i = at + 1; i + 1 < count; i++) {
        items[i] = items[i + 1];
        least = least_of(least, PACK(JOINED(items[i]), (uint32_t)i));
    }
    items[at] = PACK(after, id);
    if (at > 0) {
        items[at - 1] = PACK(before, ID(items[at - 1]));
        least = least_of(least, PACK(before, (uint32_t)at - 1));
    }
    return least;
}

size_t clipc_bpe_encode_short(uint32_t symbols, const uint8_t *word, size_t size, int32_t *ids)
{
    uint32_t items[CLIPC_BPE_SHORT];
    uint32_t least = PACK(CLIPC_BPE_NONE, 0u), next = byte_symbol(word, size, 0);
    size_t count = size;

    for (size_t i = 0; i + 1 < size; i++) {
        const uint32_t id = next, joined = find_joined(id, next = byte_symbol(word, size, i + 1));

        items[i] = PACK(joined, id);
        least = least_of(least, PACK(joined, (uint32_t)i));
    }
    items[size - 1] = PACK(CLIPC_BPE_NONE, next);
    while (JOINED(least) < symbols)
        least = join_at(items, count--, ID(least));
    for (size_t i = 0; i < count; i++)
        ids[i] = (int32_t)ID(items[i]);
    return count;
}

/* --- Words of any length --- */

/* A symbol of the word, in a doubly linked list by place. */
typedef struct node {
    uint32_t id, bytes;
    uint32_t before, after; /* places; the word's size: none */
} node;

/* A pair that could be joined: the symbol at `place` and the one after it, when it was seen. */
typedef struct candidate {
    uint32_t joined, place, left, right;
} candidate;

typedef struct word_state {
    uint32_t symbols;
    node *nodes;
    candidate *heap; /* the least (joined, place) first */
    size_t heap_count;
    uint32_t size;
} word_state;

static bool is_less(const candidate *a, const candidate *b)
{
    return a->joined != b->joined ? a->joined < b->joined : a->place < b->place;
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
    uint32_t joined;

    if (left->after == state->size)
        return;
    joined = find_joined(left->id, state->nodes[left->after].id);
    if (joined < state->symbols)
        push(state, (candidate){joined, place, left->id, state->nodes[left->after].id});
}

/* Joins the pair unless one of its symbols has been joined with another since. */
static void join(word_state *state, const candidate *pair)
{
    node *left = &state->nodes[pair->place], *right;

    if (left->bytes == 0 || left->id != pair->left || left->after == state->size ||
        state->nodes[left->after].id != pair->right)
        return;
    right = &state->nodes[left->after];
    left->id = pair->joined;
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

size_t clipc_bpe_encode(uint32_t symbols, const uint8_t *word, size_t size, clipc_bpe_token *tokens,
                        clipc_bpe_scratch *scratch)
{
    word_state state = {.symbols = symbols};
    size_t count = 0;

    if (!reserve(scratch, size, &state))
        return 0;
    for (uint32_t i = 0; i < state.size; i++)
        state.nodes[i] = (node){
            .id = byte_symbol(word, size, i),
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
