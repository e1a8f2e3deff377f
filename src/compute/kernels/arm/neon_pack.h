/* SPDX-License-Identifier: MIT */
/* Packing float32 weights into panels with NEON, four rows of four values at a time. */
#ifndef CLIPC_COMPUTE_KERNELS_ARM_NEON_PACK_H
#define CLIPC_COMPUTE_KERNELS_ARM_NEON_PACK_H

#include <arm_neon.h>
#include <stddef.h>

/* Four rows of four: out[i] is column i of the rows. */
static inline void clipc_neon_transpose(const float *rows, size_t stride, float32x4_t *out)
{
    const float32x4_t r0 = vld1q_f32(rows), r1 = vld1q_f32(rows + stride);
    const float32x4_t r2 = vld1q_f32(rows + 2 * stride), r3 = vld1q_f32(rows + 3 * stride);
    const float64x2_t even01 = vreinterpretq_f64_f32(vtrn1q_f32(r0, r1));
    const float64x2_t odd01 = vreinterpretq_f64_f32(vtrn2q_f32(r0, r1));
    const float64x2_t even23 = vreinterpretq_f64_f32(vtrn1q_f32(r2, r3));
    const float64x2_t odd23 = vreinterpretq_f64_f32(vtrn2q_f32(r2, r3));

    out[0] = vreinterpretq_f32_f64(vtrn1q_f64(even01, even23));
    out[1] = vreinterpretq_f32_f64(vtrn1q_f64(odd01, odd23));
    out[2] = vreinterpretq_f32_f64(vtrn2q_f64(even01, even23));
    out[3] = vreinterpretq_f32_f64(vtrn2q_f64(odd01, odd23));
}

#endif
