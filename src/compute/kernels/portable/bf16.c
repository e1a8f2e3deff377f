/* SPDX-License-Identifier: MIT */
/* The bfloat16 matrix product in plain C. */
#include "base/float_formats.h"
#include "base/sizes.h"
#include "compute/kernels/portable/portable.h"

#define COLUMNS CLIPC_PORTABLE_PANEL_COLUMNS

/* [depth][COLUMNS] bfloat16 */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    uint16_t *out = panel;

    for (size_t k = 0; k < depth; k++)
        for (size_t j = 0; j < COLUMNS; j++)
            *out++ = j < columns ? clipc_bf16_from_float(weights[j * depth + k]) : 0;
}

static void prepare(const float *x, size_t depth, void *row)
{
    uint16_t *out = row;

    for (size_t k = 0; k < depth; k++)
        out[k] = clipc_bf16_from_float(x[k]);
}

static size_t row_bytes(size_t depth)
{
    return clipc_round_up(depth * sizeof(uint16_t), 64);
}

static void multiply(const clipc_panel_product *product)
{
    for (size_t row = 0; row < product->rows; row++) {
        const uint16_t *a = (const uint16_t *)((const char *)product->a + row * product->a_stride);
        const uint16_t *b = product->panel;
        float sum[COLUMNS] = {0.0f};

        for (size_t k = 0; k < product->depth; k++, b += COLUMNS)
            for (size_t j = 0; j < COLUMNS; j++)
                sum[j] += clipc_float_from_bf16(a[k]) * clipc_float_from_bf16(b[j]);
        clipc_portable_finish_row(product, row, sum);
    }
}

const clipc_matrix_kernel clipc_portable_bf16 = {
    .dtype = CLIPC_DTYPE_BF16,
    .panel_columns = COLUMNS,
    .tile_rows = 1,
    .depth_step = 1,
    .depth_bytes = COLUMNS * sizeof(uint16_t),
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
};
