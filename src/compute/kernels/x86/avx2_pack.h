/* SPDX-License-Identifier: MIT */
/*
 * Packing weights into panels with AVX2, for the levels above it too. A packed form is a matrix of
 * 32-bit units, each of one, two or four weights of a column: eight units of eight columns at a
 * time are formed in registers and transposed there. Whatever is left over is the kernels' to pack,
 * one weight at a time.
 */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX2_PACK_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX2_PACK_H

#include "compute/kernels/quantise.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Eight units from a column's weights; `inverse` as in quantise.h. A constant where inlined. */
typedef __m256i (*clipc_avx2_units_fn)(const float *x, float inverse);

/* --- Units --- */

/* One float32 each. */
static inline __m256i clipc_avx2_floats(const float *x, float inverse)
{
    (void)inverse;
    return _mm256_loadu_si256((const __m256i *)(const void *)x);
}

/* The nearest bfloat16, halves to even, as float32; NaN stays NaN. As clipc_bf16_from_float. */
static inline __m256i clipc_avx2_round_bf16(const float *x)
{
    const __m256 value = _mm256_loadu_ps(x);
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(value, value, _CMP_UNORD_Q));

    return _mm256_and_si256(_mm256_blendv_epi8(rounded, quiet, is_nan),
                            _mm256_set1_epi32((int)0xFFFF0000u));
}

/* Two bfloat16 each, the first in the lower half. */
static inline __m256i clipc_avx2_bf16_pairs(const float *x, float inverse)
{
    const __m256i first = _mm256_srli_epi32(clipc_avx2_round_bf16(x), 16);
    const __m256i second = _mm256_srli_epi32(clipc_avx2_round_bf16(x + 8), 16);

    (void)inverse;
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(first, second), 0xD8);
}

/* Eight values as clipc_int8_round. */
static inline __m256i clipc_avx2_int8_round(const float *x, float inverse)
{
    const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(x), _mm256_set1_ps(inverse));
    const __m256 most = _mm256_set1_ps(CLIPC_INT8_LARGEST);

    /* Of a NaN, the second operand stays. */
    return _mm256_cvtps_epi32(
        _mm256_min_ps(_mm256_max_ps(scaled, _mm256_set1_ps(-CLIPC_INT8_LARGEST)), most));
}

/* Four int8 each, the first in the lowest byte. */
static inline __m256i clipc_avx2_int8_quads(const float *x, float inverse)
{
    const __m256i first = _mm256_packs_epi32(clipc_avx2_int8_round(x, inverse),
                                             clipc_avx2_int8_round(x + 8, inverse));
    const __m256i second = _mm256_packs_epi32(clipc_avx2_int8_round(x + 16, inverse),
                                              clipc_avx2_int8_round(x + 24, inverse));

    return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(first, second),
                                       _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* --- Panels --- */

/* units[i] becomes what was unit i of each. */
static inline void clipc_avx2_transpose(__m256i *units)
{
    __m256i pairs[8], quads[8];

    for (size_t i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_epi32(units[i], units[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_epi32(units[i], units[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4)
        for (size_t j = 0; j < 2; j++) {
            quads[i + 2 * j] = _mm256_unpacklo_epi64(pairs[i + j], pairs[i + j + 2]);
            quads[i + 2 * j + 1] = _mm256_unpackhi_epi64(pairs[i + j], pairs[i + j + 2]);
        }
    for (size_t i = 0; i < 4; i++) {
        units[i] = _mm256_permute2x128_si256(quads[i], quads[i + 4], 0x20);
        units[i + 4] = _mm256_permute2x128_si256(quads[i], quads[i + 4], 0x31);
    }
}

/* out[i] = unit i of eight columns. */
static inline __attribute__((always_inline)) void
clipc_avx2_eight_columns(const float *weights, size_t depth, const float *inverses,
                         const clipc_avx2_units_fn units, __m256i *out)
{
    for (size_t j = 0; j < 8; j++)
        out[j] = units(weights + j * depth, inverses ? inverses[j] : 0.0f);
    clipc_avx2_transpose(out);
}

/*
 * weights: [width][depth] to panel: [depth / per_unit][width] units. inverses: [width], or NULL for
 * units that need none. Returns the depth that is done, a multiple of 8 * per_unit.
 */
static inline __attribute__((always_inline)) size_t
clipc_avx2_pack_units(const float *weights, size_t depth, const size_t width, const float *inverses,
                      const size_t per_unit, const clipc_avx2_units_fn units, void *panel)
{
    size_t k = 0;

    for (; k + 8 * per_unit <= depth; k += 8 * per_unit)
        for (size_t j = 0; j < width; j += 8) {
            uint32_t *out = (uint32_t *)panel + k / per_unit * width + j;
            __m256i steps[8];

            clipc_avx2_eight_columns(weights + j * depth + k, depth, inverses ? inverses + j : NULL,
                                     units, steps);
            for (size_t i = 0; i < 8; i++)
                _mm256_storeu_si256((__m256i *)(void *)(out + i * width), steps[i]);
        }
    return k;
}

/*
 * The same for a form of half as many bits, sixteen columns wide: a unit is two steps of it, the
 * lower half the first. panel: [2 * depth / per_unit][16].
 */
static inline __attribute__((always_inline)) size_t
clipc_avx2_pack_halves(const float *weights, size_t depth, const float *inverses,
                       const size_t per_unit, const clipc_avx2_units_fn units, void *panel)
{
    const __m256i lower = _mm256_set1_epi32(0xFFFF);
    __m256i *out = panel;
    size_t k = 0;

    for (; k + 8 * per_unit <= depth; k += 8 * per_unit) {
        __m256i left[8], right[8];

        clipc_avx2_eight_columns(weights + k, depth, inverses, units, left);
        clipc_avx2_eight_columns(weights + 8 * depth + k, depth, inverses ? inverses + 8 : NULL,
                                 units, right);
        for (size_t i = 0; i < 8; i++) {
            const __m256i first = _mm256_packus_epi32(_mm256_and_si256(left[i], lower),
                                                      _mm256_and_si256(right[i], lower));
            const __m256i second = _mm256_packus_epi32(_mm256_srli_epi32(left[i], 16),
                                                       _mm256_srli_epi32(right[i], 16));

            _mm256_storeu_si256(out++, _mm256_permute4x64_epi64(first, 0xD8));
            _mm256_storeu_si256(out++, _mm256_permute4x64_epi64(second, 0xD8));
        }
    }
    return k;
}

/* --- Forms that levels share --- */

/* float32: [columns][depth] to panel: [depth][width], zeros from `columns` on; width: 8, 16, ... */
static inline __attribute__((always_inline)) void
clipc_avx2_pack_columns(const float *weights, size_t columns, size_t depth, const size_t width,
                        float *panel)
{
    size_t k = 0;

    if (columns == width)
        k = clipc_avx2_pack_units(weights, depth, width, NULL, 1, clipc_avx2_floats, panel);
    for (; k < depth; k++)
        for (size_t j = 0; j < width; j++)
            panel[k * width + j] = j < columns ? weights[j * depth + k] : 0.0f;
}

/* As clipc_largest_magnitude. */
static inline float clipc_avx2_largest_magnitude(const float *x, size_t count)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 even = _mm256_setzero_ps(), odd = _mm256_setzero_ps();
    float lanes[8], largest, rest;
    size_t i = 0;

    /* Of a NaN, the second operand stays. */
    for (; i + 16 <= count; i += 16) {
        even = _mm256_max_ps(_mm256_andnot_ps(sign, _mm256_loadu_ps(x + i)), even);
        odd = _mm256_max_ps(_mm256_andnot_ps(sign, _mm256_loadu_ps(x + i + 8)), odd);
    }
    _mm256_storeu_ps(lanes, _mm256_max_ps(even, odd));
    largest = clipc_largest_magnitude(lanes, 8);
    rest = clipc_largest_magnitude(x + i, count - i);
    return largest > rest ? largest : rest;
}

/*
 * The scales of `width` columns and what their weights are multiplied by; zero from `columns` on.
 */
static inline void clipc_avx2_column_scales(const float *weights, size_t columns, size_t depth,
                                            size_t width, float *scales, float *inverses)
{
    for (size_t j = 0; j < width; j++) {
        const float largest =
            j < columns ? clipc_avx2_largest_magnitude(weights + j * depth, depth) : 0.0f;

        scales[j] = largest / CLIPC_INT8_LARGEST;
        inverses[j] = clipc_int8_inverse_scale(largest);
    }
}

#endif
