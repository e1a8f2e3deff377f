/* SPDX-License-Identifier: MIT */
/* Functions of sixteen floats at once; tests hold their bounds over a dense sweep of floats. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX512_MATH_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX512_MATH_H

#include <immintrin.h>

static inline __m512 clipc_avx512_set(float x)
{
    return _mm512_set1_ps(x);
}

/*
 * exp(x) within 1 unit in the last place where the result is a normal number; 0 below, infinity
 * above, NaN for NaN.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2. ln 2 is taken away in two parts, the first with so few bits
 * that n times it is exact. exp(r) = 1 + r + r^2 P(r), P of degree 4 by minimax (relative error
 * 3.1e-9).
 */
static inline __m512 clipc_avx512_exp(__m512 x)
{
    __m512 n, r, p;

    /* Of a NaN, the second operand stays. */
    x = _mm512_max_ps(clipc_avx512_set(-104.0f), _mm512_min_ps(clipc_avx512_set(89.0f), x));
    n = _mm512_roundscale_ps(_mm512_mul_ps(x, clipc_avx512_set(0x1.715476p0f)),
                             _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    r = _mm512_fnmadd_ps(n, clipc_avx512_set(0x1.62e4p-1f), x);
    r = _mm512_fnmadd_ps(n, clipc_avx512_set(0x1.7f7d1cp-20f), r);
    p = clipc_avx512_set(0x1.6a23d0p-10f);
    p = _mm512_fmadd_ps(p, r, clipc_avx512_set(0x1.123a20p-7f));
    p = _mm512_fmadd_ps(p, r, clipc_avx512_set(0x1.5558f2p-5f));
    p = _mm512_fmadd_ps(p, r, clipc_avx512_set(0x1.555492p-3f));
    p = _mm512_fmadd_ps(p, r, clipc_avx512_set(0x1.fffffcp-2f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r);
    return _mm512_scalef_ps(_mm512_add_ps(p, clipc_avx512_set(1.0f)), n); /* times 2^n */
}

/*
 * erf(x) within 2e-7 of the truth. Up to 1 it is x P(x^2) by minimax (relative error 1.2e-9),
 * beyond it 1 - exp(Q(|x|)), Q fitted to log(erfc) up to 4, where the result is 1 in float32.
 */
static inline __m512 clipc_avx512_erf(__m512 x)
{
    const __m512 sign = clipc_avx512_set(-0.0f);
    const __m512 t = _mm512_min_ps(clipc_avx512_set(4.0f), _mm512_andnot_ps(sign, x));
    const __m512 s = _mm512_mul_ps(x, x);
    __m512 p, q;

    p = clipc_avx512_set(0x1.496a40p-14f);
    p = _mm512_fmadd_ps(p, s, clipc_avx512_set(-0x1.a3f704p-11f));
    p = _mm512_fmadd_ps(p, s, clipc_avx512_set(0x1.5405b2p-8f));
    p = _mm512_fmadd_ps(p, s, clipc_avx512_set(-0x1.b7f90ep-6f));
    p = _mm512_fmadd_ps(p, s, clipc_avx512_set(0x1.ce2cf8p-4f));
    p = _mm512_fmadd_ps(p, s, clipc_avx512_set(-0x1.81273ep-2f));
    p = _mm512_fmadd_ps(p, s, clipc_avx512_set(0x1.20dd74p0f));
    p = _mm512_mul_ps(p, x);
    q = clipc_avx512_set(0x1.852d2ap-13f);
    q = _mm512_fmadd_ps(q, t, clipc_avx512_set(-0x1.814cc8p-9f));
    q = _mm512_fmadd_ps(q, t, clipc_avx512_set(0x1.65421ap-6f));
    q = _mm512_fmadd_ps(q, t, clipc_avx512_set(-0x1.a60a7ep-4f));
    q = _mm512_fmadd_ps(q, t, clipc_avx512_set(-0x1.46c584p-1f));
    q = _mm512_fmadd_ps(q, t, clipc_avx512_set(-0x1.2085b2p0f));
    q = _mm512_fmadd_ps(q, t, clipc_avx512_set(-0x1.72e780p-12f));
    q = _mm512_sub_ps(clipc_avx512_set(1.0f), clipc_avx512_exp(q));
    q = _mm512_or_ps(q, _mm512_and_ps(sign, x));
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(t, clipc_avx512_set(1.0f), _CMP_GT_OQ), p, q);
}

/* x / (1 + exp(-1.702 x)) */
static inline __m512 clipc_avx512_quickgelu(__m512 x)
{
    const __m512 e = clipc_avx512_exp(_mm512_mul_ps(x, clipc_avx512_set(-1.702f)));

    return _mm512_div_ps(x, _mm512_add_ps(e, clipc_avx512_set(1.0f)));
}

/* x / 2 * (1 + erf(x / sqrt 2)) */
static inline __m512 clipc_avx512_gelu(__m512 x)
{
    const __m512 erf = clipc_avx512_erf(_mm512_mul_ps(x, clipc_avx512_set(0.70710678118654752f)));

    return _mm512_mul_ps(_mm512_mul_ps(clipc_avx512_set(0.5f), x),
                         _mm512_add_ps(erf, clipc_avx512_set(1.0f)));
}

/* Of sixteen lanes, the first `count` (0 to 16). */
static inline __mmask16 clipc_avx512_lanes(size_t count)
{
    return (__mmask16)((1u << count) - 1u);
}

/* The sum of sixteen lanes, in a fixed order. */
static inline float clipc_avx512_sum(__m512 x)
{
    const __m256 low = _mm512_castps512_ps256(x), high = _mm512_extractf32x8_ps(x, 1);
    const __m256 eight = _mm256_add_ps(low, high);
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

#endif
