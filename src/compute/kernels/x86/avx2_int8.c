/* SPDX-License-Identifier: MIT */
/*
 * The 8-bit matrix product for AVX2. Products of bytes would be pairs summed in 16 bits with
 * saturation (vpmaddubsw); so weights are widened to 16 bits on the way and rows are kept so:
 * vpmaddwd then gives exact pairs in 32 bits, for the same number of multiplications.
 */
#include "base/sizes.h"
#include "compute/kernels/quantise.h"
#include "compute/kernels/tiles.h"
#include "compute/kernels/x86/avx2.h"
#include "compute/kernels/x86/avx2_pack.h"

#define COLUMNS CLIPC_AVX2_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX2_TILE_ROWS
#define HEADER 64 /* bytes: a panel's scales, a row's range */

static size_t row_bytes(size_t depth)
{
    return HEADER + clipc_round_up(depth * sizeof(int16_t), 64);
}

/* The scales of the columns, then [depth / 2][COLUMNS][2] int8. */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    int8_t *out = (int8_t *)panel + HEADER;
    const size_t padded = clipc_round_up(depth, 2);
    float inverses[COLUMNS];
    size_t k = 0;

    clipc_avx2_column_scales(weights, columns, depth, COLUMNS, panel, inverses);
    if (columns == COLUMNS)
        k = clipc_avx2_pack_halves(weights, depth, inverses, 4, clipc_avx2_int8_quads, out);
    for (; k < padded; k++)
        for (size_t j = 0; j < COLUMNS; j++)
            out[(k / 2 * COLUMNS + j) * 2 + k % 2] =
                j < columns && k < depth ? clipc_int8_round(weights[j * depth + k], inverses[j])
                                         : 0;
}

static clipc_row_range range_of(const float *x, size_t depth)
{
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    float lows[8], highs[8], least = 0.0f, most = 0.0f;
    size_t k = 0;

    /* Of a NaN, the second operand stays. */
    for (; k + 8 <= depth; k += 8) {
        low = _mm256_min_ps(_mm256_loadu_ps(x + k), low);
        high = _mm256_max_ps(_mm256_loadu_ps(x + k), high);
    }
    _mm256_storeu_ps(lows, low);
    _mm256_storeu_ps(highs, high);
    clipc_row_bounds(lows, 8, &least, &most);
    clipc_row_bounds(highs, 8, &least, &most);
    clipc_row_bounds(x + k, depth - k, &least, &most);
    return clipc_row_range_of(least, most);
}

/* Eight values as clipc_row_round. */
static inline __m256i quantise(const float *x, __m256 inverse, __m256 least, __m256 most)
{
    const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(x), inverse);

    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(scaled, least), most));
}

/* Its clipc_row_range, then [depth] int16, a zero after an odd depth. */
static void prepare(const float *x, size_t depth, void *row)
{
    const clipc_row_range range = range_of(x, depth);
    const __m256 inverse = _mm256_set1_ps(range.inverse);
    const __m256 least = _mm256_set1_ps((float)-range.zero);
    const __m256 most = _mm256_set1_ps((float)(255 - range.zero));
    int16_t *out = (int16_t *)(void *)((char *)row + HEADER);
    size_t k = 0;

    *(clipc_row_range *)row = range;
    for (; k + 16 <= depth; k += 16) {
        const __m256i first = quantise(x + k, inverse, least, most);
        const __m256i second = quantise(x + k + 8, inverse, least, most);

        _mm256_store_si256((__m256i *)(void *)(out + k),
                           _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xD8));
    }
    for (; k < depth; k++)
        out[k] = clipc_row_round(x[k], &range);
    if (depth % 2)
        out[depth] = 0;
}

/* Sixteen pairs of bytes a step: eight columns in each of two registers of 16-bit numbers. */
static inline __m256i widen(const int8_t *pairs)
{
    return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)pairs));
}

/* Eight 32-bit sums: see avx512_vnni.c for why not __m256i. */
typedef int32_t whole __attribute__((vector_size(32)));

static inline whole add_products(whole sum, __m256i a, __m256i b)
{
    return sum + (whole)_mm256_madd_epi16(a, b);
}

static inline __m256 to_floats(whole sum, __m256 scale)
{
    return _mm256_mul_ps(_mm256_cvtepi32_ps((__m256i)sum), scale);
}

/* `rows` is a constant wherever this is inlined, so that the sums live in registers. */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const clipc_ahead ahead = clipc_look_ahead(product, first, rows, HEADER, COLUMNS);
    const char *a = (const char *)product->a + first * product->a_stride;
    const int8_t *b = (const int8_t *)product->panel + HEADER;
    const __m256 *scales = product->panel;
    const size_t stride = product->a_stride, depth = product->depth;
    whole left[TILE_ROWS], right[TILE_ROWS];
    __m256 sums[TILE_ROWS][2];

#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = (whole){0};
#pragma GCC unroll 2
    for (size_t k = 0; k < depth; k += 2, b += COLUMNS * 2) {
        const __m256i b0 = widen(b), b1 = widen(b + 16);

        _mm_prefetch(ahead.at + k * ahead.step, _MM_HINT_T1);
#pragma GCC unroll 6
        for (size_t i = 0; i < rows; i++) {
            const __m256i value = _mm256_castps_si256(_mm256_broadcast_ss(
                (const float *)(const void *)(a + i * stride + HEADER + k * sizeof(int16_t))));

            left[i] = add_products(left[i], value, b0);
            right[i] = add_products(right[i], value, b1);
        }
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++) {
        const __m256 scale = _mm256_broadcast_ss((const float *)(const void *)(a + i * stride));

        sums[i][0] = to_floats(left[i], _mm256_mul_ps(scale, scales[0]));
        sums[i][1] = to_floats(right[i], _mm256_mul_ps(scale, scales[1]));
    }
    clipc_avx2_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

/* Ten chains; a chain's own sum is an operand, so that no product can be computed beforehand. */
static double arithmetic(size_t steps)
{
    const __m256i three = _mm256_set1_epi16(3);
    whole chains[10];
    volatile int32_t sink;

#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        chains[i] = (whole)_mm256_set1_epi16((int16_t)i); /* else they are one chain */
    for (size_t step = 0; step < steps; step++)
#pragma GCC unroll 10
        for (size_t i = 0; i < 10; i++)
            chains[i] = add_products(chains[i], (__m256i)chains[i], three);
#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        sink = chains[i][0];
    (void)sink;
    return (double)steps * 10 * 16 * 2;
}

const clipc_matrix_kernel clipc_avx2_int8 = {
    .dtype = CLIPC_DTYPE_INT8,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .panel_header = HEADER,
    .depth_step = 2,
    .depth_bytes = COLUMNS,
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
    .arithmetic = arithmetic,
};
