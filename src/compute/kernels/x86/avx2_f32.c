/* SPDX-License-Identifier: MIT */
/*
 * The float32 matrix product for AVX2 and FMA: tiles of up to six rows against one panel of sixteen
 * columns.
 */
#include "compute/kernels/tiles.h"
#include "compute/kernels/x86/avx2.h"
#include "compute/kernels/x86/avx2_pack.h"

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

/* Whether sums of a whole panel are stored as they are: of little depth, the rest would tell. */
static inline bool is_bare(const clipc_panel_product *product)
{
    return product->columns == COLUMNS && !product->bias && !product->residual &&
           product->pointwise == CLIPC_POINTWISE_NONE;
}

/*
 * `rows` is a constant wherever this is inlined, so that the sums live in registers. Each sum is
 * one chain of multiply-adds in ascending order of the depth, whatever tile its row is in.
 */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const clipc_ahead ahead = clipc_look_ahead(product, first, rows, 0, COLUMNS * sizeof(float));
    const float *a =
        (const float *)(const void *)((const char *)product->a + first * product->a_stride);
    const float *b = product->panel;
    const size_t stride = product->a_stride / sizeof(float), depth = product->depth;
    __m256 left[TILE_ROWS], right[TILE_ROWS], sums[TILE_ROWS][2];

#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = _mm256_setzero_ps();
#pragma GCC unroll 2
    for (size_t k = 0; k < depth; k++, b += COLUMNS) {
        const __m256 b0 = _mm256_load_ps(b), b1 = _mm256_load_ps(b + 8);

        _mm_prefetch(ahead.at + k * ahead.step, _MM_HINT_T1);
#pragma GCC unroll 6
        for (size_t i = 0; i < rows; i++) {
            const __m256 value = _mm256_broadcast_ss(a + i * stride + k);

            left[i] = _mm256_fmadd_ps(value, b0, left[i]);
            right[i] = _mm256_fmadd_ps(value, b1, right[i]);
        }
    }
    if (is_bare(product)) {
        float *out = product->out + first * product->out_stride;

#pragma GCC unroll 6
        for (size_t i = 0; i < rows; i++, out += product->out_stride) {
            _mm256_storeu_ps(out, left[i]);
            _mm256_storeu_ps(out + 8, right[i]);
        }
        return;
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++) {
        sums[i][0] = left[i];
        sums[i][1] = right[i];
    }
    clipc_avx2_finish(product, first, rows, sums);
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
