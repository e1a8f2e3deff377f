/* SPDX-License-Identifier: MIT */
/* Quantising rows and panels for the 8-bit matrix kernels for NEON, and scaling their sums. */
#include "compute/kernels/arm/neon_quantise.h"

#include "base/sizes.h"
#include "compute/kernels/quantise.h"

#define COLUMNS CLIPC_NEON_PANEL_COLUMNS
#define HEADER CLIPC_NEON_INT8_HEADER
#define STEP CLIPC_NEON_INT8_STEP

size_t clipc_neon_int8_row_bytes(size_t depth)
{
    return HEADER + clipc_round_up(depth, 64);
}

static float largest_magnitude(const float *x, size_t depth)
{
    float32x4_t largest = vdupq_n_f32(0.0f);
    size_t k = 0;
    float rest;

    /* Compared so that a NaN is passed over. */
    for (; k + 4 <= depth; k += 4) {
        const float32x4_t magnitude = vabsq_f32(vld1q_f32(x + k));

        largest = vbslq_f32(vcgtq_f32(magnitude, largest), magnitude, largest);
    }
    rest = clipc_largest_magnitude(x + k, depth - k);
    return rest > vmaxvq_f32(largest) ? rest : vmaxvq_f32(largest);
}

/* Four values as clipc_int8_round: of a NaN, vmaxnm leaves the other operand. */
static inline int16x4_t quantise(float32x4_t x, float32x4_t inverse)
{
    const float32x4_t most = vdupq_n_f32(CLIPC_INT8_LARGEST);
    const float32x4_t least = vdupq_n_f32(-CLIPC_INT8_LARGEST);

    return vmovn_s32(vcvtnq_s32_f32(vminnmq_f32(vmaxnmq_f32(vmulq_f32(x, inverse), least), most)));
}

void clipc_neon_int8_prepare(const float *x, size_t depth, void *row)
{
    const float largest = largest_magnitude(x, depth);
    const float inverse = clipc_int8_inverse_scale(largest);
    const float32x4_t factor = vdupq_n_f32(inverse);
    const size_t padded = clipc_round_up(depth, STEP);
    int8_t *out = (int8_t *)row + HEADER;
    size_t k = 0;

    *(float *)row = largest / CLIPC_INT8_LARGEST;
    for (; k + 8 <= depth; k += 8)
        vst1_s8(out + k, vmovn_s16(vcombine_s16(quantise(vld1q_f32(x + k), factor),
                                                quantise(vld1q_f32(x + k + 4), factor))));
    for (; k < padded; k++)
        out[k] = k < depth ? clipc_int8_round(x[k], inverse) : 0;
}

void clipc_neon_int8_pack(const float *weights, size_t columns, size_t depth, size_t group,
                          void *panel)
{
    float *scales = panel;
    const size_t padded = clipc_round_up(depth, STEP);

    for (size_t j = 0; j < COLUMNS; j++) {
        const float *column = weights + j * depth;
        int8_t *out = (int8_t *)panel + HEADER + j * group;
        const float largest = j < columns ? largest_magnitude(column, depth) : 0.0f;
        const float inverse = clipc_int8_inverse_scale(largest);

        scales[j] = largest / CLIPC_INT8_LARGEST;
        for (size_t k = 0; k < padded; k++)
            out[k / group * COLUMNS * group + k % group] =
                j < columns && k < depth ? clipc_int8_round(column[k], inverse) : 0;
    }
}

void clipc_neon_int8_finish(const clipc_panel_product *product, size_t first, size_t rows,
                            const int32x4_t (*sums)[COLUMNS / 4])
{
    const char *a = (const char *)product->a + first * product->a_stride;
    const float32x4_t left = vld1q_f32(product->panel);
    const float32x4_t right = vld1q_f32((const float *)product->panel + 4);
    float32x4_t scaled[CLIPC_NEON_TILE_ROWS][2];

    for (size_t i = 0; i < rows; i++) {
        const float scale = *(const float *)(const void *)(a + i * product->a_stride);

        scaled[i][0] = vmulq_f32(vcvtq_f32_s32(sums[i][0]), vmulq_n_f32(left, scale));
        scaled[i][1] = vmulq_f32(vcvtq_f32_s32(sums[i][1]), vmulq_n_f32(right, scale));
    }
    clipc_neon_finish(product, first, rows, scaled);
}
