/* SPDX-License-Identifier: MIT */
/*
 * Matrix products against packed weights, divided among threads in blocks of rows and groups of
 * panels. The one place that decides the division; linear, conv2d and patch_embed go through it.
 */
#ifndef CLIPC_COMPUTE_MATMUL_H
#define CLIPC_COMPUTE_MATMUL_H

#include "compute/program.h"

/* out = pointwise(a * weights^T + bias + residual) */
typedef struct clipc_matmul {
    const clipc_matrix_kernel *kernel;
    size_t rows, out_features, in_features;
    const void *a;    /* [rows][in_features] float32; NULL when gather fills it */
    bool is_prepared; /* a holds rows as the kernel takes them */
    /*
     * Fills block: [rows][in_features] with rows [first, first + rows) of a: how convolutions lay
     * out their windows, a block at a time, in the worker's scratch.
     */
    void (*gather)(const void *context, size_t first, size_t rows, float *block);
    const void *gather_context;
    const void *packed;    /* for the kernel, see pack.h */
    const float *bias;     /* [out_features] or NULL */
    const float *residual; /* [rows][out_features] or NULL */
    clipc_pointwise pointwise;
    float *out; /* [rows][out_features] */
} clipc_matmul;

/* Scratch bytes that a worker needs where gather is used; SIZE_MAX when they overflow. */
size_t clipc_matmul_scratch(const clipc_matrix_kernel *kernel, size_t in_features);

/* Scratch bytes that the workers share where it is not: prepared rows; SIZE_MAX likewise. */
size_t clipc_matmul_shared(const clipc_matrix_kernel *kernel, size_t rows, size_t in_features);

void clipc_matmul_run(const clipc_run *run, const clipc_matmul *matmul);

#endif
