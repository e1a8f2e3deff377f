/* SPDX-License-Identifier: MIT */
/*
 * The 8-bit matrix product with FEAT_I8MM: smmla multiplies two rows of eight bytes by two columns
 * of eight. A tile is four pairs of rows by four pairs of columns.
 */
#include "compute/kernels/arm/neon_quantise.h"
#include "compute/kernels/tiles.h"

#define COLUMNS CLIPC_NEON_PANEL_COLUMNS
#define TILE_ROWS CLIPC_NEON_TILE_ROWS
#define ROW_PAIRS (TILE_ROWS / 2)
#define COLUMN_PAIRS (COLUMNS / 2)
#define GROUP 8

static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    clipc_neon_int8_pack(weights, columns, depth, GROUP, panel);
}

/*
 * `rows` is a constant wherever this is inlined, so that the sums live in registers: blocks of two
 * rows by two columns. An odd last row is multiplied with itself beside it.
 */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const size_t stride = product->a_stride, depth = product->depth;
    const int8_t *a = (const int8_t *)product->a + first * stride + CLIPC_NEON_INT8_HEADER;
    const int8_t *b = (const int8_t *)product->panel + CLIPC_NEON_INT8_HEADER;
    int32x4_t blocks[ROW_PAIRS][COLUMN_PAIRS], sums[TILE_ROWS][2];
    int8x16_t pairs[ROW_PAIRS];

#pragma GCC unroll 4
    for (size_t i = 0; i < (rows + 1) / 2; i++)
#pragma GCC unroll 4
        for (size_t j = 0; j < COLUMN_PAIRS; j++)
            blocks[i][j] = vdupq_n_s32(0);
    for (size_t k = 0; k < depth; k += GROUP) {
#pragma GCC unroll 4
        for (size_t i = 0; i < rows; i += 2) {
            const int8x8_t even = vld1_s8(a + i * stride + k);
            const int8x8_t odd = i + 1 < rows ? vld1_s8(a + (i + 1) * stride + k) : even;

            pairs[i / 2] = vcombine_s8(even, odd);
        }
#pragma GCC unroll 4
        for (size_t j = 0; j < COLUMN_PAIRS; j++, b += 2 * GROUP) {
            const int8x16_t columns = vld1q_s8(b);

#pragma GCC unroll 4
            for (size_t i = 0; i < (rows + 1) / 2; i++)
                blocks[i][j] = vmmlaq_s32(blocks[i][j], pairs[i], columns);
        }
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < rows; i += 2)
#pragma GCC unroll 2
        for (size_t j = 0; j < 2; j++) {
            const int64x2_t left = vreinterpretq_s64_s32(blocks[i / 2][2 * j]);
            const int64x2_t right = vreinterpretq_s64_s32(blocks[i / 2][2 * j + 1]);

            sums[i][j] = vreinterpretq_s32_s64(vzip1q_s64(left, right));
            if (i + 1 < rows)
                sums[i + 1][j] = vreinterpretq_s32_s64(vzip2q_s64(left, right));
        }
    clipc_neon_int8_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_neon_matrix_int8 = {
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
