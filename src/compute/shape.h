/* SPDX-License-Identifier: MIT */
/* The extents of a tensor, outermost first; data is contiguous and row-major. */
#ifndef CLIPC_COMPUTE_SHAPE_H
#define CLIPC_COMPUTE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#define CLIPC_SHAPE_MAX_RANK 4

typedef struct clipc_shape {
    size_t rank; /* 0: a scalar */
    size_t extent[CLIPC_SHAPE_MAX_RANK];
} clipc_shape;

static inline clipc_shape clipc_shape_0(void)
{
    return (clipc_shape){.rank = 0};
}

static inline clipc_shape clipc_shape_1(size_t a)
{
    return (clipc_shape){.rank = 1, .extent = {a}};
}

static inline clipc_shape clipc_shape_2(size_t a, size_t b)
{
    return (clipc_shape){.rank = 2, .extent = {a, b}};
}

static inline clipc_shape clipc_shape_4(size_t a, size_t b, size_t c, size_t d)
{
    return (clipc_shape){.rank = 4, .extent = {a, b, c, d}};
}

/* The number of elements; shapes are checked for overflow when they enter a program. */
static inline size_t clipc_shape_count(const clipc_shape *shape)
{
    size_t count = 1;

    for (size_t i = 0; i < shape->rank; i++)
        count *= shape->extent[i];
    return count;
}

static inline bool clipc_shape_equal(const clipc_shape *a, const clipc_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (size_t i = 0; i < a->rank; i++)
        if (a->extent[i] != b->extent[i])
            return false;
    return true;
}

#endif
