/* SPDX-License-Identifier: MIT */
/* Many small allocations that are freed together. */
#ifndef CLIPC_BASE_ARENA_H
#define CLIPC_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct clipc_arena {
    struct clipc_arena_block *blocks; /* newest first; NULL while empty */
} clipc_arena;

/* size bytes, zeroed, aligned for any scalar type; NULL when out of memory. size may be 0. */
void *clipc_arena_alloc(clipc_arena *arena, size_t size);

/* A formatted string in the arena; NULL when out of memory. */
char *clipc_arena_format(clipc_arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

void clipc_arena_free(clipc_arena *arena);

#endif
