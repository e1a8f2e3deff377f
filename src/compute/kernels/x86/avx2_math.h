/* SPDX-License-Identifier: MIT */
/* Functions of eight floats at once; tests hold their error bounds over a dense sweep of floats. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX2_MATH_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX2_MATH_H

#include <immintrin.h>

static inline __m256 clipc_avx2_set(float x)
{
    return _mm256_set1_ps(x);
}

/* 2^n for whole n from -126 to 127, by writing n into the exponent. */
static inline __m256 clipc_avx2_exp2_whole(__m256i n)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

/*
 * exp(x) within 1 unit in the last place where the result is a normal number; 0 below, infinity
 * above, NaN for NaN.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2. ln 2 is taken away in two parts, the first with so few bits
 * that n times it is exact. exp(r) = 1 + r + r^2 P(r), P of degree 4 by minimax (relative error
 * 3.1e-9). 2^n is multiplied in two halves, so that neither overflows before the result does.
 */
static inline __m256 clipc_avx2_exp(__m256 x)
{
    __m256 n, r, p;
    __m256i whole, half;

    /* Of a NaN, the second operand stays. */
    x = _mm256_max_ps(clipc_avx2_set(-104.0f), _mm256_min_ps(clipc_avx2_set(89.0f), x));
    n = _mm256_round_ps(_mm256_mul_ps(x, clipc_avx2_set(0x1.715476p0f)),
                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    r = _mm256_fnmadd_ps(n, clipc_avx2_set(0x1.62e4p-1f), x);
    r = _mm256_fnmadd_ps(n, clipc_avx2_set(0x1.7f7d1cp-20f), r);
    p = clipc_avx2_set(0x1.6a23d0p-10f);
    p = _mm256_fmadd_ps(p, r, clipc_avx2_set(0x1.123a20p-7f));
    p = _mm256_fmadd_ps(p, r, clipc_avx2_set(0x1.5558f2p-5f));
    p = _mm256_fmadd_ps(p, r, clipc_avx2_set(0x1.555492p-3f));
    p = _mm256_fmadd_ps(p, r, clipc_avx2_set(0x1.fffffcp-2f));
    p = _mm256_fmadd_ps(_mm256_mul_ps(r, r), p, r);
    p = _mm256_add_ps(p, clipc_avx2_set(1.0f));
    whole = _mm256_cvtps_epi32(n);
    half = _mm256_srai_epi32(whole, 1);
    p = _mm256_mul_ps(p, clipc_avx2_exp2_whole(half));
    return _mm256_mul_ps(p, clipc_avx2_exp2_whole(_mm256_sub_epi32(whole, half)));
}

/*
 * erf(x) within 2e-7 of the truth. Up to 1 it is x P(x^2) by minimax (relative error 1.2e-9),
 * beyond it 1 - exp(Q(|x|)), Q fitted to log(erfc) up to 4, where the result is 1 in float32.
 */
static inline __m256 clipc_avx2_erf(__m256 x)
{
    const __m256 sign = clipc_avx2_set(-0.0f);
    const __m256 t = _mm256_min_ps(clipc_avx2_set(4.0f), _mm256_andnot_ps(sign, x));
    const __m256 s = _mm256_mul_ps(x, x);
    __m256 p, q;

    p = clipc_avx2_set(0x1.496a40p-14f);
    p = _mm256_fmadd_ps(p, s, clipc_avx2_set(-0x1.a3f704p-11f));
    p = _mm256_fmadd_ps(p, s, clipc_avx2_set(0x1.5405b2p-8f));
    p = _mm256_fmadd_ps(p, s, clipc_avx2_set(-0x1.b7f90ep-6f));
    p = _mm256_fmadd_ps(p, s, clipc_avx2_set(0x1.ce2cf8p-4f));
    p = _mm256_fmadd_ps(p, s, clipc_avx2_set(-0x1.81273ep-2f));
    p = _mm256_fmadd_ps(p, s, clipc_avx2_set(0x1.20dd74p0f));
    p = _mm256_mul_ps(p, x);
    q = clipc_avx2_set(0x1.852d2ap-13f);
    q = _mm256_fmadd_ps(q, t, clipc_avx2_set(-0x1.814cc8p-9f));
    q = _mm256_fmadd_ps(q, t, clipc_avx2_set(0x1.65421ap-6f));
    q = _mm256_fmadd_ps(q, t, clipc_avx2_set(-0x1.a60a7ep-4f));
    q = _mm256_fmadd_ps(q, t, clipc_avx2_set(-0x1.46c584p-1f));
    q = _mm256_fmadd_ps(q, t, clipc_avx2_set(-0x1.2085b2p0f));
    q = _mm256_fmadd_ps(q, t, clipc_avx2_set(-0x1.72e780p-12f));
    q = _mm256_sub_ps(clipc_avx2_set(1.0f), clipc_avx2_exp(q));
    q = _mm256_or_ps(q, _mm256_and_ps(sign, x));
    return _mm256_blendv_ps(p, q, _mm256_cmp_ps(t, clipc_avx2_set(1.0f), _CMP_GT_OQ));
}

/* x / (1 + exp(-1.702 x)) */
static inline __m256 clipc_avx2_quickgelu(__m256 x)
{
    const __m256 e = clipc_avx2_exp(_mm256_mul_ps(x, clipc_avx2_set(-1.702f)));

    return _mm256_div_ps(x, _mm256_add_ps(e, clipc_avx2_set(1.0f)));
}

/* x / 2 * (1 + erf(x / sqrt 2)) */
static inline __m256 clipc_avx2_gelu(__m256 x)
{
    const __m256 erf = clipc_avx2_erf(_mm256_mul_ps(x, clipc_avx2_set(0.70710678118654752f)));

    return _mm256_mul_ps(_mm256_mul_ps(clipc_avx2_set(0.5f), x),
                         _mm256_add_ps(erf, clipc_avx2_set(1.0f)));
}

/* Of eight lanes, the first `count` (0 to 8) all ones, the others zeros. */
static inline __m256i clipc_avx2_lanes(size_t count)
{
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), index);
}

/* The sum of eight lanes, in a fixed order. */
static inline float clipc_avx2_sum(__m256 x)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

#endif
