/* SPDX-License-Identifier: MIT */
/* What follows a matrix product's sums, in plain C: bias, residual, pointwise function. */
#include "compute/kernels/portable/portable.h"

#include <math.h>

#define COLUMNS CLIPC_PORTABLE_PANEL_COLUMNS

static float quickgelu(float x)
{
    return x / (1.0f + expf(-1.702f * x));
}

static float gelu(float x)
{
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
}

static void apply_pointwise(clipc_pointwise pointwise, float *x, size_t count)
{
    switch (pointwise) {
    case CLIPC_POINTWISE_NONE: break;
    case CLIPC_POINTWISE_QUICKGELU:
        for (size_t j = 0; j < count; j++)
            x[j] = quickgelu(x[j]);
        break;
    case CLIPC_POINTWISE_GELU:
        for (size_t j = 0; j < count; j++)
            x[j] = gelu(x[j]);
        break;
    case CLIPC_POINTWISE_RELU:
        for (size_t j = 0; j < count; j++)
            x[j] = x[j] < 0.0f ? 0.0f : x[j]; /* keeps NaN, as the reference does */
        break;
    }
}

void clipc_portable_finish_row(const clipc_panel_product *product, size_t row, const float *sum)
{
    float *out = product->out + row * product->out_stride;
    float x[COLUMNS];

    for (size_t j = 0; j < product->columns; j++)
        x[j] = product->bias ? sum[j] + product->bias[j] : sum[j];
    if (product->residual) {
        const float *residual = product->residual + row * product->residual_stride;

        for (size_t j = 0; j < product->columns; j++)
            x[j] += residual[j];
    }
    apply_pointwise(product->pointwise, x, product->columns);
    for (size_t j = 0; j < product->columns; j++)
        out[j] = x[j];
}
