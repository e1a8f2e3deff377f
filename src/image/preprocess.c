/* SPDX-License-Identifier: MIT */
/*
 * The original's transform: Resize(S, bicubic), CenterCrop(S), convert("RGB"), ToTensor, Normalize.
 */
#include "image/preprocess.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "image/modes.h"
#include "image/resample.h"

#include <stdlib.h>

/* (extent - S) / 2 rounded as Python rounds: a half goes to the even neighbour. */
static uint32_t crop_offset(uint32_t extent, uint32_t size)
{
    const uint32_t difference = extent - size, half = difference / 2;

    return half + (difference % 2 && half % 2);
}

/* The shorter side becomes S, the longer one S * long / short, truncated. */
static clipc_status plan_resize(const clipc_image *image, uint32_t size, clipc_resize *resize,
                                clipc_error *error)
{
    const bool is_tall = image->width <= image->height;
    const uint64_t shorter = is_tall ? image->width : image->height;
    const uint64_t longer = is_tall ? image->height : image->width;
    const uint64_t scaled = size * longer / shorter;

    if (size == 0)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "picture: resized to nothing");
    /* More than Pillow can hold. */
    if (scaled > INT32_MAX / size)
        return clipc_fail(error, CLIPC_ERROR_LIMIT,
                          "picture: %u x %u pixels, resized to %u on the shorter side, would be "
                          "%llu on the longer one, which is too long",
                          image->width, image->height, size, (unsigned long long)scaled);
    *resize = (clipc_resize){
        .width = is_tall ? size : (uint32_t)scaled,
        .height = is_tall ? (uint32_t)scaled : size,
        .crop_width = size,
        .crop_height = size,
    };
    resize->left = crop_offset(resize->width, size);
    resize->top = crop_offset(resize->height, size);
    return CLIPC_OK;
}

clipc_status clipc_preprocess_rgb(const clipc_image *image, uint32_t image_size, uint8_t *out,
                                  clipc_error *error)
{
    clipc_resize resize;
    clipc_image *crop;
    clipc_status status = plan_resize(image, image_size, &resize, error);

    if (!status)
        status = clipc_image_resize(&crop, image, &resize, error);
    if (status)
        return status;
    clipc_convert_to_rgb(crop, crop->samples, (size_t)image_size * image_size, out);
    clipc_image_close(crop);
    return CLIPC_OK;
}

/* What each of the 256 values becomes in one channel. */
static void fill_table(float *table, float mean, float std)
{
    for (int value = 0; value < 256; value++)
        table[value] = ((float)value / 255.0f - mean) / std;
}

/* rgb: [places][3]; out: [3][places]. */
static void normalise(const uint8_t *rgb, size_t places, const clipc_preprocess_config *config,
                      float *out)
{
    float tables[3][256];

    for (size_t channel = 0; channel < 3; channel++)
        fill_table(tables[channel], config->mean[channel], config->std[channel]);
    for (size_t i = 0; i < places; i++)
        for (size_t channel = 0; channel < 3; channel++)
            out[channel * places + i] = tables[channel][rgb[3 * i + channel]];
}

clipc_status clipc_preprocess_pixels(const clipc_image *image,
                                     const clipc_preprocess_config *config, float *out,
                                     clipc_error *error)
{
    const size_t places = (size_t)config->image_size * config->image_size;
    uint8_t *rgb = clipc_calloc(places, 3);
    clipc_status status = rgb ? clipc_preprocess_rgb(image, config->image_size, rgb, error)
                              : clipc_fail_memory(error, "preprocess", places * 3);

    if (!status)
        normalise(rgb, places, config, out);
    free(rgb);
    return status;
}
