/* SPDX-License-Identifier: MIT */
/* EXIF orientation (Exif 2.32, tag 0x0112): looking it up, turning pictures by it. */
#include "image/orientation.h"

#include <string.h>

#define TAG_ORIENTATION 0x0112u
#define TYPE_SHORT 3u
#define FIELD_SIZE 12

/* The TIFF structure inside EXIF, in either byte order; reads outside it give 0. */
typedef struct exif_block {
    const uint8_t *bytes;
    size_t size;
    bool is_big;
} exif_block;

static uint32_t read_at(const exif_block *exif, size_t offset, size_t n)
{
    uint32_t value = 0;

    if (offset > exif->size || n > exif->size - offset)
        return 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint32_t)exif->bytes[offset + i] << 8 * (exif->is_big ? n - 1 - i : i);
    return value;
}

unsigned clipc_exif_orientation(const uint8_t *bytes, size_t size)
{
    exif_block exif = {bytes, size, false};
    size_t directory, fields;

    if (size >= 6 && memcmp(bytes, "Exif\0", 6) == 0) {
        exif.bytes += 6;
        exif.size -= 6;
    }
    if (exif.size < 8 || (memcmp(exif.bytes, "II", 2) != 0 && memcmp(exif.bytes, "MM", 2) != 0))
        return 1;
    exif.is_big = exif.bytes[0] == 'M';
    directory = read_at(&exif, 4, 4);
    fields = read_at(&exif, directory, 2);
    for (size_t i = 0; i < fields; i++) {
        const size_t field = directory + 2 + i * FIELD_SIZE;
        uint32_t value;

        if (read_at(&exif, field, 2) != TAG_ORIENTATION)
            continue;
        value = read_at(&exif, field + 8, 2);
        return read_at(&exif, field + 2, 2) == TYPE_SHORT && value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}

/* Where pixel (x, y) of the upright picture comes from: bits of orientation - 1 as steps. */
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
