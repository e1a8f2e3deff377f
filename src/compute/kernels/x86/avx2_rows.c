/* SPDX-License-Identifier: MIT */
/* Kernels over single rows for AVX2 and FMA: layer norm, softmax. */
#include "compute/kernels/x86/avx2.h"
#include "compute/kernels/x86/avx2_math.h"

#include <math.h>

/* Eight values from j on, zeros beyond the row's end. */
static inline __m256 load_some(const float *x, size_t j, size_t count)
{
    return j + 8 <= count ? _mm256_loadu_ps(x + j)
                          : _mm256_maskload_ps(x + j, clipc_avx2_lanes(count - j));
}

static inline void store_some(float *x, size_t j, size_t count, __m256 value)
{
    if (j + 8 <= count)
        _mm256_storeu_ps(x + j, value);
    else
        _mm256_maskstore_ps(x + j, clipc_avx2_lanes(count - j), value);
}

/* Of eight lanes from j on, those inside the row; zeros in the others. */
static inline __m256 keep_inside(__m256 value, size_t j, size_t count)
{
    if (j + 8 <= count)
        return value;
    return _mm256_and_ps(value, _mm256_castsi256_ps(clipc_avx2_lanes(count - j)));
}

/* Two passes, so that a large mean costs no precision: four sums of eight lanes each. */
static float mean_of(const float *x, size_t width)
{
    __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                      _mm256_setzero_ps()};

    for (size_t j = 0; j < width; j += 32)
        for (size_t i = 0; i < 4 && j + 8 * i < width; i++)
            sums[i] = _mm256_add_ps(sums[i], load_some(x, j + 8 * i, width));
    return clipc_avx2_sum(
               _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]))) /
           (float)width;
}

static float variance_of(const float *x, size_t width, __m256 mean)
{
    __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                      _mm256_setzero_ps()};

    for (size_t j = 0; j < width; j += 32)
        for (size_t i = 0; i < 4 && j + 8 * i < width; i++) {
            const size_t at = j + 8 * i;
            const __m256 centered =
                keep_inside(_mm256_sub_ps(load_some(x, at, width), mean), at, width);

            sums[i] = _mm256_fmadd_ps(centered, centered, sums[i]);
        }
    return clipc_avx2_sum(
               _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]))) /
           (float)width;
}

void clipc_avx2_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                          float epsilon, float *out)
{
    const __m256 mean = _mm256_set1_ps(mean_of(x, width));
    const __m256 scale = _mm256_set1_ps(1.0f / sqrtf(variance_of(x, width, mean) + epsilon));

    for (size_t j = 0; j < width; j += 8) {
        const __m256 unit = _mm256_mul_ps(_mm256_sub_ps(load_some(x, j, width), mean), scale);

        store_some(out, j, width,
                   _mm256_fmadd_ps(unit, load_some(gain, j, width), load_some(bias, j, width)));
    }
}

static __m256 max_of(const float *x, size_t count)
{
    __m256 max = _mm256_set1_ps(x[0]);
    size_t j = 0;
    float lanes[8];

    for (; j + 8 <= count; j += 8)
        max = _mm256_max_ps(max, _mm256_loadu_ps(x + j));
    _mm256_storeu_ps(lanes, max);
    for (; j < count; j++)
        lanes[0] = x[j] > lanes[0] ? x[j] : lanes[0];
    for (size_t i = 1; i < 8; i++)
        lanes[0] = lanes[i] > lanes[0] ? lanes[i] : lanes[0];
    return _mm256_set1_ps(lanes[0]);
}

void clipc_avx2_softmax(float *x, size_t count)
{
    const __m256 max = max_of(x, count);
    __m256 sum = _mm256_setzero_ps(), scale;

    for (size_t j = 0; j < count; j += 8) {
        __m256 power = clipc_avx2_exp(_mm256_sub_ps(load_some(x, j, count), max));

        power = keep_inside(power, j, count);
        sum = _mm256_add_ps(sum, power);
        store_some(x, j, count, power);
    }
    scale = _mm256_set1_ps(1.0f / clipc_avx2_sum(sum));
    for (size_t j = 0; j < count; j += 8)
        store_some(x, j, count, _mm256_mul_ps(load_some(x, j, count), scale));
}
