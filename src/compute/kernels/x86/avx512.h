/* SPDX-License-Identifier: MIT */
/* The kernels for AVX-512: sixteen floats a register, thirty-two registers. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX512_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX512_H

#include "compute/kernels/kernels.h"

#include <immintrin.h>

/*
 * Thirteen rows of thirty-two columns: twenty-six sums, two registers of the panel, one of the
 * rows. ViT-B/32's fifty rows are two such tiles and two of twelve.
 */
#define CLIPC_AVX512_PANEL_COLUMNS 32
#define CLIPC_AVX512_TILE_ROWS 13

extern const clipc_matrix_kernel clipc_avx512_f32;
extern const clipc_matrix_kernel clipc_avx512_bf16; /* with AVX512_BF16 */
extern const clipc_matrix_kernel clipc_avx512_int8; /* with AVX512_VNNI */

/* Bias, residual, pointwise function and store of the sums of rows [first, first + rows). */
void clipc_avx512_finish(const clipc_panel_product *product, size_t first, size_t rows,
                         const __m512 (*sums)[CLIPC_AVX512_PANEL_COLUMNS / 16]);

void clipc_avx512_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                            float epsilon, float *out);
void clipc_avx512_softmax(float *x, size_t count);
void clipc_avx512_winograd_input(const float *const *pixels, size_t channels, float *out,
                                 size_t point_stride);
void clipc_avx512_winograd_output(const clipc_winograd_tile *tile);

#endif
