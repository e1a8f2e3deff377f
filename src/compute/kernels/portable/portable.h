/* SPDX-License-Identifier: MIT */
/* The kernels in plain C, slow and obvious: the oracle for every other level. */
#ifndef CLIPC_COMPUTE_KERNELS_PORTABLE_PORTABLE_H
#define CLIPC_COMPUTE_KERNELS_PORTABLE_PORTABLE_H

#include "compute/kernels/kernels.h"

/* Eight columns and four rows of sums fill the sixteen registers of plain x86-64. */
#define CLIPC_PORTABLE_PANEL_COLUMNS 8
#define CLIPC_PORTABLE_TILE_ROWS 4

extern const clipc_matrix_kernel clipc_portable_f32;
extern const clipc_matrix_kernel clipc_portable_bf16;
extern const clipc_matrix_kernel clipc_portable_int8;

/* Bias, residual, pointwise function and store of one row's sums. */
void clipc_portable_finish_row(const clipc_panel_product *product, size_t row, const float *sum);

void clipc_portable_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                              float epsilon, float *out);
void clipc_portable_softmax(float *x, size_t count);
void clipc_portable_winograd_input(const float *const *pixels, size_t channels, float *out,
                                   size_t point_stride);
void clipc_portable_winograd_output(const clipc_winograd_tile *tile);

#endif
