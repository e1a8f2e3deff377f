/* SPDX-License-Identifier: MIT */
/* Pictures in memory: making, measuring, freeing. */
#include "image/image.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "image/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

size_t clipc_mode_bytes(clipc_mode mode)
{
    switch (mode) {
    case CLIPC_MODE_1:
    case CLIPC_MODE_L:
    case CLIPC_MODE_P: return 1;
    case CLIPC_MODE_LA:
    case CLIPC_MODE_I16: return 2;
    case CLIPC_MODE_RGB: return 3;
    case CLIPC_MODE_RGBA:
    case CLIPC_MODE_CMYK:
    case CLIPC_MODE_I:
    case CLIPC_MODE_F: return 4;
    }
    return 0;
}

clipc_status clipc_image_new(clipc_image **out, clipc_mode mode, uint32_t width, uint32_t height,
                             const char *source, clipc_error *error)
{
    clipc_image *image;
    size_t pixels, bytes;

    *out = NULL;
    if (width == 0 || height == 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: a picture of %u x %u pixels is empty",
                          source, width, height);
    if (!clipc_mul_size(width, height, &pixels) ||
        !clipc_mul_size(pixels, clipc_mode_bytes(mode), &bytes) ||
        bytes > SIZE_MAX - CLIPC_ROW_SLACK)
        return clipc_fail_memory(error, source, SIZE_MAX);
    image = clipc_calloc(1, sizeof(*image));
    if (image)
        image->samples = clipc_calloc(bytes + CLIPC_ROW_SLACK, 1);
    if (!image || !image->samples) {
        free(image);
        return clipc_fail_memory(error, source, bytes);
    }
    image->mode = mode;
    image->width = width;
    image->height = height;
    image->orientation = 1;
    *out = image;
    return CLIPC_OK;
}

uint8_t *clipc_image_row(const clipc_image *image, uint32_t y)
{
    return image->samples + (size_t)y * image->width * clipc_mode_bytes(image->mode);
}

clipc_status clipc_image_from_rgb(clipc_image **out, const uint8_t *rgb, uint32_t width,
                                  uint32_t height, size_t stride, clipc_error *error)
{
    clipc_status status;

    *out = NULL;
    if (!rgb || stride / 3 < width)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "picture: rgb is NULL, or its stride of %zu bytes is below 3 * %u",
                          stride, width);
    status = clipc_image_new(out, CLIPC_MODE_RGB, width, height, "picture", error);
    for (uint32_t y = 0; !status && y < height; y++)
        memcpy(clipc_image_row(*out, y), rgb + y * stride, (size_t)width * 3);
    return status;
}

void clipc_image_get_size(const clipc_image *image, uint32_t *width, uint32_t *height)
{
    *width = image->width;
    *height = image->height;
}

void clipc_image_close(clipc_image *image)
{
    if (!image)
        return;
    free(image->samples);
    free(image);
}
