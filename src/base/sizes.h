/* SPDX-License-Identifier: MIT */
/* Sizes that come from files are multiplied and added here, where overflow is seen. */
#ifndef CLIPC_BASE_SIZES_H
#define CLIPC_BASE_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *out = a * b, or false when it does not fit. */
static inline bool clipc_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* *out = a + b, or false when it does not fit. */
static inline bool clipc_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* *out = the product of n 64-bit extents, or false when it does not fit in size_t. */
static inline bool clipc_product_size(const uint64_t *extents, size_t n, size_t *out)
{
    size_t product = 1;

    for (size_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(product, extents[i], &product))
            return false;
    *out = product;
    return true;
}

static inline size_t clipc_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t clipc_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* x rounded up to a multiple of step (step > 0; the caller knows that x is far from SIZE_MAX). */
static inline size_t clipc_round_up(size_t x, size_t step)
{
    return (x + step - 1) / step * step;
}

#endif
