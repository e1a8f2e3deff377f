/* SPDX-License-Identifier: MIT */
/* What the tiles of several matrix kernels for NEON do alike. */
#ifndef CLIPC_COMPUTE_KERNELS_ARM_NEON_TILE_H
#define CLIPC_COMPUTE_KERNELS_ARM_NEON_TILE_H

#include "compute/kernels/arm/neon.h"

/*
 * One step of the depth: to each row's sums of eight columns, b0 and b1 times one lane of the row's
 * values. lane and rows are constants where it is inlined, so that all are named registers.
 */
static inline __attribute__((always_inline)) void
clipc_neon_step(float32x4_t b0, float32x4_t b1, const float32x4_t *values, const size_t lane,
                const size_t rows, float32x4_t *left, float32x4_t *right)
{
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++) {
        left[i] = vfmaq_n_f32(left[i], b0, values[i][lane]);
        right[i] = vfmaq_n_f32(right[i], b1, values[i][lane]);
    }
}

/* clipc_neon_finish for sums in registers: they are laid into memory here, when all is added up. */
static inline __attribute__((always_inline)) void
clipc_neon_finish_tile(const clipc_panel_product *product, size_t first, const size_t rows,
                       const float32x4_t *left, const float32x4_t *right)
{
    float32x4_t sums[CLIPC_NEON_TILE_ROWS][2];

#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++) {
        sums[i][0] = left[i];
        sums[i][1] = right[i];
    }
    clipc_neon_finish(product, first, rows, sums);
}

#endif
