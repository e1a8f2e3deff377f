/* SPDX-License-Identifier: MIT */
/*
 * Pillow's resize, computed only where a crop will look: bicubic with antialiasing, nearest for
 * modes whose samples cannot be mixed.
 */
#ifndef CLIPC_IMAGE_RESAMPLE_H
#define CLIPC_IMAGE_RESAMPLE_H

#include "image/image.h"

/* A resize to width x height, of which the rectangle at (left, top) is wanted. */
typedef struct clipc_resize {
    uint32_t width, height;
    uint32_t left, top, crop_width, crop_height;
} clipc_resize;

/*
 * A new picture of crop_width x crop_height in image's mode, equal to that part of Pillow's
 * image.resize((width, height), BICUBIC). image->orientation is not looked at.
 */
clipc_status clipc_image_resize(clipc_image **out, const clipc_image *image,
                                const clipc_resize *resize, clipc_error *error);

/* Which of the two passes comes first for a picture of width x height. */
bool clipc_resize_begins_with_columns(uint32_t width, uint32_t height, const clipc_resize *resize);

#endif
