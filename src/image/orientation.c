/* SPDX-License-Identifier: MIT */
/* EXIF orientation (Exif 2.32, tag 0x0112): looking it up, turning pictures by it. */
#include "image/orientation.h"

#include "image/tiff_tags.h"

#include <string.h>

unsigned clipc_exif_orientation(const uint8_t *bytes, size_t size)
{
    clipc_tiff_field field;

    /* Some writers put the mark of JPEG's segment before it, even twice. */
    for (int i = 0; i < 2 && size >= 6 && memcmp(bytes, "Exif\0", 6) == 0; i++) {
        bytes += 6;
        size -= 6;
    }
    if (!clipc_tiff_find(bytes, size, CLIPC_TAG_ORIENTATION, &field) || field.count != 1)
        return 1;
    return field.value >= 1 && field.value <= 8 ? field.value : 1;
}

/* Where pixel (x, y) of the upright picture comes from in the stored one. */
static void find_source(unsigned orientation, uint32_t width, uint32_t height, uint32_t *x,
                        uint32_t *y)
{
    static const struct {
        bool swap, flip_x, flip_y; /* exchange, then mirror in the stored picture's extents */
    } steps[] = {
        {false, false, false}, {false, true, false}, {false, true, true}, {false, false, true},
        {true, false, false},  {true, false, true},  {true, true, true},  {true, true, false},
    };
    const unsigned i = orientation - 1;

    if (steps[i].swap) {
        const uint32_t old = *x;

        *x = *y;
        *y = old;
    }
    if (steps[i].flip_x)
        *x = width - 1 - *x;
    if (steps[i].flip_y)
        *y = height - 1 - *y;
}

clipc_status clipc_image_turn_upright(clipc_image **image, const char *source, clipc_error *error)
{
    const clipc_image *stored = *image;
    const bool is_swapped = stored->orientation >= 5;
    const size_t pixel = clipc_mode_bytes(stored->mode);
    clipc_image *upright;
    clipc_status status;

    if (stored->orientation == 1)
        return CLIPC_OK;
    status = clipc_image_new(&upright, stored->mode, is_swapped ? stored->height : stored->width,
                             is_swapped ? stored->width : stored->height, source, error);
    if (status)
        return status;
    memcpy(upright->palette, stored->palette, sizeof(upright->palette));
    for (uint32_t y = 0; y < upright->height; y++)
        for (uint32_t x = 0; x < upright->width; x++) {
            uint32_t from_x = x, from_y = y;

            find_source(stored->orientation, stored->width, stored->height, &from_x, &from_y);
            memcpy(clipc_image_row(upright, y) + x * pixel,
                   clipc_image_row(stored, from_y) + from_x * pixel, pixel);
        }
    clipc_image_close(*image);
    *image = upright;
    return CLIPC_OK;
}
