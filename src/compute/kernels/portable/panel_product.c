/* SPDX-License-Identifier: MIT */
/* The matrix product in plain C: a tile of rows against one packed panel of columns. */
#include "compute/kernels/portable/portable.h"

#include <math.h>

#define COLUMNS CLIPC_PORTABLE_PANEL_COLUMNS
#define TILE_ROWS CLIPC_PORTABLE_TILE_ROWS

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

/* Bias, residual, pointwise function and store of one row's sums. */
static void finish_row(const clipc_panel_product *product, size_t row, const float *sum)
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

static void four_rows(const clipc_panel_product *product, size_t row)
{
    const float *a0 = product->a + row * product->a_stride;
    const float *a1 = a0 + product->a_stride;
    const float *a2 = a1 + product->a_stride;
    const float *a3 = a2 + product->a_stride;
    const float *b = product->panel;
    float sum[TILE_ROWS][COLUMNS] = {{0.0f}};

    for (size_t k = 0; k < product->depth; k++, b += COLUMNS)
        for (size_t j = 0; j < COLUMNS; j++) {
            sum[0][j] += a0[k] * b[j];
            sum[1][j] += a1[k] * b[j];
            sum[2][j] += a2[k] * b[j];
            sum[3][j] += a3[k] * b[j];
        }
    for (size_t i = 0; i < TILE_ROWS; i++)
        finish_row(product, row + i, sum[i]);
}

static void one_row(const clipc_panel_product *product, size_t row)
{
    const float *a = product->a + row * product->a_stride;
    const float *b = product->panel;
    float sum[COLUMNS] = {0.0f};

    for (size_t k = 0; k < product->depth; k++, b += COLUMNS)
        for (size_t j = 0; j < COLUMNS; j++)
            sum[j] += a[k] * b[j];
    finish_row(product, row, sum);
}

void clipc_portable_panel_product(const clipc_panel_product *product)
{
    size_t row = 0;

    for (; row + TILE_ROWS <= product->rows; row += TILE_ROWS)
        four_rows(product, row);
    for (; row < product->rows; row++)
        one_row(product, row);
}
