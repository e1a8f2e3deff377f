/* SPDX-License-Identifier: MIT */
/*
 * A decoded picture in Pillow's terms: a mode (how many channels, what they mean) and samples of 8
 * bits (or wider, where Pillow keeps them so), before resize and conversion to RGB.
 */
#ifndef CLIPC_IMAGE_IMAGE_H
#define CLIPC_IMAGE_IMAGE_H

#include <clipc.h>

/* Pillow's modes, by its names. */
typedef enum clipc_mode {
    CLIPC_MODE_1,    /* black (0) and white (255), a byte each */
    CLIPC_MODE_L,    /* grey */
    CLIPC_MODE_LA,   /* grey, alpha (not premultiplied) */
    CLIPC_MODE_P,    /* index into the palette */
    CLIPC_MODE_RGB,  /* red, green, blue */
    CLIPC_MODE_RGBA, /* and alpha (not premultiplied) */
    CLIPC_MODE_CMYK, /* cyan, magenta, yellow, black */
    CLIPC_MODE_I16,  /* uint16_t */
    CLIPC_MODE_I,    /* int32_t */
    CLIPC_MODE_F,    /* float */
} clipc_mode;

struct clipc_image {
    clipc_mode mode;
    uint32_t width, height;  /* both at least 1 */
    unsigned orientation;    /* EXIF's, 1 (upright) to 8; 1 once it has been applied */
    uint8_t palette[256][3]; /* MODE_P: R, G, B */
    uint8_t *samples;        /* [height][width][clipc_mode_bytes], owned; aligned for its type,
                                CLIPC_ROW_SLACK more bytes after it */
};

/* Bytes of one pixel. */
size_t clipc_mode_bytes(clipc_mode mode);

/* A black picture whose palette is black. A size of 0 is refused as malformed. */
clipc_status clipc_image_new(clipc_image **out, clipc_mode mode, uint32_t width, uint32_t height,
                             const char *source, clipc_error *error);

/* The first byte of row y. */
uint8_t *clipc_image_row(const clipc_image *image, uint32_t y);

#endif
