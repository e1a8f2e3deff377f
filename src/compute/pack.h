/* SPDX-License-Identifier: MIT */
/*
 * The packed form of a weight matrix [out][in]: panels of panel_columns outputs, each panel
 * [in][panel_columns] with zeros beyond the last output, so that a kernel reads it front to back.
 */
#ifndef CLIPC_COMPUTE_PACK_H
#define CLIPC_COMPUTE_PACK_H

#include <stdbool.h>
#include <stddef.h>

/* *floats = the number of floats in the packed form; false on overflow. */
bool clipc_packed_size(size_t out_features, size_t in_features, size_t panel_columns,
                       size_t *floats);

/* Packs rows (output features) [first, first + rows) from weights: [rows][in_features]. */
void clipc_pack_rows(float *packed, size_t in_features, size_t panel_columns, size_t first,
                     size_t rows, const float *weights);

/* The same from the transposed matrix: inputs [first, first + rows) from weights: [rows][out]. */
void clipc_pack_transposed_rows(float *packed, size_t out_features, size_t in_features,
                                size_t panel_columns, size_t first, size_t rows,
                                const float *weights);

#endif
