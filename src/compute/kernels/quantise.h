/* SPDX-License-Identifier: MIT */
/*
 * 8-bit quantisation, as every level does it.
 *
 * Weights, by output channel, symmetric: w is about scale * q, q a whole number from -127 to 127,
 * scale = max |w| / 127.
 *
 * Activations, by row, with an exact zero: x is about scale * c, c a whole number from -zero to
 * 255 - zero, scale = (high - low) / 255 where low <= 0 <= high bound the row. What follows a GELU
 * or ReLU lies almost all on one side of zero and so keeps all eight bits.
 */
#ifndef CLIPC_COMPUTE_KERNELS_QUANTISE_H
#define CLIPC_COMPUTE_KERNELS_QUANTISE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define CLIPC_INT8_LARGEST 127.0f
#define CLIPC_UINT8_LARGEST 255.0f

/* --- Weights --- */

/* The largest magnitude among count values; a NaN is passed over. */
static inline float clipc_largest_magnitude(const float *x, size_t count)
{
    float largest = 0.0f;

    for (size_t i = 0; i < count; i++)
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    return largest;
}

/* What weights are multiplied by before rounding; 0 where all are zero. */
static inline float clipc_int8_inverse_scale(float largest)
{
    return largest > 0.0f ? CLIPC_INT8_LARGEST / largest : 0.0f;
}

/* To nearest, halves to even; beyond the range (a magnitude below 2^-126, NaN) what is nearest. */
static inline int8_t clipc_int8_round(float x, float inverse_scale)
{
    const float scaled = x * inverse_scale;

    if (!(scaled > -CLIPC_INT8_LARGEST))
        return -127;
    return (int8_t)(scaled < CLIPC_INT8_LARGEST ? lrintf(scaled) : 127);
}

/* --- Activations --- */

/* A row's quantisation; what a prepared row begins with. */
typedef struct clipc_row_range {
    float scale;
    int32_t zero;  /* 0 to 255 */
    float inverse; /* what values are multiplied by before rounding; 0 where all are zero */
} clipc_row_range;

/* Widens [*low, *high], which holds 0, to hold count values; a NaN is passed over. */
static inline void clipc_row_bounds(const float *x, size_t count, float *low, float *high)
{
    for (size_t i = 0; i < count; i++) {
        *low = x[i] < *low ? x[i] : *low;
        *high = x[i] > *high ? x[i] : *high;
    }
}

/* The quantisation of a row whose values lie in [low, high]; low <= 0 <= high. */
static inline clipc_row_range clipc_row_range_of(float low, float high)
{
    const float width = high - low;
    clipc_row_range range = {.scale = width / CLIPC_UINT8_LARGEST};
    float zero;

    range.inverse = width > 0.0f ? CLIPC_UINT8_LARGEST / width : 0.0f;
    zero = -low * range.inverse;
    range.zero = zero >= 0.0f && zero < CLIPC_UINT8_LARGEST ? (int32_t)lrintf(zero) : 0;
    if (zero >= CLIPC_UINT8_LARGEST)
        range.zero = 255;
    return range;
}

/* c of a value: to nearest, halves to even, within the range; NaN as the lowest. */
static inline int16_t clipc_row_round(float x, const clipc_row_range *range)
{
    const float scaled = x * range->inverse;
    const float least = (float)-range->zero, most = (float)(255 - range->zero);

    if (!(scaled > least))
        return (int16_t)-range->zero;
    return (int16_t)(scaled < most ? lrintf(scaled) : 255 - range->zero);
}

#endif
