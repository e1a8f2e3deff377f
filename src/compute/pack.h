/* SPDX-License-Identifier: MIT */
/*
 * The packed form of a weight matrix [out][in]: panels of panel_columns outputs one after the
 * other, each in the form that its matrix kernel reads front to back.
 */
#ifndef CLIPC_COMPUTE_PACK_H
#define CLIPC_COMPUTE_PACK_H

#include "compute/kernels/kernels.h"

#include <stdbool.h>

/* Bytes of one panel, a multiple of CLIPC_ALIGNMENT; a packed matrix of this depth exists. */
size_t clipc_panel_bytes(const clipc_matrix_kernel *kernel, size_t in_features);

/* *bytes = the size of the packed form; false on overflow. */
bool clipc_packed_bytes(const clipc_matrix_kernel *kernel, size_t out_features, size_t in_features,
                        size_t *bytes);

/*
 * Packs rows (output features) [first, first + rows) from weights: [rows][in_features]. first is a
 * multiple of panel_columns; so is rows, but for the last.
 */
void clipc_pack_rows(const clipc_matrix_kernel *kernel, void *packed, size_t in_features,
                     size_t first, size_t rows, const float *weights);

#endif
