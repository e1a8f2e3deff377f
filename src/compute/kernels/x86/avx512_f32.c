/* SPDX-License-Identifier: MIT */
/*
 * The float32 matrix product for AVX-512: tiles of up to thirteen rows against one panel of
 * thirty-two columns.
 */
#include "compute/kernels/tiles.h"
#include "compute/kernels/x86/avx2_pack.h"
#include "compute/kernels/x86/avx512.h"

#define COLUMNS CLIPC_AVX512_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX512_TILE_ROWS

static size_t row_bytes(size_t depth)
{
    return depth * sizeof(float);
}

static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    clipc_avx2_pack_columns(weights, columns, depth, COLUMNS, panel);
}

/*
 * `rows` is a constant wherever this is inlined, so that the sums live in registers. Each sum is
 * one chain of multiply-adds in ascending order of the depth, whatever tile its row is in. Every
 * third row has a pointer; the two after it are reached by its distance, so that thirteen rows
 * need five registers.
 */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const clipc_ahead ahead = clipc_look_ahead(product, first, rows, 0, COLUMNS * sizeof(float));
    const size_t stride = product->a_stride, depth = product->depth;
    const char *a[(TILE_ROWS + 2) / 3];
    const float *b = product->panel;
    __m512 left[TILE_ROWS], right[TILE_ROWS], sums[TILE_ROWS][2];

#pragma GCC unroll 13
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = _mm512_setzero_ps();
#pragma GCC unroll 5
    for (size_t i = 0; i < rows; i += 3)
        a[i / 3] = (const char *)product->a + (first + i) * stride;
    for (size_t k = 0; k < depth; k++, b += COLUMNS) {
        const __m512 b0 = _mm512_load_ps(b), b1 = _mm512_load_ps(b + 16);

        _mm_prefetch(ahead.at + k * ahead.step, _MM_HINT_T1);
        _mm_prefetch(ahead.at + k * ahead.step + 64, _MM_HINT_T1);
#pragma GCC unroll 13
        for (size_t i = 0; i < rows; i++) {
            const __m512 value =
                _mm512_set1_ps(*(const float *)(const void *)(a[i / 3] + i % 3 * stride));

            left[i] = _mm512_fmadd_ps(value, b0, left[i]);
            right[i] = _mm512_fmadd_ps(value, b1, right[i]);
        }
#pragma GCC unroll 5
        for (size_t i = 0; i < rows; i += 3)
            a[i / 3] += sizeof(float);
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
    const __m512 half = _mm512_set1_ps(0.5f), one = _mm512_set1_ps(1.0f);
    __m512 chains[10];
    volatile float sink;

#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        chains[i] = _mm512_set1_ps((float)i); /* else they are one chain */
    for (size_t step = 0; step < steps; step++)
#pragma GCC unroll 10
        for (size_t i = 0; i < 10; i++)
            chains[i] = _mm512_fmadd_ps(chains[i], half, one);
#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        sink = _mm_cvtss_f32(_mm512_castps512_ps128(chains[i]));
    (void)sink;
    return (double)steps * 10 * 16 * 2;
}

const clipc_matrix_kernel clipc_avx512_f32 = {
    .dtype = CLIPC_DTYPE_F32,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = 1,
    .depth_bytes = COLUMNS * sizeof(float),
    .pack = pack,
    .row_bytes = row_bytes,
    .product = multiply,
    .arithmetic = arithmetic,
};
