/* SPDX-License-Identifier: MIT */
/* Pillow's conversions between modes, on runs of 8-bit pixels; exact, and safe in place. */
#ifndef CLIPC_IMAGE_MODES_H
#define CLIPC_IMAGE_MODES_H

#include "image/image.h"

/*
 * RGBA -> RGBa and LA -> La (channels 4 or 2, alpha last): colours times alpha over 255, rounded.
 */
void clipc_premultiply(uint8_t *pixels, size_t n, size_t channels);

/* The way back: colours times 255 over alpha, cut; unchanged where alpha is 0 or 255. */
void clipc_unpremultiply(uint8_t *pixels, size_t n, size_t channels);

/*
 * convert("RGB") of n pixels in image's mode and with its palette. out: [n][3]. pixels is aligned
 * for the mode's type and must not overlap out.
 */
void clipc_convert_to_rgb(const clipc_image *image, const uint8_t *pixels, size_t n, uint8_t *out);

#endif
