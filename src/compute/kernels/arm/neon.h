/* SPDX-License-Identifier: MIT */
/* The kernels for 64-bit ARM: four floats a register, thirty-two registers. */
#ifndef CLIPC_COMPUTE_KERNELS_ARM_NEON_H
#define CLIPC_COMPUTE_KERNELS_ARM_NEON_H

#include "compute/kernels/kernels.h"

#include <arm_neon.h>

/*
 * Eight rows of eight columns: sixteen sums, what four pipelines of four cycles keep in flight. One
 * load of each row has the next four steps of the depth (sixteen in 8 bits), one lane a step, as an
 * instruction can multiply by a lane: sixteen loads and no broadcast for sixty-four multiply-adds.
 * Sums, rows and two registers of the panel are twenty-six registers.
 */
#define CLIPC_NEON_PANEL_COLUMNS 8
#define CLIPC_NEON_TILE_ROWS 8

extern const clipc_matrix_kernel clipc_neon_f32;
extern const clipc_matrix_kernel clipc_neon_bf16;
extern const clipc_matrix_kernel clipc_neon_int8;
extern const clipc_matrix_kernel clipc_neon_dotprod_int8; /* with FEAT_DotProd */
extern const clipc_matrix_kernel clipc_neon_matrix_bf16;  /* with FEAT_BF16 */
extern const clipc_matrix_kernel clipc_neon_matrix_int8;  /* with FEAT_I8MM */

/* Bias, residual, pointwise function and store of the sums of rows [first, first + rows). */
void clipc_neon_finish(const clipc_panel_product *product, size_t first, size_t rows,
                       const float32x4_t (*sums)[CLIPC_NEON_PANEL_COLUMNS / 4]);

void clipc_neon_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                          float epsilon, float *out);
void clipc_neon_softmax(float *x, size_t count);
void clipc_neon_winograd_input(const float *const *pixels, size_t channels, float *out,
                               size_t point_stride);
void clipc_neon_winograd_output(const clipc_winograd_tile *tile);

#endif
