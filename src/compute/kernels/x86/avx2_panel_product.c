/* SPDX-License-Identifier: MIT */
/*
 * The matrix product for AVX2 and FMA: tiles of up to six rows against one panel of sixteen
 * columns.
 */
#include "compute/kernels/x86/avx2.h"
#include "compute/kernels/x86/avx2_math.h"

#define COLUMNS CLIPC_AVX2_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX2_TILE_ROWS
/* A panel is streamed from the second-level cache or beyond: ask for it this many steps ahead. */
#define PREFETCH_STEPS 16

static inline __m256 apply_pointwise(clipc_pointwise pointwise, __m256 x)
{
    switch (pointwise) {
    case CLIPC_POINTWISE_NONE: return x;
    case CLIPC_POINTWISE_QUICKGELU: return clipc_avx2_quickgelu(x);
    case CLIPC_POINTWISE_GELU: return clipc_avx2_gelu(x);
    case CLIPC_POINTWISE_RELU: return _mm256_max_ps(_mm256_setzero_ps(), x); /* keeps NaN */
    }
    return x;
}

/* Bias, residual, pointwise function and store of eight columns from `column` on. */
static inline void finish_eight(const clipc_panel_product *product, size_t row, size_t column,
                                __m256 sum)
{
    float *out = product->out + row * product->out_stride + column;
    const float *residual =
        product->residual ? product->residual + row * product->residual_stride + column : NULL;

    if (column + 8 <= product->columns) {
        if (product->bias)
            sum = _mm256_add_ps(sum, _mm256_loadu_ps(product->bias + column));
        if (residual)
            sum = _mm256_add_ps(sum, _mm256_loadu_ps(residual));
        _mm256_storeu_ps(out, apply_pointwise(product->pointwise, sum));
    } else if (column < product->columns) {
        const __m256i lanes = clipc_avx2_lanes(product->columns - column);

        if (product->bias)
            sum = _mm256_add_ps(sum, _mm256_maskload_ps(product->bias + column, lanes));
        if (residual)
            sum = _mm256_add_ps(sum, _mm256_maskload_ps(residual, lanes));
        _mm256_maskstore_ps(out, lanes, apply_pointwise(product->pointwise, sum));
    }
}

/*
 * `rows` is a constant wherever this is inlined, so that the sums live in registers. Each sum is
 * one chain of multiply-adds in ascending order of the depth, whatever tile its row is in.
 */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const float *a = product->a + first * product->a_stride;
    const float *b = product->panel;
    const size_t stride = product->a_stride, depth = product->depth;
    __m256 left[TILE_ROWS], right[TILE_ROWS];

#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = _mm256_setzero_ps();
#pragma GCC unroll 2
    for (size_t k = 0; k < depth; k++, b += COLUMNS) {
        const __m256 b0 = _mm256_load_ps(b), b1 = _mm256_load_ps(b + 8);

        _mm_prefetch((const char *)(b + PREFETCH_STEPS * COLUMNS), _MM_HINT_T0);
#pragma GCC unroll 6
        for (size_t i = 0; i < rows; i++) {
            const __m256 value = _mm256_broadcast_ss(a + i * stride + k);

            left[i] = _mm256_fmadd_ps(value, b0, left[i]);
            right[i] = _mm256_fmadd_ps(value, b1, right[i]);
        }
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++) {
        finish_eight(product, first + i, 0, left[i]);
        finish_eight(product, first + i, 8, right[i]);
    }
}

static __attribute__((noinline)) void six_rows(const clipc_panel_product *product, size_t first)
{
    tile(product, first, 6);
}

void clipc_avx2_panel_product(const clipc_panel_product *product)
{
    size_t row = 0;

    for (; row + TILE_ROWS <= product->rows; row += TILE_ROWS)
        six_rows(product, row);
    switch (product->rows - row) {
    case 1: tile(product, row, 1); break;
    case 2: tile(product, row, 2); break;
    case 3: tile(product, row, 3); break;
    case 4: tile(product, row, 4); break;
    case 5: tile(product, row, 5); break;
    default: break;
    }
}
