/* SPDX-License-Identifier: MIT */
/* Checked allocation: arrays whose size cannot overflow, and blocks aligned for vector loads. */
#ifndef CLIPC_BASE_MEMORY_H
#define CLIPC_BASE_MEMORY_H

#include <stddef.h>

/* One cache line; also the widest vector register. */
#define CLIPC_ALIGNMENT 64

/* count * size bytes, zeroed; NULL when out of memory, on overflow, or when either is 0. free(). */
void *clipc_calloc(size_t count, size_t size);

/* count * size bytes at a multiple of CLIPC_ALIGNMENT, not cleared; NULL as above. free(). */
void *clipc_alloc_aligned(size_t count, size_t size);

/*
 * Has the system give memory for the pages of a block that was not written yet, all in one step,
 * for which it takes less time than for a fault of each; where it cannot, nothing happens.
 */
void clipc_prefault(void *block, size_t bytes);

/*
 * Grows *array (count elements of `size` bytes, *capacity allocated) so that `needed` fit; at least
 * doubles. 0 on success, -1 (array unchanged) when out of memory or on overflow.
 */
int clipc_grow(void *array, size_t *capacity, size_t needed, size_t size);

/* A copy of length bytes of text with a NUL after them; NULL when out of memory. free(). */
char *clipc_copy_text(const char *text, size_t length);

#endif
