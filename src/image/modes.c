/* SPDX-License-Identifier: MIT */
/* What Pillow's convert() computes, mode by mode. */
#include "image/modes.h"

#include <string.h>

/* a * b / 255, rounded, for bytes: Pillow's MULDIV255. */
static uint8_t multiply(unsigned a, unsigned b)
{
    const unsigned product = a * b + 128;

    return (uint8_t)(((product >> 8) + product) >> 8);
}

void clipc_premultiply(uint8_t *pixels, size_t n, size_t channels)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *pixel = pixels + i * channels;

        for (size_t channel = 0; channel + 1 < channels; channel++)
            pixel[channel] = multiply(pixel[channel], pixel[channels - 1]);
    }
}

void clipc_unpremultiply(uint8_t *pixels, size_t n, size_t channels)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *pixel = pixels + i * channels;
        const unsigned alpha = pixel[channels - 1];

        if (alpha == 0 || alpha == 255)
            continue;
        for (size_t channel = 0; channel + 1 < channels; channel++) {
            const unsigned colour = 255u * pixel[channel] / alpha;

            pixel[channel] = (uint8_t)(colour > 255 ? 255 : colour);
        }
    }
}

static void set_grey(uint8_t *out, uint8_t grey)
{
    out[0] = out[1] = out[2] = grey;
}

static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *out)
{
    const int light = 255 - cmyk[3];

    for (size_t i = 0; i < 3; i++) {
        const int value = light - multiply(cmyk[i], (unsigned)light);

        out[i] = (uint8_t)(value < 0 ? 0 : value);
    }
}

/* 16-bit and wider grey is cut at 255, not scaled. */
static uint8_t wide_to_grey(clipc_mode mode, const uint8_t *pixel)
{
    uint16_t half;
    int32_t whole;
    float real;

    switch (mode) {
    case CLIPC_MODE_I16:
        memcpy(&half, pixel, sizeof(half));
        return (uint8_t)(half > 255 ? 255 : half);
    case CLIPC_MODE_I:
        memcpy(&whole, pixel, sizeof(whole));
        return (uint8_t)(whole <= 0 ? 0 : whole >= 255 ? 255 : whole);
    default:
        memcpy(&real, pixel, sizeof(real));
        return (uint8_t)(!(real > 0.0f) ? 0 : real >= 255.0f ? 255 : (int)real);
    }
}

void clipc_convert_to_rgb(const clipc_image *image, const uint8_t *pixels, size_t n, uint8_t *out)
{
    const size_t bytes = clipc_mode_bytes(image->mode);

    if (image->mode == CLIPC_MODE_RGB) {
        memcpy(out, pixels, n * bytes);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t *pixel = pixels + i * bytes;

        switch (image->mode) {
        case CLIPC_MODE_1:
        case CLIPC_MODE_L:
        case CLIPC_MODE_LA: set_grey(out + 3 * i, pixel[0]); break;
        case CLIPC_MODE_P: memcpy(out + 3 * i, image->palette[pixel[0]], 3); break;
        case CLIPC_MODE_RGB:
        case CLIPC_MODE_RGBA: memcpy(out + 3 * i, pixel, 3); break;
        case CLIPC_MODE_CMYK: cmyk_to_rgb(pixel, out + 3 * i); break;
        case CLIPC_MODE_I16:
        case CLIPC_MODE_I:
        case CLIPC_MODE_F: set_grey(out + 3 * i, wide_to_grey(image->mode, pixel)); break;
        }
    }
}
