/* SPDX-License-Identifier: MIT */
/* The transforms of Winograd's convolution for NEON, four channels at a time. */
#include "compute/kernels/arm/neon.h"
#include "compute/kernels/arm/neon_math.h"
#include "compute/kernels/winograd.h"

#include <math.h>

#define INPUTS CLIPC_WINOGRAD_INPUTS
#define OUTPUTS CLIPC_WINOGRAD_OUTPUTS

/* y = B^T x. y may be x. */
static inline __attribute__((always_inline)) void transform_input(const float32x4_t *x,
                                                                  float32x4_t *y)
{
    const float32x4_t a = vdupq_n_f32((float)CLIPC_WINOGRAD_A);
    const float32x4_t b = vdupq_n_f32((float)CLIPC_WINOGRAD_B);
    const float32x4_t two = vdupq_n_f32(2.0f), half = vdupq_n_f32(0.5f);
    const float32x4_t middle = vdupq_n_f32(2.5f);
    const float32x4_t x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4];
    const float32x4_t even_a = vfmsq_f32(x4, two, x2), odd_a = vfmsq_f32(x3, two, x1);
    const float32x4_t even_b = vfmsq_f32(x4, half, x2), odd_b = vfmsq_f32(x3, half, x1);

    y[0] = vfmsq_f32(vaddq_f32(x[0], x4), middle, x2);
    y[1] = vfmaq_f32(even_a, a, odd_a);
    y[2] = vfmsq_f32(even_a, a, odd_a);
    y[3] = vfmaq_f32(even_b, b, odd_b);
    y[4] = vfmsq_f32(even_b, b, odd_b);
    y[5] = vfmsq_f32(vaddq_f32(x1, x[5]), middle, x3);
}

/* y = A^T m. y may be m. */
static inline __attribute__((always_inline)) void transform_output(const float32x4_t *m,
                                                                   float32x4_t *y)
{
    const float32x4_t a = vdupq_n_f32((float)CLIPC_WINOGRAD_A);
    const float32x4_t b = vdupq_n_f32((float)CLIPC_WINOGRAD_B);
    const float32x4_t two = vdupq_n_f32(2.0f), half = vdupq_n_f32(0.5f);
    const float32x4_t sum_a = vaddq_f32(m[1], m[2]);
    const float32x4_t sum_b = vaddq_f32(m[3], m[4]);
    const float32x4_t difference_a = vmulq_f32(a, vsubq_f32(m[1], m[2]));
    const float32x4_t difference_b = vmulq_f32(b, vsubq_f32(m[3], m[4]));

    y[0] = vaddq_f32(vaddq_f32(m[0], sum_a), sum_b);
    y[1] = vaddq_f32(difference_a, difference_b);
    y[2] = vfmaq_f32(vmulq_f32(two, sum_b), half, sum_a);
    y[3] = vfmaq_f32(vfmaq_f32(m[5], two, difference_b), half, difference_a);
}

/* Channels c to c + 3, of which `count` are there; 4 or more: all. */
static inline void input_channels(const float *const *pixels, size_t c, float *out,
                                  size_t point_stride, size_t count)
{
    float32x4_t half[INPUTS * INPUTS];

    for (size_t column = 0; column < INPUTS; column++) {
        float32x4_t x[INPUTS];

#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            x[i] = clipc_neon_load(pixels[i * INPUTS + column] + c, count);
        transform_input(x, x);
#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            half[i * INPUTS + column] = x[i];
    }
    out += c;
    for (size_t row = 0; row < INPUTS; row++) {
        float32x4_t y[INPUTS];

        transform_input(half + row * INPUTS, y);
#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++, out += point_stride)
            clipc_neon_store(out, count, y[i]);
    }
}

void clipc_neon_winograd_input(const float *const *pixels, size_t channels, float *out,
                               size_t point_stride)
{
    for (size_t c = 0; c < channels; c += 4)
        input_channels(pixels, c, out, point_stride, channels - c);
}

static inline float32x4_t mean_of_square(const float32x4_t *corner)
{
    return vmulq_f32(vdupq_n_f32(0.25f),
                     vaddq_f32(vaddq_f32(corner[0], corner[1]),
                               vaddq_f32(corner[OUTPUTS], corner[OUTPUTS + 1])));
}

/* Columns j to j + 3, of which `count` are there; 4 or more: all. */
static inline void output_columns(const clipc_winograd_tile *tile, size_t j, size_t count)
{
    const float32x4_t bias =
        tile->bias ? clipc_neon_load(tile->bias + j, count) : vdupq_n_f32(0.0f);
    const float32x4_t least = vdupq_n_f32(tile->relu ? 0.0f : -INFINITY);
    const float *sums = tile->sums + j;
    float32x4_t half[OUTPUTS * INPUTS], y[OUTPUTS][OUTPUTS];

    for (size_t column = 0; column < INPUTS; column++) {
        float32x4_t m[INPUTS];

#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            m[i] = clipc_neon_load(sums + (i * INPUTS + column) * tile->point_stride, count);
        transform_output(m, m);
#pragma GCC unroll 4
        for (size_t i = 0; i < OUTPUTS; i++)
            half[i * INPUTS + column] = m[i];
    }
    for (size_t row = 0; row < OUTPUTS; row++) {
        transform_output(half + row * INPUTS, y[row]);
#pragma GCC unroll 4
        for (size_t i = 0; i < OUTPUTS; i++) /* max keeps NaN */
            y[row][i] = vmaxq_f32(least, vaddq_f32(y[row][i], bias));
    }
    for (size_t row = 0; row < tile->rows; row++)
        for (size_t place = 0; place < tile->width; place++)
            clipc_neon_store(tile->out + row * tile->row_stride + place * tile->place_stride + j,
                             count,
                             tile->pools ? mean_of_square(&y[2 * row][2 * place]) : y[row][place]);
}

void clipc_neon_winograd_output(const clipc_winograd_tile *tile)
{
    for (size_t j = 0; j < tile->columns; j += 4)
        output_columns(tile, j, tile->columns - j);
}
