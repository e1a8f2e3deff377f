/* SPDX-License-Identifier: MIT */
/* The transforms of Winograd's convolution in plain C, as kernels/winograd.h has them. */
#include "compute/kernels/winograd.h"
#include "compute/kernels/portable/portable.h"

#define INPUTS CLIPC_WINOGRAD_INPUTS
#define OUTPUTS CLIPC_WINOGRAD_OUTPUTS

static const float a = (float)CLIPC_WINOGRAD_A, b = (float)CLIPC_WINOGRAD_B;

/* y = B^T x; both have elements `step` apart. */
static void transform_input(const float *x, float *y, size_t step)
{
    const float x1 = x[step], x2 = x[2 * step], x3 = x[3 * step], x4 = x[4 * step];
    const float even_a = x4 - 2.0f * x2, odd_a = a * (x3 - 2.0f * x1);
    const float even_b = x4 - 0.5f * x2, odd_b = b * (x3 - 0.5f * x1);

    y[0] = x[0] + x4 - 2.5f * x2;
    y[step] = even_a + odd_a;
    y[2 * step] = even_a - odd_a;
    y[3 * step] = even_b + odd_b;
    y[4 * step] = even_b - odd_b;
    y[5 * step] = x1 + x[5 * step] - 2.5f * x3;
}

/* y = A^T m; both have elements `step` apart. */
static void transform_output(const float *m, float *y, size_t step)
{
    const float sum_a = m[step] + m[2 * step], difference_a = m[step] - m[2 * step];
    const float sum_b = m[3 * step] + m[4 * step], difference_b = m[3 * step] - m[4 * step];

    y[0] = m[0] + sum_a + sum_b;
    y[step] = a * difference_a + b * difference_b;
    y[2 * step] = 0.5f * sum_a + 2.0f * sum_b;
    y[3 * step] = m[5 * step] + 0.5f * a * difference_a + 2.0f * b * difference_b;
}

void clipc_portable_winograd_input(const float *const *pixels, size_t channels, float *out,
                                   size_t point_stride)
{
    for (size_t c = 0; c < channels; c++) {
        float x[INPUTS * INPUTS], half[INPUTS * INPUTS];

        for (size_t i = 0; i < INPUTS * INPUTS; i++)
            x[i] = pixels[i][c];
        for (size_t column = 0; column < INPUTS; column++)
            transform_input(x + column, half + column, INPUTS);
        for (size_t row = 0; row < INPUTS; row++)
            transform_input(half + row * INPUTS, x + row * INPUTS, 1);
        for (size_t i = 0; i < INPUTS * INPUTS; i++)
            out[i * point_stride + c] = x[i];
    }
}

/* The place (y, x) of the tile's result, where `places` are its OUTPUTS rows, INPUTS apart. */
static float place_at(const clipc_winograd_tile *tile, const float *places, size_t y, size_t x)
{
    const float *corner = places + 2 * (y * INPUTS + x);

    if (!tile->pools)
        return places[y * INPUTS + x];
    return 0.25f * (corner[0] + corner[1] + corner[INPUTS] + corner[INPUTS + 1]);
}

void clipc_portable_winograd_output(const clipc_winograd_tile *tile)
{
    for (size_t j = 0; j < tile->columns; j++) {
        const float bias = tile->bias ? tile->bias[j] : 0.0f;
        float m[INPUTS * INPUTS], half[OUTPUTS * INPUTS], y[OUTPUTS * INPUTS];

        for (size_t i = 0; i < INPUTS * INPUTS; i++)
            m[i] = tile->sums[i * tile->point_stride + j];
        for (size_t column = 0; column < INPUTS; column++)
            transform_output(m + column, half + column, INPUTS);
        for (size_t row = 0; row < OUTPUTS; row++) {
            transform_output(half + row * INPUTS, y + row * INPUTS, 1);
            for (size_t i = row * INPUTS; i < row * INPUTS + OUTPUTS; i++) {
                y[i] += bias;
                if (tile->relu && y[i] < 0.0f)
                    y[i] = 0.0f; /* keeps NaN */
            }
        }
        for (size_t row = 0; row < tile->rows; row++)
            for (size_t place = 0; place < tile->width; place++)
                tile->out[row * tile->row_stride + place * tile->place_stride + j] =
                    place_at(tile, y, row, place);
    }
}
