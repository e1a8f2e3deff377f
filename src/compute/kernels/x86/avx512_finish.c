/* SPDX-License-Identifier: MIT */
/* What follows the sums of a matrix product for AVX-512: bias, residual, pointwise, store. */
#include "compute/kernels/x86/avx512.h"
#include "compute/kernels/x86/avx512_math.h"

static inline __m512 apply(clipc_pointwise pointwise, __m512 x)
{
    switch (pointwise) {
    case CLIPC_POINTWISE_NONE: return x;
    case CLIPC_POINTWISE_QUICKGELU: return clipc_avx512_quickgelu(x);
    case CLIPC_POINTWISE_GELU: return clipc_avx512_gelu(x);
    case CLIPC_POINTWISE_RELU: return _mm512_max_ps(_mm512_setzero_ps(), x); /* keeps NaN */
    }
    return x;
}

/* Sixteen columns from `column` on; columns is more than that. */
static inline void finish_sixteen(const clipc_panel_product *product, size_t row, size_t column,
                                  __m512 sum)
{
    const __mmask16 lanes = clipc_avx512_lanes_at(column, product->columns);

    if (product->bias)
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes, product->bias + column));
    if (product->residual)
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes, product->residual +
                                                                  row * product->residual_stride +
                                                                  column));
    _mm512_mask_storeu_ps(product->out + row * product->out_stride + column, lanes,
                          apply(product->pointwise, sum));
}

void clipc_avx512_finish(const clipc_panel_product *product, size_t first, size_t rows,
                         const __m512 (*sums)[CLIPC_AVX512_PANEL_COLUMNS / 16])
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j * 16 < product->columns; j++)
            finish_sixteen(product, first + i, j * 16, sums[i][j]);
}
