/* SPDX-License-Identifier: MIT */
/*
 * The kernel table: what ops call in their hot loops. Filled with portable C first and then, level
 * by level, with what the processor offers; every level gives results within the stated bounds of
 * portable/, which is the oracle.
 */
#ifndef CLIPC_COMPUTE_KERNELS_KERNELS_H
#define CLIPC_COMPUTE_KERNELS_KERNELS_H

#include <stddef.h>

/* What follows a matrix product, applied while its result is still in registers or cache. */
typedef enum clipc_pointwise {
    CLIPC_POINTWISE_NONE,
    CLIPC_POINTWISE_QUICKGELU, /* x / (1 + exp(-1.702 x)) */
    CLIPC_POINTWISE_GELU,      /* x / 2 * (1 + erf(x / sqrt 2)) */
    CLIPC_POINTWISE_RELU,
} clipc_pointwise;

/*
 * out[i][j] = pointwise(sum over k of a[i][k] * panel[k][j] + bias[j] + residual[i][j])
 * for i < rows and j < columns. The sum runs over k in ascending order into one float32, so a
 * value's bits depend on its own row and column alone, not on rows, tiles or threads.
 */
typedef struct clipc_panel_product {
    size_t rows, columns, depth; /* columns is at most panel_columns */
    const float *a;              /* [rows] rows of depth values, a_stride floats apart */
    size_t a_stride;
    const float *panel; /* [depth][panel_columns], 32-byte aligned, zeros beyond the last column */
    const float *bias;  /* [columns] or NULL */
    const float *residual; /* [rows] rows, residual_stride floats apart, or NULL */
    size_t residual_stride;
    clipc_pointwise pointwise;
    float *out; /* [rows] rows, out_stride floats apart; may be residual */
    size_t out_stride;
} clipc_panel_product;

typedef struct clipc_kernels {
    const char *level;    /* "portable", ... */
    size_t panel_columns; /* the width of packed panels */
    size_t tile_rows; /* rows that panel_product computes at once: what blocks are multiples of */
    void (*panel_product)(const clipc_panel_product *product);
    /* out[j] = (x[j] - mean) / sqrt(variance + epsilon) * gain[j] + bias[j], j < width. */
    void (*layernorm)(const float *x, const float *gain, const float *bias, size_t width,
                      float epsilon, float *out);
    /* x[j] = exp(x[j] - max) / sum, j < count, count > 0; in place. */
    void (*softmax)(float *x, size_t count);
} clipc_kernels;

extern const clipc_kernels clipc_kernels_portable;
extern const clipc_kernels clipc_kernels_avx2; /* where CLIPC_HAVE_X86 is defined */

/*
 * The best table for this processor, or the one that CLIPC_CPU names where that is lower. NULL when
 * CLIPC_CPU names no level known.
 */
const clipc_kernels *clipc_kernels_choose(void);

/*
 * The tables that can run here, lowest first: NULL gives the first, the last gives NULL. What tests
 * and measurements walk through.
 */
const clipc_kernels *clipc_kernels_next(const clipc_kernels *previous);

#endif
