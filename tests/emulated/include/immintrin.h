/* SPDX-License-Identifier: MIT */
/*
 * Stands in front of the compiler's <immintrin.h>: AVX-512 in instructions that any processor with
 * AVX2 has, so that its kernels are tested where it is missing. SIMDe has most of it; what it lacks
 * is here, by the letter of the processor's manual. Loads and stores under a mask touch no memory
 * outside of it, so that guard pages and the address sanitizer see what the kernels really reach.
 */
#ifndef CLIPC_TESTS_EMULATED_IMMINTRIN_H
#define CLIPC_TESTS_EMULATED_IMMINTRIN_H

#include_next <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

/* What tiles are made of stays out of line: they would be a hundred times as large. */
#define EMULATED_OUT_OF_LINE static inline __attribute__((noinline))

EMULATED_OUT_OF_LINE __m512 emulated_fmadd_ps(__m512 a, __m512 b, __m512 sum)
{
    return simde_mm512_fmadd_ps(a, b, sum);
}
#undef _mm512_fmadd_ps
#define _mm512_fmadd_ps emulated_fmadd_ps

EMULATED_OUT_OF_LINE __m512i emulated_dpbusd_epi32(__m512i sum, __m512i a, __m512i b)
{
    return simde_mm512_dpbusd_epi32(sum, a, b);
}
#undef _mm512_dpbusd_epi32
#define _mm512_dpbusd_epi32 emulated_dpbusd_epi32

EMULATED_OUT_OF_LINE __m512 emulated_set1_ps(float x)
{
    return simde_mm512_set1_ps(x);
}
#undef _mm512_set1_ps
#define _mm512_set1_ps emulated_set1_ps

EMULATED_OUT_OF_LINE __m512i emulated_set1_epi32(int32_t x)
{
    return simde_mm512_set1_epi32(x);
}
#undef _mm512_set1_epi32
#define _mm512_set1_epi32 emulated_set1_epi32

/* Sixteen lanes in memory. */
typedef struct emulated_floats {
    float lane[16];
} emulated_floats;

typedef struct emulated_whole {
    int32_t lane[16];
} emulated_whole;

static inline emulated_floats emulated_floats_of(__m512 x)
{
    emulated_floats lanes;

    memcpy(&lanes, &x, sizeof(lanes));
    return lanes;
}

static inline __m512 emulated_from_floats(emulated_floats lanes)
{
    __m512 x;

    memcpy(&x, &lanes, sizeof(x));
    return x;
}

static inline emulated_whole emulated_whole_of(__m512i x)
{
    emulated_whole lanes;

    memcpy(&lanes, &x, sizeof(lanes));
    return lanes;
}

static inline __m512i emulated_from_whole(emulated_whole lanes)
{
    __m512i x;

    memcpy(&x, &lanes, sizeof(x));
    return x;
}

static inline __m512 emulated_maskz_loadu_ps(__mmask16 mask, const void *from)
{
    emulated_floats lanes = {{0.0f}};

    for (int i = 0; i < 16; i++)
        if (mask >> i & 1)
            memcpy(&lanes.lane[i], (const char *)from + 4 * i, 4);
    return emulated_from_floats(lanes);
}
#undef _mm512_maskz_loadu_ps
#define _mm512_maskz_loadu_ps emulated_maskz_loadu_ps

static inline void emulated_mask_storeu_ps(void *to, __mmask16 mask, __m512 x)
{
    const emulated_floats lanes = emulated_floats_of(x);

    for (int i = 0; i < 16; i++)
        if (mask >> i & 1)
            memcpy((char *)to + 4 * i, &lanes.lane[i], 4);
}
#undef _mm512_mask_storeu_ps
#define _mm512_mask_storeu_ps emulated_mask_storeu_ps

/* To nearest, halves to even; what has no place in 32 bits, and NaN, is the smallest number. */
static inline __m512i emulated_cvtps_epi32(__m512 x)
{
    const emulated_floats lanes = emulated_floats_of(x);
    emulated_whole whole;

    for (int i = 0; i < 16; i++) {
        const float rounded = nearbyintf(lanes.lane[i]);

        whole.lane[i] = rounded >= -0x1p31f && rounded < 0x1p31f ? (int32_t)rounded : INT32_MIN;
    }
    return emulated_from_whole(whole);
}
#undef _mm512_cvtps_epi32
#define _mm512_cvtps_epi32 emulated_cvtps_epi32

static inline __m512 emulated_cvtepi32_ps(__m512i x)
{
    const emulated_whole whole = emulated_whole_of(x);
    emulated_floats lanes;

    for (int i = 0; i < 16; i++)
        lanes.lane[i] = (float)whole.lane[i];
    return emulated_from_floats(lanes);
}
#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps

/* The lowest byte of each. */
static inline __m128i emulated_cvtepi32_epi8(__m512i x)
{
    const emulated_whole whole = emulated_whole_of(x);
    uint8_t bytes[16];
    __m128i result;

    for (int i = 0; i < 16; i++)
        bytes[i] = (uint8_t)whole.lane[i];
    memcpy(&result, bytes, sizeof(result));
    return result;
}
#undef _mm512_cvtepi32_epi8
#define _mm512_cvtepi32_epi8 emulated_cvtepi32_epi8

/* x times 2^n, n whole, rounded once. */
static inline __m512 emulated_scalef_ps(__m512 x, __m512 n)
{
    emulated_floats lanes = emulated_floats_of(x);
    const emulated_floats exponents = emulated_floats_of(n);

    for (int i = 0; i < 16; i++)
        lanes.lane[i] =
            isnan(exponents.lane[i])
                ? exponents.lane[i]
                : ldexpf(lanes.lane[i], (int)fminf(fmaxf(exponents.lane[i], -1e6f), 1e6f));
    return emulated_from_floats(lanes);
}
#undef _mm512_scalef_ps
#define _mm512_scalef_ps emulated_scalef_ps

static inline __m256 emulated_extractf32x8_ps(__m512 x, int half)
{
    const emulated_floats lanes = emulated_floats_of(x);

    return _mm256_loadu_ps(lanes.lane + 8 * (half & 1));
}
#undef _mm512_extractf32x8_ps
#define _mm512_extractf32x8_ps emulated_extractf32x8_ps

/* By halves, as compilers write it: of a NaN, the second operand stays. */
static inline float emulated_reduce_max_ps(__m512 x)
{
    emulated_floats lanes = emulated_floats_of(x);

    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lanes.lane[i] =
                lanes.lane[i] > lanes.lane[i + half] ? lanes.lane[i] : lanes.lane[i + half];
    return lanes.lane[0];
}
#undef _mm512_reduce_max_ps
#define _mm512_reduce_max_ps emulated_reduce_max_ps

static inline float emulated_reduce_min_ps(__m512 x)
{
    return -emulated_reduce_max_ps(_mm512_sub_ps(_mm512_setzero_ps(), x));
}
#undef _mm512_reduce_min_ps
#define _mm512_reduce_min_ps emulated_reduce_min_ps

/* --- AVX512_BF16: numbers below 2^-126 are zero wherever they enter or come out --- */

static inline float emulated_flush(float x)
{
    return fabsf(x) < 0x1p-126f ? copysignf(0.0f, x) : x;
}

static inline float emulated_widen(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof(x));
    return emulated_flush(x);
}

static inline uint16_t emulated_round(float x)
{
    uint32_t bits;

    x = emulated_flush(x);
    memcpy(&bits, &x, sizeof(bits));
    if (isnan(x))
        return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

static inline __m256bh emulated_cvtneps_pbh(__m512 x)
{
    const emulated_floats lanes = emulated_floats_of(x);
    uint16_t halves[16];
    __m256bh result;

    for (int i = 0; i < 16; i++)
        halves[i] = emulated_round(lanes.lane[i]);
    memcpy(&result, halves, sizeof(result));
    return result;
}
#undef _mm512_cvtneps_pbh
#define _mm512_cvtneps_pbh emulated_cvtneps_pbh

/* The upper products first, then the lower ones, each by a multiply-add that rounds once. */
EMULATED_OUT_OF_LINE __m512 emulated_dpbf16_ps(__m512 sum, __m512bh a, __m512bh b)
{
    emulated_floats lanes = emulated_floats_of(sum);
    uint32_t x[16], y[16];

    memcpy(x, &a, sizeof(x));
    memcpy(y, &b, sizeof(y));
    for (int i = 0; i < 16; i++) {
        float *lane = &lanes.lane[i];

        *lane = emulated_flush(fmaf(emulated_widen(x[i] & 0xFFFF0000u),
                                    emulated_widen(y[i] & 0xFFFF0000u), emulated_flush(*lane)));
        *lane = emulated_flush(fmaf(emulated_widen(x[i] << 16), emulated_widen(y[i] << 16), *lane));
    }
    return emulated_from_floats(lanes);
}
#undef _mm512_dpbf16_ps
#define _mm512_dpbf16_ps emulated_dpbf16_ps

/* --- What resampling takes besides --- */

/* The alias that SIMDe defines is that of the masked one. */
#undef _mm512_madd_epi16
#define _mm512_madd_epi16 simde_mm512_madd_epi16

static inline __m512i emulated_srai_epi32(__m512i x, unsigned count)
{
    emulated_whole lanes = emulated_whole_of(x);

    for (int i = 0; i < 16; i++)
        lanes.lane[i] >>= count < 31 ? count : 31;
    return emulated_from_whole(lanes);
}
#undef _mm512_srai_epi32
#define _mm512_srai_epi32 emulated_srai_epi32

static inline __m512i emulated_cvtepu8_epi32(__m128i x)
{
    uint8_t bytes[16];
    emulated_whole lanes;

    memcpy(bytes, &x, sizeof(bytes));
    for (int i = 0; i < 16; i++)
        lanes.lane[i] = bytes[i];
    return emulated_from_whole(lanes);
}
#undef _mm512_cvtepu8_epi32
#define _mm512_cvtepu8_epi32 emulated_cvtepu8_epi32

/* Each taken as unsigned, and as 255 where it is more. */
static inline __m128i emulated_cvtusepi32_epi8(__m512i x)
{
    const emulated_whole whole = emulated_whole_of(x);
    uint8_t bytes[16];
    __m128i result;

    for (int i = 0; i < 16; i++)
        bytes[i] = (uint32_t)whole.lane[i] > 255 ? 255 : (uint8_t)whole.lane[i];
    memcpy(&result, bytes, sizeof(result));
    return result;
}
#undef _mm512_cvtusepi32_epi8
#define _mm512_cvtusepi32_epi8 emulated_cvtusepi32_epi8

/* Four lanes to each four of which the mask has a bit; the others keep x. */
static inline __m512i emulated_mask_broadcast_i32x4(__m512i x, __mmask16 mask, __m128i four)
{
    emulated_whole lanes = emulated_whole_of(x);
    int32_t values[4];

    memcpy(values, &four, sizeof(values));
    for (int i = 0; i < 16; i++)
        if (mask >> i & 1)
            lanes.lane[i] = values[i % 4];
    return emulated_from_whole(lanes);
}
#undef _mm512_mask_broadcast_i32x4
#define _mm512_mask_broadcast_i32x4 emulated_mask_broadcast_i32x4

/* Within each four lanes, the one that the lowest two bits name. */
static inline __m512 emulated_permutevar_ps(__m512 x, __m512i places)
{
    const emulated_floats from = emulated_floats_of(x);
    const emulated_whole place = emulated_whole_of(places);
    emulated_floats lanes;

    for (int i = 0; i < 16; i++)
        memcpy(&lanes.lane[i], &from.lane[(i & ~3) + (place.lane[i] & 3)], sizeof(float));
    return emulated_from_floats(lanes);
}
#undef _mm512_permutevar_ps
#define _mm512_permutevar_ps emulated_permutevar_ps

static inline void emulated_mask_storeu_epi8(void *to, __mmask64 mask, __m512i x)
{
    uint8_t bytes[64];

    memcpy(bytes, &x, sizeof(bytes));
    for (int i = 0; i < 64; i++)
        if (mask >> i & 1)
            ((uint8_t *)to)[i] = bytes[i];
}
#undef _mm512_mask_storeu_epi8
#define _mm512_mask_storeu_epi8 emulated_mask_storeu_epi8

#endif
