/* SPDX-License-Identifier: MIT */
/* Picture -> resize, center crop, RGB -> normalised floats: the original's transform. */
#ifndef CLIPC_IMAGE_PREPROCESS_H
#define CLIPC_IMAGE_PREPROCESS_H

#include <clipc.h>

typedef struct clipc_preprocess_config {
    uint32_t image_size; /* S */
    float mean[3], std[3];
} clipc_preprocess_config;

/* out: uint8 [S][S][3], after Resize(S, bicubic), CenterCrop(S), convert("RGB"). */
clipc_status clipc_preprocess_rgb(const clipc_image *image, uint32_t image_size, uint8_t *out,
                                  clipc_error *error);

/* out: float [3][S][S]: (value / 255 - mean) / std in float32, as torch computes it. */
clipc_status clipc_preprocess_pixels(const clipc_image *image,
                                     const clipc_preprocess_config *config, float *out,
                                     clipc_error *error);

/* The same from a file, which is decoded no further than the crop needs; options may be NULL. */
clipc_status clipc_preprocess_path(const char *path, const clipc_image_options *options,
                                   const clipc_preprocess_config *config, float *out,
                                   clipc_error *error);

#endif
