/* SPDX-License-Identifier: MIT */
/*
 * A bicubic resize of 8-bit samples under way: takes the rows of a picture from the top, as a
 * decoder makes them, and keeps no more of them than a row of the result looks at.
 */
#ifndef CLIPC_IMAGE_RESAMPLER_H
#define CLIPC_IMAGE_RESAMPLER_H

#include "image/image.h"
#include "image/resample.h"

typedef struct clipc_resampler clipc_resampler;

/* Whether pictures of this mode are resized so: their samples are bytes, and can be mixed. */
bool clipc_resampler_suits(clipc_mode mode);

/* For a picture of mode and width x height; palettes and orientation do not matter. */
clipc_status clipc_resampler_open(clipc_resampler **out, clipc_mode mode, uint32_t width,
                                  uint32_t height, const clipc_resize *resize, clipc_error *error);

/* What the result looks at of the picture: columns [left, right) of rows [top, bottom). */
typedef struct clipc_part {
    uint32_t left, right, top, bottom;
} clipc_part;

clipc_part clipc_resampler_part(const clipc_resampler *resampler);

/*
 * The next n rows of the part, `stride` bytes apart; the first ones are those of its top. After the
 * last one CLIPC_ROW_SLACK bytes can be read.
 */
void clipc_resampler_take(clipc_resampler *resampler, const uint8_t *rows, size_t stride,
                          uint32_t n);

/* The result, once every row of the part was taken: the caller's from now on. */
clipc_image *clipc_resampler_finish(clipc_resampler *resampler);

void clipc_resampler_close(clipc_resampler *resampler);

#endif
