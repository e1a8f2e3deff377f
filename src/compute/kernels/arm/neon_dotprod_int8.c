/* SPDX-License-Identifier: MIT */
/*
 * The 8-bit matrix product with FEAT_DotProd: sdot adds four products of bytes to each of four
 * sums, four bytes of a row being one lane. Tiles as for float32.
 */
#include "compute/kernels/arm/neon_quantise.h"
#include "compute/kernels/tiles.h"

#define COLUMNS CLIPC_NEON_PANEL_COLUMNS
#define TILE_ROWS CLIPC_NEON_TILE_ROWS
#define GROUP 4

static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    clipc_neon_int8_pack(weights, columns, depth, GROUP, panel);
}

/* Compilers want to see a constant: lane is one where this is inlined. */
static inline int32x4_t add_products(int32x4_t sum, int8x16_t b, int8x16_t a, const size_t lane)
{
    switch (lane) {
    case 0: return vdotq_laneq_s32(sum, b, a, 0);
    case 1: return vdotq_laneq_s32(sum, b, a, 1);
    case 2: return vdotq_laneq_s32(sum, b, a, 2);
    default: return vdotq_laneq_s32(sum, b, a, 3);
    }
}

/* `rows` is a constant wherever this is inlined, so that the sums live in registers. */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const size_t stride = product->a_stride, depth = product->depth;
    const int8_t *a = (const int8_t *)product->a + first * stride + CLIPC_NEON_INT8_HEADER;
    const int8_t *b = (const int8_t *)product->panel + CLIPC_NEON_INT8_HEADER;
    int32x4_t left[TILE_ROWS], right[TILE_ROWS], sums[TILE_ROWS][2];
    int8x16_t values[TILE_ROWS];

#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = vdupq_n_s32(0);
    for (size_t k = 0; k < depth; k += CLIPC_NEON_INT8_STEP) {
#pragma GCC unroll 8
        for (size_t i = 0; i < rows; i++)
            values[i] = vld1q_s8(a + i * stride + k);
#pragma GCC unroll 4
        for (size_t lane = 0; lane < 4; lane++, b += GROUP * COLUMNS) {
            const int8x16_t b0 = vld1q_s8(b), b1 = vld1q_s8(b + 16);

#pragma GCC unroll 8
            for (size_t i = 0; i < rows; i++) {
                left[i] = add_products(left[i], b0, values[i], lane);
                right[i] = add_products(right[i], b1, values[i], lane);
            }
        }
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++) {
        sums[i][0] = left[i];
        sums[i][1] = right[i];
    }
    clipc_neon_int8_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_neon_dotprod_int8 = {
    .dtype = CLIPC_DTYPE_INT8,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .panel_header = CLIPC_NEON_INT8_HEADER,
    .depth_step = CLIPC_NEON_INT8_STEP,
    .depth_group = GROUP,
    .depth_bytes = COLUMNS,
    .has_column_sums = true,
    .pack = pack,
    .prepare = clipc_neon_int8_prepare,
    .row_bytes = clipc_neon_int8_row_bytes,
    .product = multiply,
};
