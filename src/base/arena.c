/* SPDX-License-Identifier: MIT */
/* Many small allocations that are freed together. */
#include "base/arena.h"

#include "base/sizes.h"

#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t)16384)
#define UNIT _Alignof(max_align_t)

typedef struct clipc_arena_block {
    struct clipc_arena_block *older;
    size_t used, capacity;
    max_align_t memory[];
} clipc_arena_block;

void *clipc_arena_alloc(clipc_arena *arena, size_t size)
{
    clipc_arena_block *block = arena->blocks;
    size_t rounded, bytes;
    char *start;

    if (!clipc_add_size(size, UNIT - 1, &rounded))
        return NULL;
    rounded = rounded / UNIT * UNIT;
    if (!block || rounded > block->capacity - block->used) {
        size_t capacity = clipc_max_size(BLOCK_SIZE, rounded);

        if (!clipc_add_size(sizeof(*block), capacity, &bytes))
            return NULL;
        block = calloc(1, bytes);
        if (!block)
            return NULL;
        block->capacity = capacity;
        block->older = arena->blocks;
        arena->blocks = block;
    }
    start = (char *)block->memory + block->used;
    block->used += rounded;
    return start;
}

char *clipc_arena_format(clipc_arena *arena, const char *format, va_list arguments)
{
    va_list again;
    char *text;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return NULL;
    text = clipc_arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

void clipc_arena_free(clipc_arena *arena)
{
    while (arena->blocks) {
        clipc_arena_block *older = arena->blocks->older;

        free(arena->blocks);
        arena->blocks = older;
    }
}
