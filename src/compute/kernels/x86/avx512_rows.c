/* SPDX-License-Identifier: MIT */
/* Kernels over single rows for AVX-512: layer norm, softmax. */
#include "compute/kernels/x86/avx512.h"
#include "compute/kernels/x86/avx512_math.h"

#include <math.h>

/* Two passes, so that a large mean costs no precision: two sums of sixteen lanes each. */
static float mean_of(const float *x, size_t width)
{
    __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();

    for (size_t j = 0; j < width; j += 32) {
        even = _mm512_add_ps(even, _mm512_maskz_loadu_ps(clipc_avx512_lanes_at(j, width), x + j));
        if (j + 16 < width)
            odd = _mm512_add_ps(
                odd, _mm512_maskz_loadu_ps(clipc_avx512_lanes_at(j + 16, width), x + j + 16));
    }
    return clipc_avx512_sum(_mm512_add_ps(even, odd)) / (float)width;
}

/* (x[j] - mean), zero outside of the row. */
static inline __m512 centered_at(const float *x, size_t j, size_t width, __m512 mean)
{
    const __mmask16 lanes = clipc_avx512_lanes_at(j, width);

    return _mm512_maskz_sub_ps(lanes, _mm512_maskz_loadu_ps(lanes, x + j), mean);
}

static float variance_of(const float *x, size_t width, __m512 mean)
{
    __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();

    for (size_t j = 0; j < width; j += 32) {
        const __m512 first = centered_at(x, j, width, mean);

        even = _mm512_fmadd_ps(first, first, even);
        if (j + 16 < width) {
            const __m512 second = centered_at(x, j + 16, width, mean);

            odd = _mm512_fmadd_ps(second, second, odd);
        }
    }
    return clipc_avx512_sum(_mm512_add_ps(even, odd)) / (float)width;
}

void clipc_avx512_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                            float epsilon, float *out)
{
    const __m512 mean = _mm512_set1_ps(mean_of(x, width));
    const __m512 scale = _mm512_set1_ps(1.0f / sqrtf(variance_of(x, width, mean) + epsilon));

    for (size_t j = 0; j < width; j += 16) {
        const __mmask16 lanes = clipc_avx512_lanes_at(j, width);
        const __m512 unit = _mm512_mul_ps(centered_at(x, j, width, mean), scale);

        _mm512_mask_storeu_ps(out + j, lanes,
                              _mm512_fmadd_ps(unit, _mm512_maskz_loadu_ps(lanes, gain + j),
                                              _mm512_maskz_loadu_ps(lanes, bias + j)));
    }
}

static __m512 max_of(const float *x, size_t count)
{
    __m512 max = _mm512_set1_ps(x[0]);

    for (size_t j = 0; j < count; j += 16)
        max = _mm512_mask_max_ps(max, clipc_avx512_lanes_at(j, count), max,
                                 _mm512_maskz_loadu_ps(clipc_avx512_lanes_at(j, count), x + j));
    return _mm512_set1_ps(_mm512_reduce_max_ps(max));
}

void clipc_avx512_softmax(float *x, size_t count)
{
    const __m512 max = max_of(x, count);
    __m512 sum = _mm512_setzero_ps(), scale;

    for (size_t j = 0; j < count; j += 16) {
        const __mmask16 lanes = clipc_avx512_lanes_at(j, count);
        const __m512 power =
            clipc_avx512_exp(_mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, x + j), max));

        sum = _mm512_mask_add_ps(sum, lanes, sum, power);
        _mm512_mask_storeu_ps(x + j, lanes, power);
    }
    scale = _mm512_set1_ps(1.0f / clipc_avx512_sum(sum));
    for (size_t j = 0; j < count; j += 16) {
        const __mmask16 lanes = clipc_avx512_lanes_at(j, count);

        _mm512_mask_storeu_ps(x + j, lanes,
                              _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, x + j), scale));
    }
}
