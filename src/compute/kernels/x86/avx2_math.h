/* SPDX-License-Identifier: MIT */
/* Functions of eight floats at once: polynomials.h says how, and how exact they are. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX2_MATH_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX2_MATH_H

#include "compute/kernels/polynomials.h"

#include <immintrin.h>
#include <stddef.h>

#define CLIPC_AVX2_POLYNOMIAL(coefficients, x)                                                     \
    clipc_avx2_polynomial(coefficients, sizeof(coefficients) / sizeof(float), x)

static inline __m256 clipc_avx2_set(float x)
{
    return _mm256_set1_ps(x);
}

static inline __m256 clipc_avx2_polynomial(const float *coefficients, size_t count, __m256 x)
{
    __m256 sum = clipc_avx2_set(coefficients[0]);

#pragma GCC unroll 8
    for (size_t i = 1; i < count; i++)
        sum = _mm256_fmadd_ps(sum, x, clipc_avx2_set(coefficients[i]));
    return sum;
}

/* 2^n for whole n from -126 to 127, by writing n into the exponent. */
static inline __m256 clipc_avx2_exp2_whole(__m256i n)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

static inline __m256 clipc_avx2_exp(__m256 x)
{
    __m256 n, r, p;
    __m256i whole, half;

    /* Of a NaN, the second operand stays. */
    x = _mm256_max_ps(clipc_avx2_set(CLIPC_EXP_LOWEST),
                      _mm256_min_ps(clipc_avx2_set(CLIPC_EXP_HIGHEST), x));
    n = _mm256_round_ps(_mm256_mul_ps(x, clipc_avx2_set(CLIPC_LOG2_E)),
                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    r = _mm256_fnmadd_ps(n, clipc_avx2_set(CLIPC_LN2_HIGH), x);
    r = _mm256_fnmadd_ps(n, clipc_avx2_set(CLIPC_LN2_LOW), r);
    p = CLIPC_AVX2_POLYNOMIAL(clipc_exp_p, r);
    p = _mm256_fmadd_ps(_mm256_mul_ps(r, r), p, r);
    p = _mm256_add_ps(p, clipc_avx2_set(1.0f));
    whole = _mm256_cvtps_epi32(n);
    half = _mm256_srai_epi32(whole, 1);
    p = _mm256_mul_ps(p, clipc_avx2_exp2_whole(half));
    return _mm256_mul_ps(p, clipc_avx2_exp2_whole(_mm256_sub_epi32(whole, half)));
}

static inline __m256 clipc_avx2_erf(__m256 x)
{
    const __m256 sign = clipc_avx2_set(-0.0f);
    const __m256 t = _mm256_min_ps(clipc_avx2_set(CLIPC_ERF_HIGHEST), _mm256_andnot_ps(sign, x));
    const __m256 s = _mm256_mul_ps(x, x);
    __m256 p, q;

    p = CLIPC_AVX2_POLYNOMIAL(clipc_erf_p, s);
    p = _mm256_mul_ps(p, x);
    q = CLIPC_AVX2_POLYNOMIAL(clipc_erf_q, t);
    q = _mm256_sub_ps(clipc_avx2_set(1.0f), clipc_avx2_exp(q));
    q = _mm256_or_ps(q, _mm256_and_ps(sign, x));
    return _mm256_blendv_ps(p, q, _mm256_cmp_ps(t, clipc_avx2_set(CLIPC_ERF_SMALL), _CMP_GT_OQ));
}

/* x / (1 + exp(-1.702 x)) */
static inline __m256 clipc_avx2_quickgelu(__m256 x)
{
    const __m256 e = clipc_avx2_exp(_mm256_mul_ps(x, clipc_avx2_set(-CLIPC_QUICKGELU_SLOPE)));

    return _mm256_div_ps(x, _mm256_add_ps(e, clipc_avx2_set(1.0f)));
}

/* x / 2 * (1 + erf(x / sqrt 2)) */
static inline __m256 clipc_avx2_gelu(__m256 x)
{
    const __m256 erf = clipc_avx2_erf(_mm256_mul_ps(x, clipc_avx2_set(CLIPC_SQRT_HALF)));

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
