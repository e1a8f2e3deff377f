/* SPDX-License-Identifier: MIT */
/*
 * The bfloat16 matrix product with FEAT_BF16: bfmmla multiplies two rows of four by two columns of
 * four. It rounds to odd and takes numbers below 2^-126 for zero. Tiles of four pairs of rows by
 * four pairs of columns, as in 8 bits.
 */
#include "base/float_formats.h"
#include "base/sizes.h"
#include "compute/kernels/arm/neon.h"
#include "compute/kernels/tiles.h"

#define COLUMNS CLIPC_NEON_PANEL_COLUMNS
#define TILE_ROWS CLIPC_NEON_TILE_ROWS
#define ROW_PAIRS (TILE_ROWS / 2)
#define COLUMN_PAIRS (COLUMNS / 2)
#define GROUP 4

static size_t row_bytes(size_t depth)
{
    return clipc_round_up(depth * sizeof(uint16_t), 64);
}

/* [depth / GROUP][COLUMNS][GROUP] bfloat16 */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    const size_t padded = clipc_round_up(depth, GROUP);
    uint16_t *out = panel;

    for (size_t k = 0; k < padded; k += GROUP)
        for (size_t j = 0; j < COLUMNS; j++)
            for (size_t i = k; i < k + GROUP; i++)
                *out++ =
                    j < columns && i < depth ? clipc_bf16_from_float(weights[j * depth + i]) : 0;
}

/* [depth] bfloat16, zeros to the step's end. */
static void prepare(const float *x, size_t depth, void *row)
{
    const size_t padded = clipc_round_up(depth, GROUP);
    uint16_t *out = row;
    size_t k = 0;

    for (; k + 8 <= depth; k += 8) {
        const bfloat16x8_t low = vcvtq_low_bf16_f32(vld1q_f32(x + k));

        vst1q_u16(out + k, vreinterpretq_u16_bf16(vcvtq_high_bf16_f32(low, vld1q_f32(x + k + 4))));
    }
    for (; k < padded; k++)
        out[k] = k < depth ? clipc_bf16_from_float(x[k]) : 0;
}

/*
 * `rows` is a constant wherever this is inlined, so that the sums live in registers: blocks of two
 * rows by two columns. An odd last row is multiplied with itself beside it.
 */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const uint16_t *a = (const void *)((const char *)product->a + first * product->a_stride);
    const uint16_t *b = product->panel;
    const size_t stride = product->a_stride / sizeof(uint16_t), depth = product->depth;
    float32x4_t blocks[ROW_PAIRS][COLUMN_PAIRS], sums[TILE_ROWS][2];
    bfloat16x8_t pairs[ROW_PAIRS];

#pragma GCC unroll 4
    for (size_t i = 0; i < (rows + 1) / 2; i++)
#pragma GCC unroll 4
        for (size_t j = 0; j < COLUMN_PAIRS; j++)
            blocks[i][j] = vdupq_n_f32(0.0f);
    for (size_t k = 0; k < depth; k += GROUP) {
#pragma GCC unroll 4
        for (size_t i = 0; i < rows; i += 2) {
            const uint16x4_t even = vld1_u16(a + i * stride + k);
            const uint16x4_t odd = i + 1 < rows ? vld1_u16(a + (i + 1) * stride + k) : even;

            pairs[i / 2] = vreinterpretq_bf16_u16(vcombine_u16(even, odd));
        }
#pragma GCC unroll 4
        for (size_t j = 0; j < COLUMN_PAIRS; j++, b += 2 * GROUP) {
            const bfloat16x8_t columns = vreinterpretq_bf16_u16(vld1q_u16(b));

#pragma GCC unroll 4
            for (size_t i = 0; i < (rows + 1) / 2; i++)
                blocks[i][j] = vbfmmlaq_f32(blocks[i][j], pairs[i], columns);
        }
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < rows; i += 2)
#pragma GCC unroll 2
        for (size_t j = 0; j < 2; j++) {
            const float64x2_t left = vreinterpretq_f64_f32(blocks[i / 2][2 * j]);
            const float64x2_t right = vreinterpretq_f64_f32(blocks[i / 2][2 * j + 1]);

            sums[i][j] = vreinterpretq_f32_f64(vzip1q_f64(left, right));
            if (i + 1 < rows)
                sums[i + 1][j] = vreinterpretq_f32_f64(vzip2q_f64(left, right));
        }
    clipc_neon_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_neon_matrix_bf16 = {
    .dtype = CLIPC_DTYPE_BF16,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = GROUP,
    .depth_bytes = COLUMNS * sizeof(uint16_t),
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
};
