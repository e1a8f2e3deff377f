/* SPDX-License-Identifier: MIT */
/* What follows the sums of a matrix product for NEON: bias, residual, pointwise function, store. */
#include "compute/kernels/arm/neon.h"
#include "compute/kernels/arm/neon_math.h"

static inline float32x4_t apply(clipc_pointwise pointwise, float32x4_t x)
{
    switch (pointwise) {
    case CLIPC_POINTWISE_NONE: return x;
    case CLIPC_POINTWISE_QUICKGELU: return clipc_neon_quickgelu(x);
    case CLIPC_POINTWISE_GELU: return clipc_neon_gelu(x);
    case CLIPC_POINTWISE_RELU: return vmaxq_f32(vdupq_n_f32(0.0f), x); /* keeps NaN */
    }
    return x;
}

/* Four columns from `column` on; columns is more than that. */
static inline void finish_four(const clipc_panel_product *product, size_t row, size_t column,
                               float32x4_t sum)
{
    const size_t count = product->columns - column;

    if (product->bias)
        sum = vaddq_f32(sum, clipc_neon_load(product->bias + column, count));
    if (product->residual)
        sum = vaddq_f32(
            sum,
            clipc_neon_load(product->residual + row * product->residual_stride + column, count));
    clipc_neon_store(product->out + row * product->out_stride + column, count,
                     apply(product->pointwise, sum));
}

void clipc_neon_finish(const clipc_panel_product *product, size_t first, size_t rows,
                       const float32x4_t (*sums)[CLIPC_NEON_PANEL_COLUMNS / 4])
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j * 4 < product->columns; j++)
            finish_four(product, first + i, j * 4, sums[i][j]);
}
