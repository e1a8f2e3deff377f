/* SPDX-License-Identifier: MIT */
/* The transforms of Winograd's convolution for AVX-512, sixteen channels at a time. */
#include "compute/kernels/winograd.h"
#include "compute/kernels/x86/avx512.h"
#include "compute/kernels/x86/avx512_math.h"

#include <math.h>

#define INPUTS CLIPC_WINOGRAD_INPUTS
#define OUTPUTS CLIPC_WINOGRAD_OUTPUTS

/* y = B^T x. y may be x. */
static inline __attribute__((always_inline)) void transform_input(const __m512 *x, __m512 *y)
{
    const __m512 a = clipc_avx512_set((float)CLIPC_WINOGRAD_A);
    const __m512 b = clipc_avx512_set((float)CLIPC_WINOGRAD_B);
    const __m512 two = clipc_avx512_set(2.0f), half = clipc_avx512_set(0.5f);
    const __m512 middle = clipc_avx512_set(2.5f);
    const __m512 x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4];
    const __m512 even_a = _mm512_fnmadd_ps(two, x2, x4), odd_a = _mm512_fnmadd_ps(two, x1, x3);
    const __m512 even_b = _mm512_fnmadd_ps(half, x2, x4), odd_b = _mm512_fnmadd_ps(half, x1, x3);

    y[0] = _mm512_fnmadd_ps(middle, x2, _mm512_add_ps(x[0], x4));
    y[1] = _mm512_fmadd_ps(a, odd_a, even_a);
    y[2] = _mm512_fnmadd_ps(a, odd_a, even_a);
    y[3] = _mm512_fmadd_ps(b, odd_b, even_b);
    y[4] = _mm512_fnmadd_ps(b, odd_b, even_b);
    y[5] = _mm512_fnmadd_ps(middle, x3, _mm512_add_ps(x1, x[5]));
}

/* y = A^T m. y may be m. */
static inline __attribute__((always_inline)) void transform_output(const __m512 *m, __m512 *y)
{
    const __m512 a = clipc_avx512_set((float)CLIPC_WINOGRAD_A);
    const __m512 b = clipc_avx512_set((float)CLIPC_WINOGRAD_B);
    const __m512 two = clipc_avx512_set(2.0f), half = clipc_avx512_set(0.5f);
    const __m512 sum_a = _mm512_add_ps(m[1], m[2]);
    const __m512 sum_b = _mm512_add_ps(m[3], m[4]);
    const __m512 difference_a = _mm512_mul_ps(a, _mm512_sub_ps(m[1], m[2]));
    const __m512 difference_b = _mm512_mul_ps(b, _mm512_sub_ps(m[3], m[4]));

    y[0] = _mm512_add_ps(_mm512_add_ps(m[0], sum_a), sum_b);
    y[1] = _mm512_add_ps(difference_a, difference_b);
    y[2] = _mm512_fmadd_ps(half, sum_a, _mm512_mul_ps(two, sum_b));
    y[3] = _mm512_fmadd_ps(half, difference_a, _mm512_fmadd_ps(two, difference_b, m[5]));
}

/* Channels c to c + 15, of which `lanes` are there. */
static inline void input_channels(const float *const *pixels, size_t c, float *out,
                                  size_t point_stride, __mmask16 lanes)
{
    __m512 half[INPUTS * INPUTS];

    for (size_t column = 0; column < INPUTS; column++) {
        __m512 x[INPUTS];

#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            x[i] = _mm512_maskz_loadu_ps(lanes, pixels[i * INPUTS + column] + c);
        transform_input(x, x);
#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            half[i * INPUTS + column] = x[i];
    }
    out += c;
    for (size_t row = 0; row < INPUTS; row++) {
        __m512 y[INPUTS];

        transform_input(half + row * INPUTS, y);
#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++, out += point_stride)
            _mm512_mask_storeu_ps(out, lanes, y[i]);
    }
}

void clipc_avx512_winograd_input(const float *const *pixels, size_t channels, float *out,
                                 size_t point_stride)
{
    for (size_t c = 0; c < channels; c += 16)
        input_channels(pixels, c, out, point_stride, clipc_avx512_lanes_at(c, channels));
}

static inline __m512 mean_of_square(const __m512 *corner)
{
    return _mm512_mul_ps(clipc_avx512_set(0.25f),
                         _mm512_add_ps(_mm512_add_ps(corner[0], corner[1]),
                                       _mm512_add_ps(corner[OUTPUTS], corner[OUTPUTS + 1])));
}

/* Columns j to j + 15, of which `lanes` are there. */
static inline void output_columns(const clipc_winograd_tile *tile, size_t j, __mmask16 lanes)
{
    const __m512 bias =
        tile->bias ? _mm512_maskz_loadu_ps(lanes, tile->bias + j) : _mm512_setzero_ps();
    const __m512 least = clipc_avx512_set(tile->relu ? 0.0f : -INFINITY);
    const float *sums = tile->sums + j;
    __m512 half[OUTPUTS * INPUTS], y[OUTPUTS][OUTPUTS];

    for (size_t column = 0; column < INPUTS; column++) {
        __m512 m[INPUTS];

#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            m[i] = _mm512_maskz_loadu_ps(lanes, sums + (i * INPUTS + column) * tile->point_stride);
        transform_output(m, m);
#pragma GCC unroll 4
        for (size_t i = 0; i < OUTPUTS; i++)
            half[i * INPUTS + column] = m[i];
    }
    for (size_t row = 0; row < OUTPUTS; row++) {
        transform_output(half + row * INPUTS, y[row]);
#pragma GCC unroll 4
        for (size_t i = 0; i < OUTPUTS; i++) /* max keeps a NaN in its second operand */
            y[row][i] = _mm512_max_ps(least, _mm512_add_ps(y[row][i], bias));
    }
    for (size_t row = 0; row < tile->rows; row++)
        for (size_t place = 0; place < tile->width; place++)
            _mm512_mask_storeu_ps(
                tile->out + row * tile->row_stride + place * tile->place_stride + j, lanes,
                tile->pools ? mean_of_square(&y[2 * row][2 * place]) : y[row][place]);
}

void clipc_avx512_winograd_output(const clipc_winograd_tile *tile)
{
    for (size_t j = 0; j < tile->columns; j += 16)
        output_columns(tile, j, clipc_avx512_lanes_at(j, tile->columns));
}
