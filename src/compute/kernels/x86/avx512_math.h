/* SPDX-License-Identifier: MIT */
/* Functions of sixteen floats at once: polynomials.h says how, and how exact they are. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX512_MATH_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX512_MATH_H

#include "compute/kernels/polynomials.h"

#include <immintrin.h>
#include <stddef.h>

#define CLIPC_AVX512_POLYNOMIAL(coefficients, x)                                                   \
    clipc_avx512_polynomial(coefficients, sizeof(coefficients) / sizeof(float), x)

static inline __m512 clipc_avx512_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline __m512 clipc_avx512_polynomial(const float *coefficients, size_t count, __m512 x)
{
    __m512 sum = clipc_avx512_set(coefficients[0]);

#pragma GCC unroll 8
    for (size_t i = 1; i < count; i++)
        sum = _mm512_fmadd_ps(sum, x, clipc_avx512_set(coefficients[i]));
    return sum;
}

static inline __m512 clipc_avx512_exp(__m512 x)
{
    __m512 n, r, p;

    /* Of a NaN, the second operand stays. */
    x = _mm512_max_ps(clipc_avx512_set(CLIPC_EXP_LOWEST),
                      _mm512_min_ps(clipc_avx512_set(CLIPC_EXP_HIGHEST), x));
    n = _mm512_roundscale_ps(_mm512_mul_ps(x, clipc_avx512_set(CLIPC_LOG2_E)),
                             _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    r = _mm512_fnmadd_ps(n, clipc_avx512_set(CLIPC_LN2_HIGH), x);
    r = _mm512_fnmadd_ps(n, clipc_avx512_set(CLIPC_LN2_LOW), r);
    p = CLIPC_AVX512_POLYNOMIAL(clipc_exp_p, r);
    p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r);
    return _mm512_scalef_ps(_mm512_add_ps(p, clipc_avx512_set(1.0f)), n); /* times 2^n */
}

static inline __m512 clipc_avx512_erf(__m512 x)
{
    const __m512 sign = clipc_avx512_set(-0.0f);
    const __m512 t = _mm512_min_ps(clipc_avx512_set(CLIPC_ERF_HIGHEST), _mm512_andnot_ps(sign, x));
    const __m512 s = _mm512_mul_ps(x, x);
    __m512 p, q;

    p = CLIPC_AVX512_POLYNOMIAL(clipc_erf_p, s);
    p = _mm512_mul_ps(p, x);
    q = CLIPC_AVX512_POLYNOMIAL(clipc_erf_q, t);
    q = _mm512_sub_ps(clipc_avx512_set(1.0f), clipc_avx512_exp(q));
    q = _mm512_or_ps(q, _mm512_and_ps(sign, x));
    return _mm512_mask_blend_ps(
        _mm512_cmp_ps_mask(t, clipc_avx512_set(CLIPC_ERF_SMALL), _CMP_GT_OQ), p, q);
}

/* x / (1 + exp(-1.702 x)) */
static inline __m512 clipc_avx512_quickgelu(__m512 x)
{
    const __m512 e = clipc_avx512_exp(_mm512_mul_ps(x, clipc_avx512_set(-CLIPC_QUICKGELU_SLOPE)));

    return _mm512_div_ps(x, _mm512_add_ps(e, clipc_avx512_set(1.0f)));
}

/* x / 2 * (1 + erf(x / sqrt 2)) */
static inline __m512 clipc_avx512_gelu(__m512 x)
{
    const __m512 erf = clipc_avx512_erf(_mm512_mul_ps(x, clipc_avx512_set(CLIPC_SQRT_HALF)));

    return _mm512_mul_ps(_mm512_mul_ps(clipc_avx512_set(0.5f), x),
                         _mm512_add_ps(erf, clipc_avx512_set(1.0f)));
}

/* Of sixteen lanes, the first `count` (0 to 16). */
static inline __mmask16 clipc_avx512_lanes(size_t count)
{
    return (__mmask16)((1u << count) - 1u);
}

/* The lanes from j on that are inside a row of `count`. */
static inline __mmask16 clipc_avx512_lanes_at(size_t j, size_t count)
{
    return j + 16 <= count ? (__mmask16)0xFFFF : clipc_avx512_lanes(count - j);
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
