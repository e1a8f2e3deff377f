/* SPDX-License-Identifier: MIT */
/* EXIF's orientation: found in a file's metadata, applied to a picture. */
#ifndef CLIPC_IMAGE_ORIENTATION_H
#define CLIPC_IMAGE_ORIENTATION_H

#include "image/image.h"

/*
 * The orientation (1 to 8) in a block of EXIF metadata, with or without "Exif\0\0" before it; 1
 * when there is none or the block is malformed: EXIF never makes a picture unreadable.
 */
unsigned clipc_exif_orientation(const uint8_t *bytes, size_t size);

/* Replaces *image by a picture turned and mirrored as its orientation says. */
clipc_status clipc_image_turn_upright(clipc_image **image, const char *source, clipc_error *error);

#endif
