/* SPDX-License-Identifier: MIT */
/* Packing weight matrices into the kernels' panels. */
#include "compute/pack.h"

#include "base/sizes.h"

bool clipc_packed_size(size_t out_features, size_t in_features, size_t panel_columns,
                       size_t *floats)
{
    size_t padded;

    if (!clipc_add_size(out_features, panel_columns - 1, &padded))
        return false;
    return clipc_mul_size(padded / panel_columns * panel_columns, in_features, floats);
}

void clipc_pack_rows(float *packed, size_t in_features, size_t panel_columns, size_t first,
                     size_t rows, const float *weights)
{
    for (size_t i = 0; i < rows; i++) {
        const size_t row = first + i;
        const float *source = weights + i * in_features;
        float *target =
            packed + row / panel_columns * panel_columns * in_features + row % panel_columns;

        for (size_t k = 0; k < in_features; k++)
            target[k * panel_columns] = source[k];
    }
}

void clipc_pack_transposed_rows(float *packed, size_t out_features, size_t in_features,
                                size_t panel_columns, size_t first, size_t rows,
                                const float *weights)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < out_features; j++)
            packed[j / panel_columns * panel_columns * in_features + (first + i) * panel_columns +
                   j % panel_columns] = weights[i * out_features + j];
}
