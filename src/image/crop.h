/* SPDX-License-Identifier: MIT */
/* The part of a picture that the encoder sees: the shorter side resized to S, the middle S x S. */
#ifndef CLIPC_IMAGE_CROP_H
#define CLIPC_IMAGE_CROP_H

#include "image/resample.h"

/* The shorter side becomes size, the longer one size * long / short, truncated. */
clipc_status clipc_crop_plan(uint32_t width, uint32_t height, uint32_t size, clipc_resize *resize,
                             clipc_error *error);

/* A new picture of size x size, in image's mode. */
clipc_status clipc_image_crop(clipc_image **out, const clipc_image *image, uint32_t size,
                              clipc_error *error);

#endif
