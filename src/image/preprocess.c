/* SPDX-License-Identifier: MIT */
/*
 * The original's transform: Resize(S, bicubic), CenterCrop(S), convert("RGB"), ToTensor, Normalize.
 */
#include "image/preprocess.h"

#include "base/memory.h"
#include "base/status.h"
#include "image/crop.h"
#include "image/decode.h"
#include "image/modes.h"

#include <stdlib.h>

clipc_status clipc_preprocess_rgb(const clipc_image *image, uint32_t image_size, uint8_t *out,
                                  clipc_error *error)
{
    clipc_image *crop;
    clipc_status status = clipc_image_crop(&crop, image, image_size, error);

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

/* Takes the crop over. */
static clipc_status finish(clipc_image *crop, const clipc_preprocess_config *config, float *out,
                           clipc_error *error)
{
    const size_t places = (size_t)crop->width * crop->height;
    uint8_t *rgb = clipc_calloc(places, 3);

    if (rgb) {
        clipc_convert_to_rgb(crop, crop->samples, places, rgb);
        normalise(rgb, places, config, out);
    }
    clipc_image_close(crop);
    if (!rgb)
        return clipc_fail_memory(error, "preprocess", places * 3);
    free(rgb);
    return CLIPC_OK;
}

clipc_status clipc_preprocess_pixels(const clipc_image *image,
                                     const clipc_preprocess_config *config, float *out,
                                     clipc_error *error)
{
    clipc_image *crop;
    clipc_status status = clipc_image_crop(&crop, image, config->image_size, error);

    return status ? status : finish(crop, config, out, error);
}

clipc_status clipc_preprocess_path(const char *path, const clipc_image_options *options,
                                   const clipc_preprocess_config *config, float *out,
                                   clipc_error *error)
{
    clipc_image *crop;
    clipc_status status = clipc_image_read_crop(&crop, path, options, config->image_size, error);

    return status ? status : finish(crop, config, out, error);
}
