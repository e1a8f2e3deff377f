/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the picture decoders, told apart by the first bytes as always. The last byte turns EXIF
 * on and chooses a size; what decodes is also resized and converted. The crop of a JPEG, decoded in
 * strips, must be that of the whole, and fail where that fails.
 */
#include "image/crop.h"
#include "image/decode.h"
#include "image/preprocess.h"

#include <stdlib.h>
#include <string.h>

#define LARGEST_SIZE 32
#define MOST_PIXELS (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_error(clipc_status status, const clipc_error *error)
{
    require(status == error->code && memchr(error->message, '\0', sizeof(error->message)));
    require(status == CLIPC_ERROR_FORMAT || status == CLIPC_ERROR_UNSUPPORTED ||
            status == CLIPC_ERROR_LIMIT || status == CLIPC_ERROR_MEMORY);
}

static void resize(const clipc_image *image, uint32_t size)
{
    uint8_t *rgb = malloc((size_t)size * size * 3);
    clipc_error error;
    clipc_status status;

    if (!rgb)
        return;
    status = clipc_preprocess_rgb(image, size, rgb, &error);
    if (status)
        check_error(status, &error);
    free(rgb);
}

static void crop_jpeg(const uint8_t *data, size_t size, uint32_t crop_size, bool fast_decode)
{
    const clipc_encoded_image in = {data, size, "fuzz", MOST_PIXELS};
    const clipc_crop_request request = {.size = crop_size, .fast_decode = fast_decode};
    clipc_image *whole = NULL, *crop = NULL, *expected = NULL;
    clipc_error error;
    clipc_status status = clipc_decode_jpeg_crop(&crop, &in, &request, &error);

    require(!status == !!crop);
    if (status)
        check_error(status, &error);
    if (!fast_decode) {
        if (!clipc_decode_jpeg(&whole, &in, &error))
            clipc_image_crop(&expected, whole, crop_size, &error);
        require(!expected == !crop);
        require(!crop || memcmp(crop->samples, expected->samples,
                                clipc_mode_bytes(crop->mode) * crop_size * crop_size) == 0);
    }
    clipc_image_close(whole);
    clipc_image_close(expected);
    clipc_image_close(crop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clipc_image_options options;
    clipc_image *image;
    clipc_error error;
    clipc_status status;
    uint32_t width, height;
    unsigned choice;

    if (size == 0)
        return 0;
    choice = data[--size];
    clipc_image_options_init(&options);
    options.apply_exif = choice & 1;
    options.max_pixels = MOST_PIXELS;
    if (size > 2 && memcmp(data, "\xFF\xD8\xFF", 3) == 0)
        crop_jpeg(data, size, 1 + (choice >> 1) % LARGEST_SIZE, choice >> 6 & 1);
    status = clipc_image_decode(&image, data, size, NULL, &options, &error);
    if (status) {
        require(!image);
        check_error(status, &error);
        return 0;
    }
    clipc_image_get_size(image, &width, &height);
    require(width > 0 && height > 0 && (uint64_t)width * height <= MOST_PIXELS);
    resize(image, 1 + (choice >> 1) % LARGEST_SIZE);
    clipc_image_close(image);
    return 0;
}
