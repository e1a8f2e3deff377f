/* SPDX-License-Identifier: MIT */
/*
 * What the 8-bit matrix kernels for NEON share: quantised rows and panels, and the way from whole
 * sums back to floats. Their instructions multiply signed bytes, so a row is kept as c + zero - 128
 * and 128 - zero times the sum of a column's weights is added at the end.
 *
 * A row is its clipc_row_range, then int8. A panel is the scales of its columns and the sums of
 * their weights, then the columns side by side in groups of as many steps of the depth as the
 * kernel's instruction takes. Both have zeros up to a multiple of sixteen steps.
 */
#ifndef CLIPC_COMPUTE_KERNELS_ARM_NEON_QUANTISE_H
#define CLIPC_COMPUTE_KERNELS_ARM_NEON_QUANTISE_H

#include "compute/kernels/arm/neon.h"

#define CLIPC_NEON_INT8_HEADER 64 /* bytes: a panel's scales and sums, a row's range */
#define CLIPC_NEON_INT8_STEP 16   /* of the depth: one load of a row */

size_t clipc_neon_int8_row_bytes(size_t depth);

void clipc_neon_int8_prepare(const float *x, size_t depth, void *row);

/* [depth / group][columns][group] int8; group is 4 or 8. */
void clipc_neon_int8_pack(const float *weights, size_t columns, size_t depth, size_t group,
                          void *panel);

/* clipc_neon_finish for whole sums, corrected and scaled by row and column. */
void clipc_neon_int8_finish(const clipc_panel_product *product, size_t first, size_t rows,
                            const int32x4_t (*sums)[CLIPC_NEON_PANEL_COLUMNS / 4]);

#endif
