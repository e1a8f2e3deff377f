/* SPDX-License-Identifier: MIT */
/* The resampling kernels in plain C. */
#include "image/kernels/kernels.h"

static const int32_t half = 1 << (CLIPC_WEIGHT_BITS - 1);

static uint8_t cut(int32_t sum)
{
    const int32_t value = sum >> CLIPC_WEIGHT_BITS;

    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void mix_pixels_of_row(const clipc_windows *windows, const uint8_t *in, size_t channels,
                              uint8_t *out)
{
    for (size_t i = 0; i < windows->count; i++) {
        const int32_t *weights = windows->weights + i * windows->taps;
        const uint8_t *pixel = in + windows->starts[i] * channels;
        int32_t sums[4] = {half, half, half, half};

        for (size_t k = 0; k < windows->taps; k++)
            for (size_t channel = 0; channel < channels; channel++)
                sums[channel] += weights[k] * pixel[k * channels + channel];
        for (size_t channel = 0; channel < channels; channel++)
            out[i * channels + channel] = cut(sums[channel]);
    }
}

static void mix_pixels(const clipc_windows *windows, const uint8_t *const *in, size_t rows,
                       size_t channels, uint8_t *const *out)
{
    for (size_t row = 0; row < rows; row++)
        mix_pixels_of_row(windows, in[row], channels, out[row]);
}

/* As many columns as stay in the nearest cache, row by row. */
static void mix_rows(const int32_t *weights, const uint8_t *const *in, size_t taps, size_t bytes,
                     uint8_t *out)
{
    int32_t sums[512];
    const size_t most = sizeof(sums) / sizeof(sums[0]);

    for (size_t from = 0; from < bytes; from += most) {
        const size_t count = bytes - from < most ? bytes - from : most;

        for (size_t x = 0; x < count; x++)
            sums[x] = half;
        for (size_t k = 0; k < taps; k++)
            for (size_t x = 0; x < count; x++)
                sums[x] += weights[k] * in[k][from + x];
        for (size_t x = 0; x < count; x++)
            out[from + x] = cut(sums[x]);
    }
}

const clipc_resample_kernels clipc_resample_portable = {
    .level = "portable",
    .mix_pixels = mix_pixels,
    .mix_rows = mix_rows,
};
