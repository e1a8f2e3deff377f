/* SPDX-License-Identifier: MIT */
/* Packing weight matrices into the kernels' panels. */
#include "compute/pack.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "compute/kernels/winograd.h"

#include <string.h>

#define INPUTS CLIPC_WINOGRAD_INPUTS

/* Bytes of a panel's header and elements. */
static size_t used_bytes(const clipc_matrix_kernel *kernel, size_t in_features)
{
    return kernel->panel_header +
           clipc_round_up(in_features, kernel->depth_step) * kernel->depth_bytes;
}

size_t clipc_panel_bytes(const clipc_matrix_kernel *kernel, size_t in_features)
{
    return clipc_round_up(used_bytes(kernel, in_features), CLIPC_ALIGNMENT);
}

bool clipc_panel_has_slices(const clipc_matrix_kernel *kernel, size_t step)
{
    return kernel->panel_header == 0 && step % kernel->depth_step == 0 &&
           step * kernel->depth_bytes % CLIPC_ALIGNMENT == 0;
}

const void *clipc_panel_slice(const clipc_matrix_kernel *kernel, const void *panel, size_t first)
{
    return (const char *)panel + first * kernel->depth_bytes;
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

/* Extents after the first are one depth, but in Winograd's form. */
clipc_packed_shape clipc_packed_shape_of(const clipc_parameter *parameter)
{
    const size_t *extent = parameter->shape.extent;

    if (parameter->form == CLIPC_FORM_WINOGRAD)
        return (clipc_packed_shape){extent[0], extent[1], CLIPC_WINOGRAD_POINTS};
    if (parameter->role == CLIPC_ROLE_MATRIX_TRANSPOSED)
        return (clipc_packed_shape){extent[1], extent[0], 1};
    return (clipc_packed_shape){extent[0], clipc_shape_count(&parameter->shape) / extent[0], 1};
}

bool clipc_parameter_bytes(const clipc_parameter *parameter, size_t *bytes)
{
    const size_t count = clipc_shape_count(&parameter->shape);
    clipc_packed_shape shape;

    switch (parameter->form) {
    case CLIPC_FORM_PLAIN: return clipc_mul_size(count, sizeof(float), bytes);
    case CLIPC_FORM_HALF: return clipc_mul_size(count, sizeof(uint16_t), bytes);
    case CLIPC_FORM_PANELS:
    case CLIPC_FORM_WINOGRAD:
        shape = clipc_packed_shape_of(parameter);
        return clipc_packed_bytes(parameter->kernel, shape.out, shape.in, bytes) &&
               clipc_mul_size(*bytes, shape.points, bytes);
    }
    return false;
}

/* Packs one panel. What lies between header, elements and the next panel goes to files, too. */
static void pack_panel(const clipc_matrix_kernel *kernel, const float *weights, size_t columns,
                       size_t in_features, char *panel)
{
    const size_t used = used_bytes(kernel, in_features);

    memset(panel, 0, kernel->panel_header);
    memset(panel + used, 0, clipc_panel_bytes(kernel, in_features) - used);
    kernel->pack(weights, columns, in_features, panel);
}

void clipc_pack_rows(const clipc_matrix_kernel *kernel, void *packed, size_t in_features,
                     size_t first, size_t rows, const float *weights)
{
    const size_t bytes = clipc_panel_bytes(kernel, in_features);
    char *panel = (char *)packed + first / kernel->panel_columns * bytes;

    for (size_t row = 0; row < rows; row += kernel->panel_columns, panel += bytes)
        pack_panel(kernel, weights + row * in_features,
                   clipc_min_size(kernel->panel_columns, rows - row), in_features, panel);
}

/* out = G g, G of kernels/winograd.h; elements of both stand `step` apart. */
static inline void transform_three(const double *g, double *out, size_t step)
{
    const double even_a = -2.0 / 3.0 * (g[0] + 0.5 * g[2 * step]);
    const double odd_a = -2.0 / 3.0 * CLIPC_WINOGRAD_A * g[step];
    const double even_b = 1.0 / 6.0 * (g[0] + 2.0 * g[2 * step]);
    const double odd_b = 1.0 / 6.0 * CLIPC_WINOGRAD_B * g[step];

    out[0] = g[0];
    out[step] = even_a + odd_a;
    out[2 * step] = even_a - odd_a;
    out[3 * step] = even_b + odd_b;
    out[4 * step] = even_b - odd_b;
    out[5 * step] = g[2 * step];
}

/* G g G^T of one channel of a filter [3][3][in]; the points go to out, `stride` floats apart. */
static inline void transform_channel(const float *filter, size_t in, float *out, size_t stride)
{
    double g[9], half[INPUTS * 3], points[INPUTS];

    for (size_t place = 0; place < 9; place++)
        g[place] = (double)filter[place * in];
    for (size_t column = 0; column < 3; column++)
        transform_three(g + column, half + column, 3);
    for (size_t row = 0; row < INPUTS; row++) {
        transform_three(half + 3 * row, points, 1);
        for (size_t i = 0; i < INPUTS; i++)
            out[(row * INPUTS + i) * stride] = (float)points[i];
    }
}

/* From point to point of a panel's filters: not so that all fall into the same set of a cache. */
static size_t point_stride(const clipc_matrix_kernel *kernel, size_t in_channels)
{
    return kernel->panel_columns * in_channels + CLIPC_ALIGNMENT / sizeof(float);
}

size_t clipc_pack_winograd_floats(const clipc_matrix_kernel *kernel, size_t in_channels)
{
    return CLIPC_WINOGRAD_POINTS * point_stride(kernel, in_channels);
}

void clipc_pack_winograd(const clipc_matrix_kernel *kernel, void *packed, size_t in_channels,
                         size_t first, size_t rows, const float *weights, float *points)
{
    const size_t columns = kernel->panel_columns, bytes = clipc_panel_bytes(kernel, in_channels);
    const size_t stride = point_stride(kernel, in_channels);
    char *panel = (char *)packed + first / columns * CLIPC_WINOGRAD_POINTS * bytes;

    for (size_t row = 0; row < rows; row += columns) {
        const size_t count = clipc_min_size(columns, rows - row);

        for (size_t i = 0; i < count * in_channels; i++)
            transform_channel(weights + (row + i / in_channels) * 9 * in_channels + i % in_channels,
                              in_channels, points + i, stride);
        for (size_t point = 0; point < CLIPC_WINOGRAD_POINTS; point++, panel += bytes)
            pack_panel(kernel, points + point * stride, count, in_channels, panel);
    }
}
