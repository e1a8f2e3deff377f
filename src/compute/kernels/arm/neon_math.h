/* SPDX-License-Identifier: MIT */
/* Functions of four floats at once: polynomials.h says how, and how exact they are. */
#ifndef CLIPC_COMPUTE_KERNELS_ARM_NEON_MATH_H
#define CLIPC_COMPUTE_KERNELS_ARM_NEON_MATH_H

#include "compute/kernels/polynomials.h"

#include <arm_neon.h>
#include <stddef.h>

#define CLIPC_NEON_POLYNOMIAL(coefficients, x)                                                     \
    clipc_neon_polynomial(coefficients, sizeof(coefficients) / sizeof(float), x)

static inline float32x4_t clipc_neon_polynomial(const float *coefficients, size_t count,
                                                float32x4_t x)
{
    float32x4_t sum = vdupq_n_f32(coefficients[0]);

#pragma GCC unroll 8
    for (size_t i = 1; i < count; i++)
        sum = vfmaq_f32(vdupq_n_f32(coefficients[i]), sum, x);
    return sum;
}

/* 2^n for whole n from -126 to 127, by writing n into the exponent. */
static inline float32x4_t clipc_neon_exp2_whole(int32x4_t n)
{
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23));
}

static inline float32x4_t clipc_neon_exp(float32x4_t x)
{
    float32x4_t n, r, p;
    int32x4_t whole, half;

    /* Of a NaN, both give it on. */
    x = vmaxq_f32(vdupq_n_f32(CLIPC_EXP_LOWEST), vminq_f32(vdupq_n_f32(CLIPC_EXP_HIGHEST), x));
    n = vrndnq_f32(vmulq_f32(x, vdupq_n_f32(CLIPC_LOG2_E)));
    r = vfmsq_f32(x, n, vdupq_n_f32(CLIPC_LN2_HIGH));
    r = vfmsq_f32(r, n, vdupq_n_f32(CLIPC_LN2_LOW));
    p = CLIPC_NEON_POLYNOMIAL(clipc_exp_p, r);
    p = vfmaq_f32(r, vmulq_f32(r, r), p);
    p = vaddq_f32(p, vdupq_n_f32(1.0f));
    whole = vcvtq_s32_f32(n);
    half = vshrq_n_s32(whole, 1);
    p = vmulq_f32(p, clipc_neon_exp2_whole(half));
    return vmulq_f32(p, clipc_neon_exp2_whole(vsubq_s32(whole, half)));
}

static inline float32x4_t clipc_neon_erf(float32x4_t x)
{
    const uint32x4_t sign = vdupq_n_u32(0x80000000u);
    const float32x4_t one = vdupq_n_f32(1.0f);
    const float32x4_t t = vminq_f32(vdupq_n_f32(CLIPC_ERF_HIGHEST), vabsq_f32(x));
    const float32x4_t small = vmulq_f32(CLIPC_NEON_POLYNOMIAL(clipc_erf_p, vmulq_f32(x, x)), x);
    float32x4_t large = vsubq_f32(one, clipc_neon_exp(CLIPC_NEON_POLYNOMIAL(clipc_erf_q, t)));

    large = vbslq_f32(sign, x, large);
    return vbslq_f32(vcgtq_f32(t, vdupq_n_f32(CLIPC_ERF_SMALL)), large, small);
}

/* x / (1 + exp(-1.702 x)) */
static inline float32x4_t clipc_neon_quickgelu(float32x4_t x)
{
    const float32x4_t e = clipc_neon_exp(vmulq_f32(x, vdupq_n_f32(-CLIPC_QUICKGELU_SLOPE)));

    return vdivq_f32(x, vaddq_f32(e, vdupq_n_f32(1.0f)));
}

/* x / 2 * (1 + erf(x / sqrt 2)) */
static inline float32x4_t clipc_neon_gelu(float32x4_t x)
{
    const float32x4_t erf = clipc_neon_erf(vmulq_f32(x, vdupq_n_f32(CLIPC_SQRT_HALF)));

    return vmulq_f32(vmulq_f32(vdupq_n_f32(0.5f), x), vaddq_f32(erf, vdupq_n_f32(1.0f)));
}

/* The first `count` of four values, zeros in the other lanes; count is 1 to 4, or more for all. */
static inline float32x4_t clipc_neon_load(const float *x, size_t count)
{
    float32x4_t value = vdupq_n_f32(0.0f);

    if (count >= 4)
        return vld1q_f32(x);
    value = vld1q_lane_f32(x, value, 0);
    if (count > 1)
        value = vld1q_lane_f32(x + 1, value, 1);
    return count > 2 ? vld1q_lane_f32(x + 2, value, 2) : value;
}

static inline void clipc_neon_store(float *x, size_t count, float32x4_t value)
{
    if (count >= 4) {
        vst1q_f32(x, value);
        return;
    }
    vst1q_lane_f32(x, value, 0);
    if (count > 1)
        vst1q_lane_f32(x + 1, value, 1);
    if (count > 2)
        vst1q_lane_f32(x + 2, value, 2);
}

#endif
