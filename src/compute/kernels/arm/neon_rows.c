/* SPDX-License-Identifier: MIT */
/* Kernels over single rows for NEON: layer norm, softmax. */
#include "compute/kernels/arm/neon.h"
#include "compute/kernels/arm/neon_math.h"

#include <math.h>

#define SUMS 4 /* running side by side, four lanes each */

/* `value` holds four elements of a row from j on: zeros for those beyond its end. */
static inline float32x4_t keep_inside(float32x4_t value, size_t j, size_t count)
{
    static const uint32_t lanes[] = {0, 1, 2, 3};

    if (j + 4 <= count)
        return value;
    return vreinterpretq_f32_u32(
        vandq_u32(vreinterpretq_u32_f32(value),
                  vcltq_u32(vld1q_u32(lanes), vdupq_n_u32((uint32_t)(count - j)))));
}

/* The sum of all lanes, in a fixed order. */
static inline float total(const float32x4_t *sums)
{
    return vaddvq_f32(vaddq_f32(vaddq_f32(sums[0], sums[1]), vaddq_f32(sums[2], sums[3])));
}

/* Two passes, so that a large mean costs no precision. */
static float mean_of(const float *x, size_t width)
{
    float32x4_t sums[SUMS] = {vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f),
                              vdupq_n_f32(0.0f)};

    for (size_t j = 0; j < width; j += 4 * SUMS)
        for (size_t i = 0; i < SUMS && j + 4 * i < width; i++)
            sums[i] = vaddq_f32(sums[i], clipc_neon_load(x + j + 4 * i, width - j - 4 * i));
    return total(sums) / (float)width;
}

static float variance_of(const float *x, size_t width, float32x4_t mean)
{
    float32x4_t sums[SUMS] = {vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f),
                              vdupq_n_f32(0.0f)};

    for (size_t j = 0; j < width; j += 4 * SUMS)
        for (size_t i = 0; i < SUMS && j + 4 * i < width; i++) {
            const size_t at = j + 4 * i;
            const float32x4_t centered =
                keep_inside(vsubq_f32(clipc_neon_load(x + at, width - at), mean), at, width);

            sums[i] = vfmaq_f32(sums[i], centered, centered);
        }
    return total(sums) / (float)width;
}

void clipc_neon_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                          float epsilon, float *out)
{
    const float32x4_t mean = vdupq_n_f32(mean_of(x, width));
    const float32x4_t scale = vdupq_n_f32(1.0f / sqrtf(variance_of(x, width, mean) + epsilon));

    for (size_t j = 0; j < width; j += 4) {
        const size_t count = width - j;
        const float32x4_t unit = vmulq_f32(vsubq_f32(clipc_neon_load(x + j, count), mean), scale);

        clipc_neon_store(
            out + j, count,
            vfmaq_f32(clipc_neon_load(bias + j, count), unit, clipc_neon_load(gain + j, count)));
    }
}

/* Compared so that a NaN is passed over, as in plain C. */
static float max_of(const float *x, size_t count)
{
    float32x4_t max = vdupq_n_f32(x[0]);
    size_t j = 0;
    float result;

    for (; j + 4 <= count; j += 4) {
        const float32x4_t value = vld1q_f32(x + j);

        max = vbslq_f32(vcgtq_f32(value, max), value, max);
    }
    result = vmaxvq_f32(max);
    for (; j < count; j++)
        result = x[j] > result ? x[j] : result;
    return result;
}

void clipc_neon_softmax(float *x, size_t count)
{
    const float32x4_t max = vdupq_n_f32(max_of(x, count));
    float32x4_t sum = vdupq_n_f32(0.0f), scale;

    for (size_t j = 0; j < count; j += 4) {
        float32x4_t power = clipc_neon_exp(vsubq_f32(clipc_neon_load(x + j, count - j), max));

        power = keep_inside(power, j, count);
        sum = vaddq_f32(sum, power);
        clipc_neon_store(x + j, count - j, power);
    }
    scale = vdupq_n_f32(1.0f / vaddvq_f32(sum));
    for (size_t j = 0; j < count; j += 4)
        clipc_neon_store(x + j, count - j, vmulq_f32(clipc_neon_load(x + j, count - j), scale));
}
