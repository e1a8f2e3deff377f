/* SPDX-License-Identifier: MIT */
/* GIF -> picture, through giflib: the first frame on its screen, as Pillow gives it. */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "image/decode.h"

#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

#define NO_TRANSPARENCY (-1)

typedef struct gif_input {
    const clipc_encoded_image *in;
    size_t position;
} gif_input;

static int read_bytes(GifFileType *gif, GifByteType *out, int count)
{
    gif_input *input = gif->UserData;
    const size_t wanted = count > 0 ? (size_t)count : 0;
    const size_t given = clipc_min_size(wanted, input->in->size - input->position);

    memcpy(out, input->in->bytes + input->position, given);
    input->position += given;
    return (int)given;
}

static clipc_status fail(const clipc_encoded_image *in, int code, clipc_error *error)
{
    const char *text = GifErrorString(code);

    return clipc_fail_decoding(in, "GIF", text ? text : "it ends early", error);
}

/* Takes the transparent index out of a graphics control extension; skips the others. */
static bool read_extension(GifFileType *gif, int *transparency)
{
    GifByteType *block;
    int code;

    if (DGifGetExtension(gif, &code, &block) != GIF_OK)
        return false;
    if (code == GRAPHICS_EXT_FUNC_CODE && block && block[0] >= 4 && block[1] & 1)
        *transparency = block[4];
    while (block)
        if (DGifGetExtensionNext(gif, &block) != GIF_OK)
            return false;
    return true;
}

/* Goes on to the first frame's description. */
static bool find_frame(GifFileType *gif, int *transparency)
{
    GifRecordType type;

    for (;;) {
        if (DGifGetRecordType(gif, &type) != GIF_OK)
            return false;
        if (type == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(gif) == GIF_OK;
        if (type == TERMINATE_RECORD_TYPE ||
            (type == EXTENSION_RECORD_TYPE && !read_extension(gif, transparency)))
            return false;
    }
}

/* Pillow takes a palette in which every colour is its own index for none: the picture is grey. */
static bool is_grey_ramp(const ColorMapObject *map)
{
    for (int i = 0; i < map->ColorCount; i++)
        if (map->Colors[i].Red != i || map->Colors[i].Green != i || map->Colors[i].Blue != i)
            return false;
    return true;
}

static void set_palette(clipc_image *image, const ColorMapObject *map)
{
    for (int i = 0; i < map->ColorCount && i < 256; i++) {
        image->palette[i][0] = map->Colors[i].Red;
        image->palette[i][1] = map->Colors[i].Green;
        image->palette[i][2] = map->Colors[i].Blue;
    }
}

static bool read_row(GifFileType *gif, clipc_image *image, uint32_t y)
{
    const GifImageDesc *frame = &gif->Image;

    return DGifGetLine(gif, clipc_image_row(image, (uint32_t)frame->Top + y) + frame->Left,
                       frame->Width) == GIF_OK;
}

/* Interlaced frames store every 8th row from 0, from 4, every 4th from 2, every 2nd from 1. */
static bool read_rows(GifFileType *gif, clipc_image *image)
{
    static const struct {
        uint32_t first, step;
    } passes[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
    const uint32_t height = (uint32_t)gif->Image.Height;

    if (!gif->Image.Interlace) {
        for (uint32_t y = 0; y < height; y++)
            if (!read_row(gif, image, y))
                return false;
        return true;
    }
    for (size_t pass = 0; pass < 4; pass++)
        for (uint32_t y = passes[pass].first; y < height; y += passes[pass].step)
            if (!read_row(gif, image, y))
                return false;
    return true;
}

static clipc_status decode(clipc_image **out, GifFileType *gif, const clipc_encoded_image *in,
                           clipc_error *error)
{
    int transparency = NO_TRANSPARENCY;
    const ColorMapObject *map;
    uint32_t width, height;
    bool has_palette;
    clipc_status status;

    if (!find_frame(gif, &transparency))
        return gif->Error ? fail(in, gif->Error, error)
                          : clipc_fail_decoding(in, "GIF", "it has no frame", error);
    if (gif->Image.Width <= 0 || gif->Image.Height <= 0)
        return clipc_fail_decoding(in, "GIF", "its frame is empty", error);
    width = (uint32_t)(gif->Image.Left + gif->Image.Width);
    height = (uint32_t)(gif->Image.Top + gif->Image.Height);
    if (width < (uint32_t)gif->SWidth)
        width = (uint32_t)gif->SWidth;
    if (height < (uint32_t)gif->SHeight)
        height = (uint32_t)gif->SHeight;
    status = clipc_check_pixels(in, width, height, error);
    if (status)
        return status;
    map = gif->Image.ColorMap ? gif->Image.ColorMap : gif->SColorMap;
    has_palette = map && !is_grey_ramp(map);
    status = clipc_image_new(out, has_palette ? CLIPC_MODE_P : CLIPC_MODE_L, width, height,
                             in->source, error);
    if (status)
        return status;
    if (has_palette)
        set_palette(*out, map);
    if (transparency != NO_TRANSPARENCY)
        memset((*out)->samples, transparency, (size_t)width * height);
    return read_rows(gif, *out) ? CLIPC_OK : fail(in, gif->Error, error);
}

clipc_status clipc_decode_gif(clipc_image **out, const clipc_encoded_image *in, clipc_error *error)
{
    gif_input input = {in, 0};
    int code = 0;
    GifFileType *gif = DGifOpen(&input, read_bytes, &code);
    clipc_status status;

    if (!gif)
        return fail(in, code, error);
    status = decode(out, gif, in, error);
    DGifCloseFile(gif, &code);
    return status;
}
