/* SPDX-License-Identifier: MIT */
/*
 * Symmetric 8-bit quantisation, as every level does it: x is about scale * q, q a whole number from
 * -127 to 127, scale = max |x| / 127.
 */
#ifndef CLIPC_COMPUTE_KERNELS_QUANTISE_H
#define CLIPC_COMPUTE_KERNELS_QUANTISE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define CLIPC_INT8_LARGEST 127.0f

/* The largest magnitude among count values; a NaN is passed over. */
static inline float clipc_largest_magnitude(const float *x, size_t count)
{
    float largest = 0.0f;

    for (size_t i = 0; i < count; i++)
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    return largest;
}

/* What values are multiplied by before rounding; 0 where all are zero. */
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

#endif
