/* SPDX-License-Identifier: MIT */
/* The kernels for AVX2 and FMA: eight floats a register, sixteen registers. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX2_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX2_H

#include "compute/kernels/kernels.h"

#include <immintrin.h>

/*
 * Six rows of sixteen columns: twelve sums, two registers of the panel, one of the rows. Each step
 * of the depth is twelve multiply-adds for two loads and six broadcasts, what two ports of each
 * kind can sustain.
 */
#define CLIPC_AVX2_PANEL_COLUMNS 16
#define CLIPC_AVX2_TILE_ROWS 6

extern const clipc_matrix_kernel clipc_avx2_f32;
extern const clipc_matrix_kernel clipc_avx2_bf16;
extern const clipc_matrix_kernel clipc_avx2_int8;

/* Bias, residual, pointwise function and store of the sums of rows [first, first + rows). */
void clipc_avx2_finish(const clipc_panel_product *product, size_t first, size_t rows,
                       const __m256 (*sums)[CLIPC_AVX2_PANEL_COLUMNS / 8]);

/* clipc_matrix_kernel.arithmetic of multiply-adds in float32. */
double clipc_avx2_arithmetic(size_t steps);

void clipc_avx2_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                          float epsilon, float *out);
void clipc_avx2_softmax(float *x, size_t count);
void clipc_avx2_winograd_input(const float *const *pixels, size_t channels, float *out,
                               size_t point_stride);
void clipc_avx2_winograd_output(const clipc_winograd_tile *tile);

#endif
