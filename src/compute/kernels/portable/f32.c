/* SPDX-License-Identifier: MIT */
/* The float32 matrix product in plain C: a tile of rows against one packed panel of columns. */
#include "compute/kernels/portable/portable.h"

#define COLUMNS CLIPC_PORTABLE_PANEL_COLUMNS
#define TILE_ROWS CLIPC_PORTABLE_TILE_ROWS

static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    float *out = panel;

    for (size_t k = 0; k < depth; k++)
        for (size_t j = 0; j < COLUMNS; j++)
            *out++ = j < columns ? weights[j * depth + k] : 0.0f;
}

static size_t row_bytes(size_t depth)
{
    return depth * sizeof(float);
}

static const float *row_at(const clipc_panel_product *product, size_t row)
{
    return (const float *)(const void *)((const char *)product->a + row * product->a_stride);
}

static void four_rows(const clipc_panel_product *product, size_t row)
{
    const float *a0 = row_at(product, row), *a1 = row_at(product, row + 1);
    const float *a2 = row_at(product, row + 2), *a3 = row_at(product, row + 3);
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
        clipc_portable_finish_row(product, row + i, sum[i]);
}

static void one_row(const clipc_panel_product *product, size_t row)
{
    const float *a = row_at(product, row);
    const float *b = product->panel;
    float sum[COLUMNS] = {0.0f};

    for (size_t k = 0; k < product->depth; k++, b += COLUMNS)
        for (size_t j = 0; j < COLUMNS; j++)
            sum[j] += a[k] * b[j];
    clipc_portable_finish_row(product, row, sum);
}

static void multiply(const clipc_panel_product *product)
{
    size_t row = 0;

    for (; row + TILE_ROWS <= product->rows; row += TILE_ROWS)
        four_rows(product, row);
    for (; row < product->rows; row++)
        one_row(product, row);
}

const clipc_matrix_kernel clipc_portable_f32 = {
    .dtype = CLIPC_DTYPE_F32,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = 1,
    .depth_bytes = COLUMNS * sizeof(float),
    .pack = pack,
    .row_bytes = row_bytes,
    .product = multiply,
};
