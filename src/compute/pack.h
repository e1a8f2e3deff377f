/* SPDX-License-Identifier: MIT */
/*
 * The packed form of a weight matrix [out][in]: panels of panel_columns outputs one after the
 * other, each in the form that its matrix kernel reads front to back.
 */
#ifndef CLIPC_COMPUTE_PACK_H
#define CLIPC_COMPUTE_PACK_H

#include "compute/parameters.h"

#include <stdbool.h>

/* Bytes of one panel, a multiple of CLIPC_ALIGNMENT; a packed matrix of this depth exists. */
size_t clipc_panel_bytes(const clipc_matrix_kernel *kernel, size_t in_features);

/*
 * Whether slices of a panel's depth that begin at multiples of `step` are panels too, and the slice
 * from depth `first` on.
 */
bool clipc_panel_has_slices(const clipc_matrix_kernel *kernel, size_t step);
const void *clipc_panel_slice(const clipc_matrix_kernel *kernel, const void *panel, size_t first);

/* *bytes = the size of the packed form; false on overflow. */
bool clipc_packed_bytes(const clipc_matrix_kernel *kernel, size_t out_features, size_t in_features,
                        size_t *bytes);

/* What a packed parameter is: matrices [out][in], so many as Winograd's form has points, else 1. */
typedef struct clipc_packed_shape {
    size_t out, in, points;
} clipc_packed_shape;
clipc_packed_shape clipc_packed_shape_of(const clipc_parameter *parameter);

/* *bytes = the size of a parameter's data in its form; false on overflow. */
bool clipc_parameter_bytes(const clipc_parameter *parameter, size_t *bytes);

/*
 * Packs rows (output features) [first, first + rows) from weights: [rows][in_features]. first is a
 * multiple of panel_columns; so is rows, but for the last. Every byte of the panels is written.
 */
void clipc_pack_rows(const clipc_matrix_kernel *kernel, void *packed, size_t in_features,
                     size_t first, size_t rows, const float *weights);

/*
 * The same for Winograd's form: weights [rows][3][3][in] are transformed in double precision; of
 * each panel there are 36, one a point, one after the other. points: scratch of so many floats as
 * clipc_pack_winograd_floats says.
 */
void clipc_pack_winograd(const clipc_matrix_kernel *kernel, void *packed, size_t in_channels,
                         size_t first, size_t rows, const float *weights, float *points);
size_t clipc_pack_winograd_floats(const clipc_matrix_kernel *kernel, size_t in_channels);

#endif
