/* SPDX-License-Identifier: MIT */
/*
 * The float32 matrix product for AVX2 and FMA: tiles of up to six rows against one panel of sixteen
 * columns.
 */
#include "compute/kernels/x86/avx2_pack.h"
#include "compute/kernels/x86/avx2_tile.h"

#define COLUMNS CLIPC_AVX2_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX2_TILE_ROWS

static size_t row_bytes(size_t depth)
{
    return depth * sizeof(float);
}

static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    clipc_avx2_pack_columns(weights, columns, depth, COLUMNS, panel);
}

static inline __m256 load(const char *weights)
{
    return _mm256_load_ps((const float *)(const void *)weights);
}

static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    clipc_avx2_float_tile(product, first, rows, sizeof(float), load);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

/* Ten chains, more than a multiply-add's latency times the two that start in a cycle. */
double clipc_avx2_arithmetic(size_t steps)
{
    const __m256 half = _mm256_set1_ps(0.5f), one = _mm256_set1_ps(1.0f);
    __m256 chains[10];
    volatile float sink;

#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        chains[i] = _mm256_set1_ps((float)i); /* else they are one chain */
    for (size_t step = 0; step < steps; step++)
#pragma GCC unroll 10
        for (size_t i = 0; i < 10; i++)
            chains[i] = _mm256_fmadd_ps(chains[i], half, one);
#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        sink = _mm256_cvtss_f32(chains[i]);
    (void)sink;
    return (double)steps * 10 * 8 * 2;
}

const clipc_matrix_kernel clipc_avx2_f32 = {
    .dtype = CLIPC_DTYPE_F32,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = 1,
    .depth_bytes = COLUMNS * sizeof(float),
    .pack = pack,
    .row_bytes = row_bytes,
    .product = multiply,
    .arithmetic = clipc_avx2_arithmetic,
};
