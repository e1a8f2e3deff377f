/* SPDX-License-Identifier: MIT */
/*
 * The 8-bit matrix product where no instruction adds up products of bytes: two products of bytes
 * fit a 16-bit sum, as weights are -127 to 127, and pairs of such sums are then added in 32 bits. A
 * register has four steps of two columns, so each sum is two halves until the end, and a tile is
 * four rows.
 */
#include "compute/kernels/arm/neon_quantise.h"
#include "compute/kernels/tiles.h"

#define COLUMNS CLIPC_NEON_PANEL_COLUMNS
#define TILE_ROWS 4
#define COLUMN_PAIRS (COLUMNS / 2)
#define GROUP 4

static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    clipc_neon_int8_pack(weights, columns, depth, GROUP, panel);
}

/* Adds eight steps of two columns, the lower or the upper ones of b0 and b1: four steps in each. */
static inline int32x4_t add_lower(int32x4_t sum, int8x16_t a0, int8x16_t b0, int8x16_t a1,
                                  int8x16_t b1)
{
    const int16x8_t two = vmull_s8(vget_low_s8(a0), vget_low_s8(b0));

    return vpadalq_s16(sum, vmlal_s8(two, vget_low_s8(a1), vget_low_s8(b1)));
}

static inline int32x4_t add_upper(int32x4_t sum, int8x16_t a0, int8x16_t b0, int8x16_t a1,
                                  int8x16_t b1)
{
    return vpadalq_s16(sum, vmlal_high_s8(vmull_high_s8(a0, b0), a1, b1));
}

/* Four steps of a row for every column. */
static inline int8x16_t broadcast(const int8_t *a)
{
    return vreinterpretq_s8_s32(vld1q_dup_s32((const int32_t *)(const void *)a));
}

/* `rows` is a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const size_t stride = product->a_stride, depth = product->depth;
    const int8_t *a = (const int8_t *)product->a + first * stride + CLIPC_NEON_INT8_HEADER;
    const int8_t *b = (const int8_t *)product->panel + CLIPC_NEON_INT8_HEADER;
    int32x4_t halves[TILE_ROWS][COLUMN_PAIRS], sums[TILE_ROWS][2];

#pragma GCC unroll 4
    for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (size_t j = 0; j < COLUMN_PAIRS; j++)
            halves[i][j] = vdupq_n_s32(0);
    for (size_t k = 0; k < depth; k += 2 * GROUP, b += 2 * GROUP * COLUMNS) {
        const int8x16_t left0 = vld1q_s8(b), right0 = vld1q_s8(b + 16);
        const int8x16_t left1 = vld1q_s8(b + 32), right1 = vld1q_s8(b + 48);

#pragma GCC unroll 4
        for (size_t i = 0; i < rows; i++) {
            const int8x16_t a0 = broadcast(a + i * stride + k);
            const int8x16_t a1 = broadcast(a + i * stride + k + GROUP);

            halves[i][0] = add_lower(halves[i][0], a0, left0, a1, left1);
            halves[i][1] = add_upper(halves[i][1], a0, left0, a1, left1);
            halves[i][2] = add_lower(halves[i][2], a0, right0, a1, right1);
            halves[i][3] = add_upper(halves[i][3], a0, right0, a1, right1);
        }
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < rows; i++) {
        sums[i][0] = vpaddq_s32(halves[i][0], halves[i][1]);
        sums[i][1] = vpaddq_s32(halves[i][2], halves[i][3]);
    }
    clipc_neon_int8_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_neon_int8 = {
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
