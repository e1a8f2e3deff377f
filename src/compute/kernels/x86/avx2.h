/* SPDX-License-Identifier: MIT */
/* The kernels for AVX2 and FMA: eight floats a register, sixteen registers. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX2_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX2_H

#include "compute/kernels/kernels.h"

/*
 * Six rows of sixteen columns: twelve sums, two registers of the panel, one of the rows. Each step
 * of the depth is twelve multiply-adds for two loads and six broadcasts, what two ports of each
 * kind can sustain.
 */
#define CLIPC_AVX2_PANEL_COLUMNS 16
#define CLIPC_AVX2_TILE_ROWS 6

void clipc_avx2_panel_product(const clipc_panel_product *product);
void clipc_avx2_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                          float epsilon, float *out);
void clipc_avx2_softmax(float *x, size_t count);

#endif
