/* SPDX-License-Identifier: MIT */
/*
 * The kernel table: what ops call in their hot loops. Filled with portable C first and then, level
 * by level, with what the processor offers; every level gives results within the stated bounds of
 * portable/, which is the oracle.
 */
#ifndef CLIPC_COMPUTE_KERNELS_KERNELS_H
#define CLIPC_COMPUTE_KERNELS_KERNELS_H

#include <clipc.h>

#include <stdbool.h>
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
 * for i < rows and j < columns. A value's bits depend on its own row and column alone, not on rows,
 * tiles or threads.
 */
typedef struct clipc_panel_product {
    size_t rows, columns, depth; /* columns is at most panel_columns; depth > 0 */
    const void *a;               /* [rows] rows as the matrix kernel wants them */
    size_t a_stride;             /* bytes from row to row */
    const void *panel;           /* as the matrix kernel packs it */
    const float *bias;           /* [columns] or NULL */
    const float *residual;       /* [rows] rows, residual_stride floats apart, or NULL */
    size_t residual_stride;
    clipc_pointwise pointwise;
    float *out; /* [rows] rows, out_stride floats apart; may be residual */
    size_t out_stride;
} clipc_panel_product;

/*
 * How matrices are multiplied in one precision: the form of packed weights and of rows, both the
 * kernel's own affair, and the product.
 *
 * f32:  panel [depth][panel_columns] float32; rows float32 as they stand. Each sum is one chain of
 *       multiply-adds in ascending order of k.
 * bf16: weights and rows rounded to bfloat16 (to nearest even), sums in float32.
 * int8: weights scaled by output channel, rows by row, as quantise.h has it; sums are whole
 * numbers,
 *       so every level gives the same ones.
 */
typedef struct clipc_matrix_kernel {
    clipc_dtype dtype;
    size_t panel_columns; /* outputs of a packed panel */
    size_t tile_rows;     /* rows that product computes at once: what blocks are multiples of */
    /*
     * A panel is panel_header bytes, then [steps / depth_group][panel_columns][depth_group]
     * elements (float32, bfloat16, int8), steps being depth rounded up to depth_step, with zeros
     * after the last of depth. Each step takes depth_bytes; a panel is a multiple of 64 bytes for
     * depths that are multiples of 16 at most. depth_group 0 stands for depth_step. The header of
     * an int8 panel begins with the float32 scales of its columns; with has_column_sums the sums of
     * their elements follow as int32. These numbers tell all: files are packed by them (pack.h).
     * Without a header, panels begin with what a panel of less depth has.
     */
    size_t panel_header, depth_step, depth_group, depth_bytes;
    bool has_column_sums;
    /* Packs columns (1 to panel_columns) rows of weights, depth floats each; zeros stand for the
     * missing ones. panel: 64-byte aligned. */
    void (*pack)(const float *weights, size_t columns, size_t depth, void *panel);
    /* One row of depth floats into the form that product takes, row_bytes(depth) bytes at a
     * multiple of 64; NULL: float32 rows as they stand. */
    void (*prepare)(const float *x, size_t depth, void *row);
    size_t (*row_bytes)(size_t depth);
    void (*product)(const clipc_panel_product *product);
    /*
     * The arithmetic that product is made of alone, without a load or store, `steps` times; returns
     * the operations done, a multiply-add being two. What a product's speed is measured against;
     * NULL where nothing is measured.
     */
    double (*arithmetic)(size_t steps);
} clipc_matrix_kernel;

/*
 * Winograd's minimal filtering F(4x4, 3x3), see compute/winograd.h: 36 products by channel give the
 * sixteen places of a tile that a 3x3 convolution sums 144 for. A tile reads 6x6 pixels.
 */
#define CLIPC_WINOGRAD_INPUTS ((size_t)6)
#define CLIPC_WINOGRAD_OUTPUTS ((size_t)4)
#define CLIPC_WINOGRAD_POINTS (CLIPC_WINOGRAD_INPUTS * CLIPC_WINOGRAD_INPUTS)

/* What a tile's sums become: the inverse transform, bias, ReLU, and the mean of 2x2 squares. */
typedef struct clipc_winograd_tile {
    const float *sums; /* of every point: columns floats, point_stride floats from the last's */
    size_t point_stride;
    size_t columns;
    const float *bias; /* [columns] or NULL */
    bool relu;
    bool pools;         /* the tile gives 2x2 places, else 4x4 */
    size_t rows, width; /* how many of them are wanted: those at the top left */
    float *out;
    size_t row_stride, place_stride; /* floats */
} clipc_winograd_tile;

/* In int8 a sum of more products than this could leave 32 bits. */
#define CLIPC_INT8_LARGEST_DEPTH ((size_t)1 << 16)

typedef struct clipc_kernels {
    const char *level; /* "portable", ... */
    const clipc_matrix_kernel *f32, *bf16, *int8;
    /* out[j] = (x[j] - mean) / sqrt(variance + epsilon) * gain[j] + bias[j], j < width. */
    void (*layernorm)(const float *x, const float *gain, const float *bias, size_t width,
                      float epsilon, float *out);
    /* x[j] = exp(x[j] - max) / sum, j < count, count > 0; in place. */
    void (*softmax)(float *x, size_t count);
    /* The input transform of one tile: pixels[6 * y + x] are `channels` floats each; point p's go
     * to out + p * point_stride. */
    void (*winograd_input)(const float *const *pixels, size_t channels, float *out,
                           size_t point_stride);
    void (*winograd_output)(const clipc_winograd_tile *tile);
} clipc_kernels;

extern const clipc_kernels clipc_kernels_portable;
/* Where CLIPC_HAVE_X86 is defined: */
extern const clipc_kernels clipc_kernels_avx2;
extern const clipc_kernels clipc_kernels_avx512;
extern const clipc_kernels clipc_kernels_avx512_vnni;
extern const clipc_kernels clipc_kernels_avx512_bf16;
/* Where CLIPC_HAVE_ARM is defined: */
extern const clipc_kernels clipc_kernels_neon;
extern const clipc_kernels clipc_kernels_neon_dotprod;
extern const clipc_kernels clipc_kernels_neon_bf16;

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

/*
 * The table of a level by its name, whether or not it can run here: to pack for it. NULL when there
 * is none.
 */
const clipc_kernels *clipc_kernels_named(const char *level);

/* The table's matrix kernel of a precision; NULL for one in which matrices are not multiplied. */
const clipc_matrix_kernel *clipc_kernels_matrix(const clipc_kernels *kernels, clipc_dtype dtype);

#endif
