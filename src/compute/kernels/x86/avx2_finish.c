/* SPDX-License-Identifier: MIT */
/* What follows the sums of a matrix product for AVX2: bias, residual, pointwise function, store. */
#include "compute/kernels/x86/avx2.h"
#include "compute/kernels/x86/avx2_math.h"

static inline __m256 apply(clipc_pointwise pointwise, __m256 x)
{
    switch (pointwise) {
    case CLIPC_POINTWISE_NONE: return x;
    case CLIPC_POINTWISE_QUICKGELU: return clipc_avx2_quickgelu(x);
    case CLIPC_POINTWISE_GELU: return clipc_avx2_gelu(x);
    case CLIPC_POINTWISE_RELU: return _mm256_max_ps(_mm256_setzero_ps(), x); /* keeps NaN */
    }
    return x;
}

/* Eight columns from `column` on; columns is more than that. */
static inline void finish_eight(const clipc_panel_product *product, size_t row, size_t column,
                                __m256 sum)
{
    float *out = product->out + row * product->out_stride + column;
    const float *residual =
        product->residual ? product->residual + row * product->residual_stride + column : NULL;

    if (column + 8 <= product->columns) {
        if (product->bias)
            sum = _mm256_add_ps(sum, _mm256_loadu_ps(product->bias + column));
        if (residual)
            sum = _mm256_add_ps(sum, _mm256_loadu_ps(residual));
        _mm256_storeu_ps(out, apply(product->pointwise, sum));
    } else {
        const __m256i lanes = clipc_avx2_lanes(product->columns - column);

        if (product->bias)
            sum = _mm256_add_ps(sum, _mm256_maskload_ps(product->bias + column, lanes));
        if (residual)
            sum = _mm256_add_ps(sum, _mm256_maskload_ps(residual, lanes));
        _mm256_maskstore_ps(out, lanes, apply(product->pointwise, sum));
    }
}

void clipc_avx2_finish(const clipc_panel_product *product, size_t first, size_t rows,
                       const __m256 (*sums)[CLIPC_AVX2_PANEL_COLUMNS / 8])
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j * 8 < product->columns; j++)
            finish_eight(product, first + i, j * 8, sums[i][j]);
}
