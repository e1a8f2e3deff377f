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

/* Compared so that a NaN is passed over. */
static clipc_row_range range_of(const float *x, size_t depth)
{
    float32x4_t low = vdupq_n_f32(0.0f), high = vdupq_n_f32(0.0f);
    float least, most;
    size_t k = 0;

    for (; k + 4 <= depth; k += 4) {
        const float32x4_t value = vld1q_f32(x + k);

        low = vbslq_f32(vcltq_f32(value, low), value, low);
        high = vbslq_f32(vcgtq_f32(value, high), value, high);
    }
    least = vminvq_f32(low);
    most = vmaxvq_f32(high);
    clipc_row_bounds(x + k, depth - k, &least, &most);
    return clipc_row_range_of(least, most);
}

/* Four values as clipc_row_round: of a NaN, vmaxnm leaves the other operand. */
static inline int32x4_t quantise(const float *x, float32x4_t inverse, float32x4_t least,
                                 float32x4_t most)
{
    const float32x4_t scaled = vmulq_f32(vld1q_f32(x), inverse);

    return vcvtnq_s32_f32(vminnmq_f32(vmaxnmq_f32(scaled, least), most));
}

void clipc_neon_int8_prepare(const float *x, size_t depth, void *row)
{
    const clipc_row_range range = range_of(x, depth);
    const float32x4_t inverse = vdupq_n_f32(range.inverse);
    const float32x4_t least = vdupq_n_f32((float)-range.zero);
    const float32x4_t most = vdupq_n_f32((float)(255 - range.zero));
    const int16_t shift = (int16_t)(range.zero - 128);
    const size_t padded = clipc_round_up(depth, STEP);
    int8_t *out = (int8_t *)row + HEADER;
    size_t k = 0;

    *(clipc_row_range *)row = range;
    for (; k + 8 <= depth; k += 8) {
        const int32x4_t first = quantise(x + k, inverse, least, most);
        const int32x4_t second = quantise(x + k + 4, inverse, least, most);
        const int16x8_t both = vcombine_s16(vmovn_s32(first), vmovn_s32(second));

        vst1_s8(out + k, vmovn_s16(vaddq_s16(both, vdupq_n_s16(shift))));
    }
    for (; k < padded; k++)
        out[k] = k < depth ? (int8_t)(clipc_row_round(x[k], &range) + shift) : 0;
}

void clipc_neon_int8_pack(const float *weights, size_t columns, size_t depth, size_t group,
                          void *panel)
{
    const size_t padded = clipc_round_up(depth, STEP);
    float *scales = panel;
    int32_t *totals = (int32_t *)panel + COLUMNS;

    for (size_t j = 0; j < COLUMNS; j++) {
        const float *column = weights + j * depth;
        int8_t *out = (int8_t *)panel + HEADER + j * group;
        const float largest = j < columns ? clipc_largest_magnitude(column, depth) : 0.0f;
        const float inverse = clipc_int8_inverse_scale(largest);
        int32_t total = 0;

        for (size_t k = 0; k < padded; k++) {
            const int8_t q = j < columns && k < depth ? clipc_int8_round(column[k], inverse) : 0;

            out[k / group * COLUMNS * group + k % group] = q;
            total += q;
        }
        scales[j] = largest / CLIPC_INT8_LARGEST;
        totals[j] = total;
    }
}

/* Four columns: `correction` is what their totals count for. */
static inline float32x4_t to_floats(int32x4_t sum, const int32_t *totals, int32_t correction,
                                    const float *scales, float scale)
{
    const int32x4_t exact = vmlaq_n_s32(sum, vld1q_s32(totals), correction);

    return vmulq_f32(vcvtq_f32_s32(exact), vmulq_n_f32(vld1q_f32(scales), scale));
}

void clipc_neon_int8_finish(const clipc_panel_product *product, size_t first, size_t rows,
                            const int32x4_t (*sums)[COLUMNS / 4])
{
    const char *a = (const char *)product->a + first * product->a_stride;
    const float *scales = product->panel;
    const int32_t *totals = (const int32_t *)product->panel + COLUMNS;
    float32x4_t scaled[CLIPC_NEON_TILE_ROWS][COLUMNS / 4];

    for (size_t i = 0; i < rows; i++) {
        const clipc_row_range *range = (const void *)(a + i * product->a_stride);

        for (size_t j = 0; j < COLUMNS / 4; j++)
            scaled[i][j] = to_floats(sums[i][j], totals + 4 * j, 128 - range->zero, scales + 4 * j,
                                     range->scale);
    }
    clipc_neon_finish(product, first, rows, scaled);
}
