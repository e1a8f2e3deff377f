/* SPDX-License-Identifier: MIT */
/*
 * 3x3 convolutions of stride 1 by Winograd's minimal filtering F(4x4, 3x3): a map is cut into tiles
 * of 4x4 places; a tile's 6x6 pixels and the filters are transformed to 36 points, at each of which
 * channels are multiplied like matrices (tiles x in times in x out); the sums are transformed back.
 * A fourth of the direct convolution's products, for four times the memory of the weights.
 */
#ifndef CLIPC_COMPUTE_WINOGRAD_H
#define CLIPC_COMPUTE_WINOGRAD_H

#include "compute/program.h"

/* out = mean of squares(relu(convolution of x + bias)) */
typedef struct clipc_winograd {
    const clipc_matrix_kernel *kernel; /* a float32 one */
    const float *x;                    /* [n][height][width][in] */
    size_t n, height, width, in, out_channels;
    const void *packed; /* WINOGRAD form, see pack.h */
    const float *bias;  /* [out_channels] or NULL */
    bool relu;
    size_t pool; /* 1, or 2: the mean of each 2x2 square */
    float *out;  /* [n][height / pool][width / pool][out_channels] */
} clipc_winograd;

/* Scratch bytes that a worker needs; SIZE_MAX when they overflow. */
size_t clipc_winograd_scratch(const clipc_matrix_kernel *kernel, size_t in);

void clipc_winograd_run(const clipc_run *run, const clipc_winograd *convolution);

#endif
