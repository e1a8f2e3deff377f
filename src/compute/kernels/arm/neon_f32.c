/* SPDX-License-Identifier: MIT */
/*
 * The float32 matrix product for NEON: tiles of up to eight rows against one panel of eight
 * columns.
 */
#include "compute/kernels/arm/neon_pack.h"
#include "compute/kernels/arm/neon_tile.h"
#include "compute/kernels/tiles.h"

#define COLUMNS CLIPC_NEON_PANEL_COLUMNS
#define TILE_ROWS CLIPC_NEON_TILE_ROWS

static size_t row_bytes(size_t depth)
{
    return depth * sizeof(float);
}

static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    float *out = panel;
    size_t k = 0;

    for (; columns == COLUMNS && k + 4 <= depth; k += 4, out += 4 * COLUMNS) {
        float32x4_t left[4], right[4];

        clipc_neon_transpose(weights + k, depth, left);
        clipc_neon_transpose(weights + 4 * depth + k, depth, right);
        for (size_t i = 0; i < 4; i++) {
            vst1q_f32(out + i * COLUMNS, left[i]);
            vst1q_f32(out + i * COLUMNS + 4, right[i]);
        }
    }
    for (; k < depth; k++)
        for (size_t j = 0; j < COLUMNS; j++)
            *out++ = j < columns ? weights[j * depth + k] : 0.0f;
}

/*
 * `rows` is a constant wherever this is inlined, so that the sums live in registers. Each sum is
 * one chain of multiply-adds in ascending order of the depth, whatever tile its row is in.
 */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const float *a = (const void *)((const char *)product->a + first * product->a_stride);
    const float *b = product->panel;
    const size_t stride = product->a_stride / sizeof(float), depth = product->depth;
    float32x4_t left[TILE_ROWS], right[TILE_ROWS], values[TILE_ROWS];
    size_t k = 0;

#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = vdupq_n_f32(0.0f);
    for (; k + 4 <= depth; k += 4) {
#pragma GCC unroll 8
        for (size_t i = 0; i < rows; i++)
            values[i] = vld1q_f32(a + i * stride + k);
#pragma GCC unroll 4
        for (size_t lane = 0; lane < 4; lane++, b += COLUMNS)
            clipc_neon_step(vld1q_f32(b), vld1q_f32(b + 4), values, lane, rows, left, right);
    }
    for (; k < depth; k++, b += COLUMNS) {
#pragma GCC unroll 8
        for (size_t i = 0; i < rows; i++)
            values[i] = vld1q_dup_f32(a + i * stride + k);
        clipc_neon_step(vld1q_f32(b), vld1q_f32(b + 4), values, 0, rows, left, right);
    }
    clipc_neon_finish_tile(product, first, rows, left, right);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_neon_f32 = {
    .dtype = CLIPC_DTYPE_F32,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = 1,
    .depth_bytes = COLUMNS * sizeof(float),
    .pack = pack,
    .row_bytes = row_bytes,
    .product = multiply,
};
