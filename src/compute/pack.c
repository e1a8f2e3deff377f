/* SPDX-License-Identifier: MIT */
/* Packing weight matrices into the kernels' panels. */
#include "compute/pack.h"

#include "base/memory.h"
#include "base/sizes.h"

size_t clipc_panel_bytes(const clipc_matrix_kernel *kernel, size_t in_features)
{
    const size_t steps = clipc_round_up(in_features, kernel->depth_step);

    return clipc_round_up(kernel->panel_header + steps * kernel->depth_bytes, CLIPC_ALIGNMENT);
}

bool clipc_packed_bytes(const clipc_matrix_kernel *kernel, size_t out_features, size_t in_features,
                        size_t *bytes)
{
    size_t columns;

    if (in_features > SIZE_MAX / 4 / kernel->depth_bytes ||
        !clipc_add_size(out_features, kernel->panel_columns - 1, &columns))
        return false;
    return clipc_mul_size(columns / kernel->panel_columns, clipc_panel_bytes(kernel, in_features),
                          bytes);
}

void clipc_pack_rows(const clipc_matrix_kernel *kernel, void *packed, size_t in_features,
                     size_t first, size_t rows, const float *weights)
{
    const size_t bytes = clipc_panel_bytes(kernel, in_features);
    char *panel = (char *)packed + first / kernel->panel_columns * bytes;

    for (size_t row = 0; row < rows; row += kernel->panel_columns, panel += bytes)
        kernel->pack(weights + row * in_features, clipc_min_size(kernel->panel_columns, rows - row),
                     in_features, panel);
}
