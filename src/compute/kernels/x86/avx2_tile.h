/* SPDX-License-Identifier: MIT */
/* The tile of float32 sums for AVX2, whatever the weights are kept as. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX2_TILE_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX2_TILE_H

#include "compute/kernels/tiles.h"
#include "compute/kernels/x86/avx2.h"

/* Eight weights of a panel, as float32. */
typedef __m256 (*clipc_avx2_load_fn)(const char *weights);

/* Whether sums of a whole panel are stored as they are: of little depth, the rest would tell. */
static inline bool clipc_avx2_is_bare(const clipc_panel_product *product)
{
    return product->columns == CLIPC_AVX2_PANEL_COLUMNS && !product->bias && !product->residual &&
           product->pointwise == CLIPC_POINTWISE_NONE;
}

/*
 * `rows` is a constant wherever this is inlined, so that the sums live in registers. Each sum is
 * one chain of multiply-adds in ascending order of the depth, whatever tile its row is in. A panel
 * is [depth][16] elements of element_bytes.
 */
static inline __attribute__((always_inline)) void
clipc_avx2_float_tile(const clipc_panel_product *product, size_t first, const size_t rows,
                      const size_t element_bytes, const clipc_avx2_load_fn load)
{
    const clipc_ahead ahead =
        clipc_look_ahead(product, first, rows, 0, CLIPC_AVX2_PANEL_COLUMNS * element_bytes);
    const float *a =
        (const float *)(const void *)((const char *)product->a + first * product->a_stride);
    const char *b = product->panel;
    const size_t stride = product->a_stride / sizeof(float), depth = product->depth;
    __m256 left[CLIPC_AVX2_TILE_ROWS], right[CLIPC_AVX2_TILE_ROWS], sums[CLIPC_AVX2_TILE_ROWS][2];

#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = _mm256_setzero_ps();
#pragma GCC unroll 2
    for (size_t k = 0; k < depth; k++, b += CLIPC_AVX2_PANEL_COLUMNS * element_bytes) {
        const __m256 b0 = load(b), b1 = load(b + 8 * element_bytes);

        _mm_prefetch(ahead.at + k * ahead.step, _MM_HINT_T1);
#pragma GCC unroll 6
        for (size_t i = 0; i < rows; i++) {
            const __m256 value = _mm256_broadcast_ss(a + i * stride + k);

            left[i] = _mm256_fmadd_ps(value, b0, left[i]);
            right[i] = _mm256_fmadd_ps(value, b1, right[i]);
        }
    }
    if (clipc_avx2_is_bare(product)) {
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

#endif
