/* SPDX-License-Identifier: MIT */
/* The 8-bit matrix product in plain C. */
#include "base/sizes.h"
#include "compute/kernels/portable/portable.h"
#include "compute/kernels/quantise.h"

#define COLUMNS CLIPC_PORTABLE_PANEL_COLUMNS
#define HEADER 64 /* bytes: a panel's scales, a row's range */

/* The scales of the columns, then [depth][COLUMNS] int8. */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    float *scales = panel;
    int8_t *out = (int8_t *)panel + HEADER;

    for (size_t j = 0; j < COLUMNS; j++) {
        const float largest =
            j < columns ? clipc_largest_magnitude(weights + j * depth, depth) : 0.0f;
        const float inverse = clipc_int8_inverse_scale(largest);

        scales[j] = largest / CLIPC_INT8_LARGEST;
        for (size_t k = 0; k < depth; k++)
            out[k * COLUMNS + j] =
                j < columns ? clipc_int8_round(weights[j * depth + k], inverse) : 0;
    }
}

/* Its clipc_row_range, then [depth] int16. */
static void prepare(const float *x, size_t depth, void *row)
{
    int16_t *out = (int16_t *)(void *)((char *)row + HEADER);
    clipc_row_range *range = row;
    float low = 0.0f, high = 0.0f;

    clipc_row_bounds(x, depth, &low, &high);
    *range = clipc_row_range_of(low, high);
    for (size_t k = 0; k < depth; k++)
        out[k] = clipc_row_round(x[k], range);
}

static size_t row_bytes(size_t depth)
{
    return HEADER + clipc_round_up(depth * sizeof(int16_t), 64);
}

static void multiply(const clipc_panel_product *product)
{
    const float *scales = product->panel;

    for (size_t row = 0; row < product->rows; row++) {
        const char *start = (const char *)product->a + row * product->a_stride;
        const float scale = ((const clipc_row_range *)(const void *)start)->scale;
        const int16_t *a = (const int16_t *)(const void *)(start + HEADER);
        const int8_t *b = (const int8_t *)product->panel + HEADER;
        int32_t sum[COLUMNS] = {0};
        float value[COLUMNS];

        for (size_t k = 0; k < product->depth; k++, b += COLUMNS)
            for (size_t j = 0; j < COLUMNS; j++)
                sum[j] += a[k] * b[j];
        for (size_t j = 0; j < COLUMNS; j++)
            value[j] = (float)sum[j] * (scale * scales[j]);
        clipc_portable_finish_row(product, row, value);
    }
}

const clipc_matrix_kernel clipc_portable_int8 = {
    .dtype = CLIPC_DTYPE_INT8,
    .panel_columns = COLUMNS,
    .tile_rows = 1,
    .panel_header = HEADER,
    .depth_step = 1,
    .depth_bytes = COLUMNS,
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
};
