/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the resampling with pictures of any mode, size and contents. Input, a byte each: mode,
 * whether the width is large, width, height, target size; then samples, repeated as often as it
 * takes. Any part of a resize has to be the same as that part of the whole.
 */
#include "image/modes.h"
#include "image/preprocess.h"
#include "image/resample.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 5
#define LARGEST_SIZE 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static clipc_image *make_picture(const uint8_t *data, size_t size)
{
    const uint32_t factor = data[1] & 1 ? 16 : 1;
    clipc_image *image;

    if (clipc_image_new(&image, data[0] % (CLIPC_MODE_F + 1u), 1 + data[2] % 64 * factor,
                        1 + data[3] % 128, "picture", NULL))
        return NULL;
    if (size > HEADER) {
        const size_t bytes = (size_t)image->width * image->height * clipc_mode_bytes(image->mode);

        for (size_t i = 0; i < bytes; i++)
            image->samples[i] = data[HEADER + i % (size - HEADER)];
        for (size_t i = 0; i < sizeof(image->palette); i++)
            image->palette[i / 3][i % 3] = data[HEADER + i % (size - HEADER)];
    }
    return image;
}

static void check_crop(const clipc_image *image, uint32_t width, uint32_t height)
{
    const clipc_resize whole = {width, height, 0, 0, width, height};
    const clipc_resize part = {
        width, height, width / 3, height / 5, width - width / 3, height - height / 5};
    const size_t pixel = clipc_mode_bytes(image->mode);
    clipc_image *all, *crop;

    if (clipc_image_resize(&all, image, &whole, NULL))
        return;
    if (!clipc_image_resize(&crop, image, &part, NULL)) {
        for (uint32_t y = 0; y < crop->height; y++)
            require(memcmp(clipc_image_row(crop, y),
                           clipc_image_row(all, part.top + y) + part.left * pixel,
                           crop->width * pixel) == 0);
        clipc_image_close(crop);
    }
    clipc_image_close(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t rgb[LARGEST_SIZE * LARGEST_SIZE * 3];
    clipc_image *image;
    uint32_t target;

    if (size < HEADER || !(image = make_picture(data, size)))
        return 0;
    target = 1 + data[4] % LARGEST_SIZE;
    require(clipc_preprocess_rgb(image, target, rgb, NULL) == CLIPC_OK);
    check_crop(image, target, 1 + data[3] % LARGEST_SIZE);
    clipc_image_close(image);
    return 0;
}
