/* SPDX-License-Identifier: MIT */
/*
 * The bfloat16 matrix product where no instruction multiplies bfloat16: weights are kept as
 * bfloat16, half the memory to read, and widened to float32 in registers; rows are rounded to
 * bfloat16 but kept as float32. Tiles as for float32.
 */
#include "base/float_formats.h"
#include "base/sizes.h"
#include "compute/kernels/arm/neon_pack.h"
#include "compute/kernels/arm/neon_tile.h"
#include "compute/kernels/tiles.h"

#define COLUMNS CLIPC_NEON_PANEL_COLUMNS
#define TILE_ROWS CLIPC_NEON_TILE_ROWS
#define DEPTH_STEP 4

static size_t row_bytes(size_t depth)
{
    return clipc_round_up(depth * sizeof(float), 64);
}

/* The nearest bfloat16 in the upper halves, halves to even; NaN stays NaN. */
static inline uint32x4_t round_to_bf16(float32x4_t x)
{
    const uint32x4_t bits = vreinterpretq_u32_f32(x);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF)));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));

    return vandq_u32(vbslq_u32(vceqq_f32(x, x), rounded, quiet), vdupq_n_u32(0xFFFF0000u));
}

/* [depth][COLUMNS] bfloat16 */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    const size_t padded = clipc_round_up(depth, DEPTH_STEP);
    uint16_t *out = panel;
    size_t k = 0;

    for (; columns == COLUMNS && k + 4 <= depth; k += 4, out += 4 * COLUMNS) {
        float32x4_t left[4], right[4];

        clipc_neon_transpose(weights + k, depth, left);
        clipc_neon_transpose(weights + 4 * depth + k, depth, right);
        for (size_t i = 0; i < 4; i++)
            vst1q_u16(out + i * COLUMNS, vcombine_u16(vshrn_n_u32(round_to_bf16(left[i]), 16),
                                                      vshrn_n_u32(round_to_bf16(right[i]), 16)));
    }
    for (; k < padded; k++)
        for (size_t j = 0; j < COLUMNS; j++)
            *out++ = j < columns && k < depth ? clipc_bf16_from_float(weights[j * depth + k]) : 0;
}

/* [depth] float32, zeros to the step's end. */
static void prepare(const float *x, size_t depth, void *row)
{
    const size_t padded = clipc_round_up(depth, DEPTH_STEP);
    float *out = row;
    size_t k = 0;

    for (; k + 4 <= depth; k += 4)
        vst1q_f32(out + k, vreinterpretq_f32_u32(round_to_bf16(vld1q_f32(x + k))));
    for (; k < padded; k++)
        out[k] = k < depth ? clipc_float_from_bf16(clipc_bf16_from_float(x[k])) : 0.0f;
}

/* The first and the last four columns of a step. */
static inline float32x4_t left_half(uint16x8_t b)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(b), 16));
}

static inline float32x4_t right_half(uint16x8_t b)
{
    return vreinterpretq_f32_u32(vshll_high_n_u16(b, 16));
}

/* `rows` is a constant wherever this is inlined, so that the sums live in registers. */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const float *a = (const void *)((const char *)product->a + first * product->a_stride);
    const uint16_t *b = product->panel;
    const size_t stride = product->a_stride / sizeof(float), depth = product->depth;
    float32x4_t left[TILE_ROWS], right[TILE_ROWS], values[TILE_ROWS];

#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = vdupq_n_f32(0.0f);
    for (size_t k = 0; k < depth; k += DEPTH_STEP) {
#pragma GCC unroll 8
        for (size_t i = 0; i < rows; i++)
            values[i] = vld1q_f32(a + i * stride + k);
#pragma GCC unroll 4
        for (size_t lane = 0; lane < DEPTH_STEP; lane++, b += COLUMNS) {
            const uint16x8_t both = vld1q_u16(b);

            clipc_neon_step(left_half(both), right_half(both), values, lane, rows, left, right);
        }
    }
    clipc_neon_finish_tile(product, first, rows, left, right);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_neon_bf16 = {
    .dtype = CLIPC_DTYPE_BF16,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = DEPTH_STEP,
    .depth_group = 1,
    .depth_bytes = COLUMNS * sizeof(uint16_t),
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
};
