/* SPDX-License-Identifier: MIT */
/* The transforms of Winograd's convolution for AVX2 and FMA, eight channels at a time. */
#include "compute/kernels/winograd.h"
#include "compute/kernels/x86/avx2.h"
#include "compute/kernels/x86/avx2_math.h"

#include <math.h>

#define INPUTS CLIPC_WINOGRAD_INPUTS
#define OUTPUTS CLIPC_WINOGRAD_OUTPUTS

/* y = B^T x. y may be x. */
static inline __attribute__((always_inline)) void transform_input(const __m256 *x, __m256 *y)
{
    const __m256 a = clipc_avx2_set((float)CLIPC_WINOGRAD_A);
    const __m256 b = clipc_avx2_set((float)CLIPC_WINOGRAD_B);
    const __m256 two = clipc_avx2_set(2.0f), half = clipc_avx2_set(0.5f);
    const __m256 middle = clipc_avx2_set(2.5f);
    const __m256 x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4];
    const __m256 even_a = _mm256_fnmadd_ps(two, x2, x4), odd_a = _mm256_fnmadd_ps(two, x1, x3);
    const __m256 even_b = _mm256_fnmadd_ps(half, x2, x4), odd_b = _mm256_fnmadd_ps(half, x1, x3);

    y[0] = _mm256_fnmadd_ps(middle, x2, _mm256_add_ps(x[0], x4));
    y[1] = _mm256_fmadd_ps(a, odd_a, even_a);
    y[2] = _mm256_fnmadd_ps(a, odd_a, even_a);
    y[3] = _mm256_fmadd_ps(b, odd_b, even_b);
    y[4] = _mm256_fnmadd_ps(b, odd_b, even_b);
    y[5] = _mm256_fnmadd_ps(middle, x3, _mm256_add_ps(x1, x[5]));
}

/* y = A^T m. y may be m. */
static inline __attribute__((always_inline)) void transform_output(const __m256 *m, __m256 *y)
{
    const __m256 a = clipc_avx2_set((float)CLIPC_WINOGRAD_A);
    const __m256 b = clipc_avx2_set((float)CLIPC_WINOGRAD_B);
    const __m256 two = clipc_avx2_set(2.0f), half = clipc_avx2_set(0.5f);
    const __m256 sum_a = _mm256_add_ps(m[1], m[2]);
    const __m256 sum_b = _mm256_add_ps(m[3], m[4]);
    const __m256 difference_a = _mm256_mul_ps(a, _mm256_sub_ps(m[1], m[2]));
    const __m256 difference_b = _mm256_mul_ps(b, _mm256_sub_ps(m[3], m[4]));

    y[0] = _mm256_add_ps(_mm256_add_ps(m[0], sum_a), sum_b);
    y[1] = _mm256_add_ps(difference_a, difference_b);
    y[2] = _mm256_fmadd_ps(half, sum_a, _mm256_mul_ps(two, sum_b));
    y[3] = _mm256_fmadd_ps(half, difference_a, _mm256_fmadd_ps(two, difference_b, m[5]));
}

static inline __attribute__((always_inline)) __m256 load(const float *x, __m256i lanes,
                                                         const bool whole)
{
    return whole ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, lanes);
}

static inline __attribute__((always_inline)) void store(float *x, __m256i lanes, const bool whole,
                                                        __m256 value)
{
    if (whole)
        _mm256_storeu_ps(x, value);
    else
        _mm256_maskstore_ps(x, lanes, value);
}

/* Channels c to c + 7, of which `lanes` are there. */
static inline __attribute__((always_inline)) void input_channels(const float *const *pixels,
                                                                 size_t c, float *out,
                                                                 size_t point_stride, __m256i lanes,
                                                                 const bool whole)
{
    __m256 half[INPUTS * INPUTS];

    for (size_t column = 0; column < INPUTS; column++) {
        __m256 x[INPUTS];

#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            x[i] = load(pixels[i * INPUTS + column] + c, lanes, whole);
        transform_input(x, x);
#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            half[i * INPUTS + column] = x[i];
    }
    out += c;
    for (size_t row = 0; row < INPUTS; row++) {
        __m256 y[INPUTS];

        transform_input(half + row * INPUTS, y);
#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++, out += point_stride)
            store(out, lanes, whole, y[i]);
    }
}

void clipc_avx2_winograd_input(const float *const *pixels, size_t channels, float *out,
                               size_t point_stride)
{
    size_t c = 0;

    for (; c + 8 <= channels; c += 8)
        input_channels(pixels, c, out, point_stride, _mm256_setzero_si256(), true);
    if (c < channels)
        input_channels(pixels, c, out, point_stride, clipc_avx2_lanes(channels - c), false);
}

static inline __m256 mean_of_square(const __m256 *corner)
{
    return _mm256_mul_ps(clipc_avx2_set(0.25f),
                         _mm256_add_ps(_mm256_add_ps(corner[0], corner[1]),
                                       _mm256_add_ps(corner[OUTPUTS], corner[OUTPUTS + 1])));
}

/* Columns j to j + 7, of which `lanes` are there. */
static inline __attribute__((always_inline)) void
output_columns(const clipc_winograd_tile *tile, size_t j, __m256i lanes, const bool whole)
{
    const __m256 bias = tile->bias ? load(tile->bias + j, lanes, whole) : _mm256_setzero_ps();
    const __m256 least = clipc_avx2_set(tile->relu ? 0.0f : -INFINITY);
    const float *sums = tile->sums + j;
    __m256 half[OUTPUTS * INPUTS], y[OUTPUTS][OUTPUTS];

    for (size_t column = 0; column < INPUTS; column++) {
        __m256 m[INPUTS];

#pragma GCC unroll 6
        for (size_t i = 0; i < INPUTS; i++)
            m[i] = load(sums + (i * INPUTS + column) * tile->point_stride, lanes, whole);
        transform_output(m, m);
#pragma GCC unroll 4
        for (size_t i = 0; i < OUTPUTS; i++)
            half[i * INPUTS + column] = m[i];
    }
    for (size_t row = 0; row < OUTPUTS; row++) {
        transform_output(half + row * INPUTS, y[row]);
#pragma GCC unroll 4
        for (size_t i = 0; i < OUTPUTS; i++) /* max keeps a NaN in its second operand */
            y[row][i] = _mm256_max_ps(least, _mm256_add_ps(y[row][i], bias));
    }
    for (size_t row = 0; row < tile->rows; row++)
        for (size_t place = 0; place < tile->width; place++) {
            float *out = tile->out + row * tile->row_stride + place * tile->place_stride + j;

            store(out, lanes, whole,
                  tile->pools ? mean_of_square(&y[2 * row][2 * place]) : y[row][place]);
        }
}

void clipc_avx2_winograd_output(const clipc_winograd_tile *tile)
{
    size_t j = 0;

    for (; j + 8 <= tile->columns; j += 8)
        output_columns(tile, j, _mm256_setzero_si256(), true);
    if (j < tile->columns)
        output_columns(tile, j, clipc_avx2_lanes(tile->columns - j), false);
}
