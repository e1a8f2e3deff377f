/* SPDX-License-Identifier: MIT */
/* PNG -> picture, through libpng: every colour type and depth in the mode Pillow gives it. */
#include "base/status.h"
#include "image/decode.h"
#include "image/orientation.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

typedef struct png_state {
    png_structp library;
    png_infop info;
    const clipc_encoded_image *in;
    size_t position;
    char message[128];
} png_state;

static void on_error(png_structp library, png_const_charp message)
{
    png_state *state = png_get_error_ptr(library);

    snprintf(state->message, sizeof(state->message), "%s", message);
    png_longjmp(library, 1);
}

static void on_warning(png_structp library, png_const_charp message)
{
    (void)library;
    (void)message;
}

static void read_bytes(png_structp library, png_bytep out, size_t count)
{
    png_state *state = png_get_io_ptr(library);

    if (count > state->in->size - state->position)
        png_error(library, "it ends early");
    memcpy(out, state->in->bytes + state->position, count);
    state->position += count;
}

/* Asks libpng for 8-bit samples (the upper byte of 16) of Pillow's mode. */
static clipc_mode choose_mode(png_state *state)
{
    const unsigned depth = png_get_bit_depth(state->library, state->info);
    const unsigned type = png_get_color_type(state->library, state->info);

    if (depth < 8)
        png_set_packing(state->library);
    if (type == PNG_COLOR_TYPE_GRAY && depth == 16)
        return CLIPC_MODE_I16;
    if (depth == 16)
        png_set_strip_16(state->library);
    switch (type) {
    case PNG_COLOR_TYPE_GRAY: return depth == 1 ? CLIPC_MODE_1 : CLIPC_MODE_L;
    case PNG_COLOR_TYPE_PALETTE: return CLIPC_MODE_P;
    case PNG_COLOR_TYPE_RGB: return CLIPC_MODE_RGB;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        if (depth == 8)
            return CLIPC_MODE_LA;
        png_set_gray_to_rgb(state->library); /* Pillow has no LA of 16 bits */
        return CLIPC_MODE_RGBA;
    default: return CLIPC_MODE_RGBA;
    }
}

static void read_palette(const png_state *state, clipc_image *image)
{
    png_colorp colours;
    int count = 0;

    if (!png_get_PLTE(state->library, state->info, &colours, &count))
        png_error(state->library, "its palette is missing");
    for (int i = 0; i < count && i < 256; i++) {
        image->palette[i][0] = colours[i].red;
        image->palette[i][1] = colours[i].green;
        image->palette[i][2] = colours[i].blue;
    }
}

/* Grey of 1, 2 or 4 bits to the whole range of 8: v * 255 / (2^depth - 1). */
static void widen_grey(clipc_image *image, unsigned depth)
{
    const unsigned factor = 255u / ((1u << depth) - 1);
    const size_t pixels = (size_t)image->width * image->height;

    for (size_t i = 0; i < pixels; i++)
        image->samples[i] = (uint8_t)(image->samples[i] * factor);
}

/* The file's big-endian samples to this machine's. */
static void order_bytes(clipc_image *image)
{
    const size_t pixels = (size_t)image->width * image->height;
    uint16_t *samples = (uint16_t *)(void *)image->samples;

    for (size_t i = 0; i < pixels; i++)
        samples[i] = (uint16_t)(image->samples[2 * i] << 8 | image->samples[2 * i + 1]);
}

/*
 * The chunks after the pixels: EXIF may stand there. Damage in them costs no pixel and is passed
 * over, as by Pillow. Takes libpng's jump for itself: nothing that may fail comes after it.
 */
static void read_trailer(png_state *state)
{
    if (setjmp(png_jmpbuf(state->library)) == 0)
        png_read_end(state->library, state->info);
}

static unsigned find_orientation(const png_state *state)
{
    png_bytep exif = NULL;
    png_uint_32 size = 0;

    if (!png_get_eXIf_1(state->library, state->info, &size, &exif))
        return 1;
    return clipc_exif_orientation(exif, size);
}

static uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The size stands in the first chunk; libpng tells it only after everything before the pixels. */
static clipc_status check_size(const clipc_encoded_image *in, clipc_error *error)
{
    if (in->size < 24 || memcmp(in->bytes + 12, "IHDR", 4) != 0)
        return clipc_fail_decoding(in, "PNG", "its header is missing", error);
    return clipc_check_pixels(in, read_be32(in->bytes + 16), read_be32(in->bytes + 20), error);
}

/* May leave through libpng's jump; what it allocates is then in *out. */
static clipc_status decode(png_state *state, clipc_image **out, clipc_error *error)
{
    const clipc_encoded_image *in = state->in;
    uint32_t width, height;
    unsigned depth;
    int passes;
    clipc_mode mode;
    clipc_status status = check_size(in, error);

    if (status)
        return status;
    png_set_read_fn(state->library, state, read_bytes);
    png_set_user_limits(state->library, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(state->library, state->info);
    width = png_get_image_width(state->library, state->info);
    height = png_get_image_height(state->library, state->info);
    depth = png_get_bit_depth(state->library, state->info);
    mode = choose_mode(state);
    status = clipc_image_new(out, mode, width, height, in->source, error);
    if (status)
        return status;
    if (mode == CLIPC_MODE_P)
        read_palette(state, *out);
    passes = png_set_interlace_handling(state->library);
    png_read_update_info(state->library, state->info);
    if (png_get_rowbytes(state->library, state->info) != width * clipc_mode_bytes(mode))
        png_error(state->library, "its rows have another size than its header says");
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < height; y++)
            png_read_row(state->library, clipc_image_row(*out, y), NULL);
    if (mode == CLIPC_MODE_I16)
        order_bytes(*out);
    else if (depth < 8 && mode != CLIPC_MODE_P)
        widen_grey(*out, depth);
    read_trailer(state);
    (*out)->orientation = find_orientation(state);
    return CLIPC_OK;
}

clipc_status clipc_decode_png(clipc_image **out, const clipc_encoded_image *in, clipc_error *error)
{
    png_state state = {.in = in};
    clipc_status status;

    state.library = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
    state.info = state.library ? png_create_info_struct(state.library) : NULL;
    if (!state.info) {
        png_destroy_read_struct(&state.library, NULL, NULL);
        return clipc_fail_memory(error, in->source, 0);
    }
    if (setjmp(png_jmpbuf(state.library)) == 0)
        status = decode(&state, out, error);
    else
        status = clipc_fail_decoding(in, "PNG", state.message, error);
    png_destroy_read_struct(&state.library, &state.info, NULL);
    return status;
}
