/* SPDX-License-Identifier: MIT */
/* The decoders, one a format: bytes of a file -> a picture in the mode that Pillow gives it. */
#ifndef CLIPC_IMAGE_DECODE_H
#define CLIPC_IMAGE_DECODE_H

#include "image/image.h"

/* A file to decode. */
typedef struct clipc_encoded_image {
    const uint8_t *bytes;
    size_t size;
    const char *source; /* its name in messages */
    uint64_t max_pixels;
} clipc_encoded_image;

/*
 * Each checks the size in the header against max_pixels before it allocates, and gives no picture
 * rather than part of one: a file that ends early is an error, as it is for Pillow.
 */
clipc_status clipc_decode_jpeg(clipc_image **out, const clipc_encoded_image *in,
                               clipc_error *error);
clipc_status clipc_decode_png(clipc_image **out, const clipc_encoded_image *in, clipc_error *error);
clipc_status clipc_decode_webp(clipc_image **out, const clipc_encoded_image *in,
                               clipc_error *error);
clipc_status clipc_decode_gif(clipc_image **out, const clipc_encoded_image *in, clipc_error *error);
clipc_status clipc_decode_bmp(clipc_image **out, const clipc_encoded_image *in, clipc_error *error);
clipc_status clipc_decode_tiff(clipc_image **out, const clipc_encoded_image *in,
                               clipc_error *error);

/* What is wanted of a picture: the crop of crop.h, not the whole. */
typedef struct clipc_crop_request {
    uint32_t size;
    bool apply_exif, fast_decode; /* as in clipc_image_options */
} clipc_crop_request;

/*
 * The crop of a JPEG, equal to that of the whole picture (unless it is decoded fast): resized as it
 * is decoded, in strips, without the columns that the crop leaves out. CLIPC_OK and no picture for
 * one that must be turned first.
 */
clipc_status clipc_decode_jpeg_crop(clipc_image **out, const clipc_encoded_image *in,
                                    const clipc_crop_request *request, clipc_error *error);

/* clipc_image_read() and clipc_image_crop() in one. */
clipc_status clipc_image_read_crop(clipc_image **out, const char *path,
                                   const clipc_image_options *options, uint32_t size,
                                   clipc_error *error);

/* CLIPC_ERROR_LIMIT when width * height is above max_pixels. */
clipc_status clipc_check_pixels(const clipc_encoded_image *in, uint64_t width, uint64_t height,
                                clipc_error *error);

/* Fails with "SOURCE: FORMAT: WHAT". */
clipc_status clipc_fail_decoding(const clipc_encoded_image *in, const char *format,
                                 const char *what, clipc_error *error);

#endif
