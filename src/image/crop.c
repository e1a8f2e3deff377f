/* SPDX-License-Identifier: MIT */
/* Resize(S, bicubic) and CenterCrop(S), with torchvision's roundings. */
#include "image/crop.h"

#include "base/status.h"

/* (extent - S) / 2 rounded as Python rounds: a half goes to the even neighbour. */
static uint32_t crop_offset(uint32_t extent, uint32_t size)
{
    const uint32_t difference = extent - size, half = difference / 2;

    return half + (difference % 2 && half % 2);
}

clipc_status clipc_crop_plan(uint32_t width, uint32_t height, uint32_t size, clipc_resize *resize,
                             clipc_error *error)
{
    const bool is_tall = width <= height;
    const uint64_t shorter = is_tall ? width : height;
    const uint64_t longer = is_tall ? height : width;
    const uint64_t scaled = size * longer / shorter;

    if (size == 0)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "picture: resized to nothing");
    /* More than Pillow can hold. */
    if (scaled > INT32_MAX / size)
        return clipc_fail(error, CLIPC_ERROR_LIMIT,
                          "picture: %u x %u pixels, resized to %u on the shorter side, would be "
                          "%llu on the longer one, which is too long",
                          width, height, size, (unsigned long long)scaled);
    *resize = (clipc_resize){
        .width = is_tall ? size : (uint32_t)scaled,
        .height = is_tall ? (uint32_t)scaled : size,
        .crop_width = size,
        .crop_height = size,
    };
    resize->left = crop_offset(resize->width, size);
    resize->top = crop_offset(resize->height, size);
    return CLIPC_OK;
}

clipc_status clipc_image_crop(clipc_image **out, const clipc_image *image, uint32_t size,
                              clipc_error *error)
{
    clipc_resize resize;
    clipc_status status = clipc_crop_plan(image->width, image->height, size, &resize, error);

    *out = NULL;
    return status ? status : clipc_image_resize(out, image, &resize, error);
}
