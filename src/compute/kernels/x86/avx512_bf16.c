/* SPDX-License-Identifier: MIT */
/*
 * The bfloat16 matrix product for AVX512_BF16: vdpbf16ps adds two products to each of sixteen sums.
 * It takes numbers below 2^-126 for zero. Tiles as for float32.
 */
#include "base/float_formats.h"
#include "base/sizes.h"
#include "compute/kernels/tiles.h"
#include "compute/kernels/x86/avx2_pack.h"
#include "compute/kernels/x86/avx512.h"

#define COLUMNS CLIPC_AVX512_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX512_TILE_ROWS

static size_t row_bytes(size_t depth)
{
    return clipc_round_up(depth * sizeof(uint16_t), 64);
}

/* [depth / 2][COLUMNS] pairs of bfloat16: the even step in the lower half. */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    uint32_t *out = panel;
    size_t k = 0;

    if (columns == COLUMNS)
        k = clipc_avx2_pack_units(weights, depth, COLUMNS, NULL, 2, clipc_avx2_bf16_pairs, panel);
    for (; k < depth; k += 2)
        for (size_t j = 0; j < COLUMNS; j++) {
            const float *weight = weights + j * depth + k;
            uint32_t pair = j < columns ? clipc_bf16_from_float(weight[0]) : 0;

            if (j < columns && k + 1 < depth)
                pair |= (uint32_t)clipc_bf16_from_float(weight[1]) << 16;
            out[k / 2 * COLUMNS + j] = pair;
        }
}

/* [depth] bfloat16, a zero after an odd depth. */
static void prepare(const float *x, size_t depth, void *row)
{
    uint16_t *out = row;
    size_t k = 0;

    for (; k + 16 <= depth; k += 16)
        _mm256_storeu_si256((__m256i *)(void *)(out + k),
                            (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + k)));
    for (; k < depth; k++)
        out[k] = clipc_bf16_from_float(x[k]);
    if (depth % 2)
        out[depth] = 0;
}

/* `rows` is a constant wherever this is inlined; pointers as in the float32 tile. */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const clipc_ahead ahead = clipc_look_ahead(product, first, rows, 0, COLUMNS * sizeof(uint16_t));
    const size_t stride = product->a_stride, depth = product->depth;
    const char *a[(TILE_ROWS + 2) / 3];
    const uint32_t *b = product->panel;
    __m512 left[TILE_ROWS], right[TILE_ROWS], sums[TILE_ROWS][2];

#pragma GCC unroll 13
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = _mm512_setzero_ps();
#pragma GCC unroll 5
    for (size_t i = 0; i < rows; i += 3)
        a[i / 3] = (const char *)product->a + (first + i) * stride;
    for (size_t k = 0; k < depth; k += 2, b += COLUMNS) {
        const __m512bh b0 = (__m512bh)_mm512_load_si512(b);
        const __m512bh b1 = (__m512bh)_mm512_load_si512(b + 16);

        _mm_prefetch(ahead.at + k * ahead.step, _MM_HINT_T1);
        _mm_prefetch(ahead.at + k * ahead.step + 64, _MM_HINT_T1);
#pragma GCC unroll 13
        for (size_t i = 0; i < rows; i++) {
            const __m512bh value =
                (__m512bh)_mm512_set1_ps(*(const float *)(const void *)(a[i / 3] + i % 3 * stride));

            left[i] = _mm512_dpbf16_ps(left[i], value, b0);
            right[i] = _mm512_dpbf16_ps(right[i], value, b1);
        }
#pragma GCC unroll 5
        for (size_t i = 0; i < rows; i += 3)
            a[i / 3] += sizeof(uint32_t);
    }
#pragma GCC unroll 13
    for (size_t i = 0; i < rows; i++) {
        sums[i][0] = left[i];
        sums[i][1] = right[i];
    }
    clipc_avx512_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

/* Ten chains, more than an instruction's latency times those that start in a cycle. */
static double arithmetic(size_t steps)
{
    const __m512bh zero = (__m512bh)_mm512_setzero_si512();
    __m512 chains[10];
    volatile float sink;

#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        chains[i] = _mm512_set1_ps((float)i); /* else they are one chain */
    for (size_t step = 0; step < steps; step++)
#pragma GCC unroll 10
        for (size_t i = 0; i < 10; i++)
            chains[i] = _mm512_dpbf16_ps(chains[i], zero, zero);
#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        sink = _mm_cvtss_f32(_mm512_castps512_ps128(chains[i]));
    (void)sink;
    return (double)steps * 10 * 32 * 2;
}

const clipc_matrix_kernel clipc_avx512_bf16 = {
    .dtype = CLIPC_DTYPE_BF16,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = 2,
    .depth_bytes = COLUMNS * sizeof(uint16_t),
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
    .arithmetic = arithmetic,
};
