/* SPDX-License-Identifier: MIT */
/*
 * TIFF -> picture (its first page), through libtiff. A table says which combinations of photometric
 * interpretation, sample format and extra samples Pillow reads, and as which mode. Pillow applies
 * the orientation of TIFF files by itself, so it is applied here too. Where Pillow garbles a valid
 * file (big-endian 16-bit grey, planes of 16 bits and a few more; all are listed in
 * tests/reference/picture_kinds.py) it is read as it is meant.
 */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "image/decode.h"
#include "image/orientation.h"
#include "image/tiff_tags.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

/* libtiff's own allocations, which sizes in the file decide, stay below this. */
#define LARGEST_ALLOCATION ((tmsize_t)1 << 31)

typedef struct tiff_input {
    const clipc_encoded_image *in;
    uint64_t position;
    char message[1024]; /* libtiff's first; as long as TIFFRGBAImageOK wants it */
} tiff_input;

typedef struct tiff_layout {
    uint32_t width, height;
    uint16_t photometric, format, bits, samples, planar, extra_count, compression;
    uint16_t first_extra; /* meaning of the first extra sample */
    bool is_extra_known;  /* the file says it; else libtiff's guess stands in first_extra */
    clipc_mode mode;
    unsigned channels; /* samples of a pixel that are used */
    bool is_inverted;  /* white is zero */
    bool is_premultiplied;
} tiff_layout;

/* --- libtiff's callbacks --- */

static tmsize_t read_bytes(thandle_t handle, void *out, tmsize_t count)
{
    tiff_input *input = handle;
    const size_t left =
        input->position < input->in->size ? input->in->size - (size_t)input->position : 0;
    const size_t given = clipc_min_size(left, count > 0 ? (size_t)count : 0);

    if (given)
        memcpy(out, input->in->bytes + input->position, given);
    input->position += given;
    return (tmsize_t)given;
}

static tmsize_t write_nothing(thandle_t handle, void *bytes, tmsize_t count)
{
    (void)handle;
    (void)bytes;
    (void)count;
    return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int origin)
{
    tiff_input *input = handle;

    if (origin == SEEK_CUR)
        offset += input->position;
    else if (origin == SEEK_END)
        offset += input->in->size;
    input->position = offset;
    return offset;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t file_size(thandle_t handle)
{
    return ((const tiff_input *)handle)->in->size;
}

static int on_error(TIFF *tiff, void *data, const char *module, const char *format, va_list list)
{
    tiff_input *input = data;

    (void)tiff;
    (void)module;
    if (input->message[0] == '\0')
        vsnprintf(input->message, sizeof(input->message), format, list);
    return 1;
}

static int on_warning(TIFF *tiff, void *data, const char *module, const char *format, va_list list)
{
    (void)tiff;
    (void)data;
    (void)module;
    (void)format;
    (void)list;
    return 1;
}

static clipc_status fail(const tiff_input *input, const char *what, clipc_error *error)
{
    return clipc_fail_decoding(input->in, "TIFF", input->message[0] ? input->message : what, error);
}

/* --- Layout --- */

static bool is_grey(const tiff_layout *layout)
{
    return layout->photometric == PHOTOMETRIC_MINISBLACK ||
           layout->photometric == PHOTOMETRIC_MINISWHITE;
}

static bool choose_grey(tiff_layout *layout)
{
    const unsigned format = layout->format;

    layout->channels = 1;
    layout->is_inverted = layout->photometric == PHOTOMETRIC_MINISWHITE && layout->bits <= 8;
    if (layout->extra_count > 0) {
        if (layout->first_extra == EXTRASAMPLE_UNASSALPHA) {
            layout->mode = CLIPC_MODE_LA;
            layout->channels = 2;
        } else {
            layout->mode = CLIPC_MODE_L;
        }
        return layout->extra_count == 1 && layout->bits == 8 && format == SAMPLEFORMAT_UINT &&
               layout->photometric == PHOTOMETRIC_MINISBLACK &&
               layout->first_extra != EXTRASAMPLE_ASSOCALPHA;
    }
    switch (layout->bits) {
    case 1: layout->mode = CLIPC_MODE_1; return format == SAMPLEFORMAT_UINT;
    case 2:
    case 4: layout->mode = CLIPC_MODE_L; return format == SAMPLEFORMAT_UINT;
    case 8: layout->mode = CLIPC_MODE_L; return format <= SAMPLEFORMAT_INT;
    case 16:
        layout->mode = format == SAMPLEFORMAT_INT ? CLIPC_MODE_I : CLIPC_MODE_I16;
        return format <= SAMPLEFORMAT_INT;
    case 32:
        layout->mode = format == SAMPLEFORMAT_IEEEFP ? CLIPC_MODE_F : CLIPC_MODE_I;
        return format <= SAMPLEFORMAT_IEEEFP;
    default: return false;
    }
}

static bool choose_rgb(tiff_layout *layout)
{
    /* A fourth sample that nothing describes is alpha to Pillow. */
    const bool has_alpha =
        layout->extra_count > 0 &&
        (!layout->is_extra_known || layout->first_extra != EXTRASAMPLE_UNSPECIFIED);
    const unsigned most_extras = layout->bits == 16 || !layout->is_extra_known ? 1 : 3;

    layout->mode = has_alpha ? CLIPC_MODE_RGBA : CLIPC_MODE_RGB;
    layout->channels = has_alpha ? 4 : 3;
    layout->is_premultiplied =
        layout->is_extra_known && has_alpha && layout->first_extra == EXTRASAMPLE_ASSOCALPHA;
    return layout->extra_count <= most_extras && (layout->bits == 8 || layout->bits == 16) &&
           layout->format == SAMPLEFORMAT_UINT;
}

/* Samples of a pixel besides extra ones. */
static unsigned count_colours(uint16_t photometric)
{
    switch (photometric) {
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_YCBCR: return 3;
    case PHOTOMETRIC_SEPARATED: return 4;
    default: return 1;
    }
}

/* Fills in mode and channels; false for what Pillow does not read either. */
static bool choose_mode(tiff_layout *layout)
{
    if (layout->samples != count_colours(layout->photometric) + layout->extra_count)
        return false;
    if (is_grey(layout))
        return choose_grey(layout) && (layout->is_extra_known || layout->extra_count == 0);
    if (layout->photometric == PHOTOMETRIC_RGB)
        return choose_rgb(layout);
    if (layout->format != SAMPLEFORMAT_UINT || (layout->extra_count && !layout->is_extra_known) ||
        (layout->extra_count && layout->first_extra != EXTRASAMPLE_UNSPECIFIED))
        return false;
    switch (layout->photometric) {
    case PHOTOMETRIC_PALETTE:
        layout->mode = CLIPC_MODE_P;
        layout->channels = 1;
        return layout->bits <= 8 && (layout->extra_count == 0 || layout->bits == 8);
    case PHOTOMETRIC_SEPARATED:
        layout->mode = CLIPC_MODE_CMYK;
        layout->channels = 4;
        return layout->bits == 8 || (layout->bits == 16 && layout->extra_count == 0);
    case PHOTOMETRIC_YCBCR:
        layout->mode = CLIPC_MODE_RGB; /* libtiff converts */
        layout->channels = 3;
        return layout->bits == 8 && layout->extra_count == 0;
    default: return false;
    }
}

/*
 * What the extra samples mean. libtiff fills them in where a file says nothing, so the directory is
 * asked whether it does. All but the first have to be unspecified.
 */
static bool read_extras(TIFF *tiff, const tiff_input *input, tiff_layout *layout)
{
    clipc_tiff_field field;
    uint16_t *extras = NULL;

    layout->is_extra_known =
        clipc_tiff_find(input->in->bytes, input->in->size, CLIPC_TAG_EXTRA_SAMPLES, &field);
    if (!TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &layout->extra_count, &extras) ||
        layout->extra_count == 0)
        return true;
    layout->first_extra = extras[0];
    for (uint16_t i = 1; i < layout->extra_count; i++)
        if (extras[i] != EXTRASAMPLE_UNSPECIFIED)
            return false;
    return true;
}

static clipc_status read_layout(TIFF *tiff, const tiff_input *input, tiff_layout *layout,
                                clipc_error *error)
{
    *layout = (tiff_layout){0};
    if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout->width) ||
        !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout->height))
        return fail(input, "it has no size", error);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &layout->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &layout->samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &layout->format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &layout->planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &layout->compression);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout->photometric);
    if (!read_extras(tiff, input, layout) || !choose_mode(layout))
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: a TIFF of photometric interpretation %u with %u samples of %u bits "
                          "is not read",
                          input->in->source, layout->photometric, layout->samples, layout->bits);
    return clipc_check_pixels(input->in, layout->width, layout->height, error);
}

/* --- Samples --- */

/* One sample of a decoded row, which libtiff has put into this machine's byte order. */
static uint32_t load_sample(const uint8_t *row, size_t index, unsigned bits)
{
    uint32_t wide;
    uint16_t half;

    switch (bits) {
    case 8: return row[index];
    case 16: memcpy(&half, row + 2 * index, 2); return half;
    case 32: memcpy(&wide, row + 4 * index, 4); return wide;
    default: {
        const size_t a_byte = 8 / bits;

        return (uint32_t)(row[index / a_byte] >> (8 - bits * (index % a_byte + 1))) &
               ((1u << bits) - 1);
    }
    }
}

static void store_sample(const tiff_layout *layout, uint32_t sample, uint8_t *pixel,
                         unsigned channel)
{
    const unsigned bits = layout->bits;
    const uint16_t half = (uint16_t)sample;
    int32_t whole;

    switch (layout->mode) {
    case CLIPC_MODE_I16: memcpy(pixel, &half, sizeof(half)); return;
    case CLIPC_MODE_I:
        whole = bits == 16 ? (int16_t)half : (int32_t)sample;
        memcpy(pixel, &whole, sizeof(whole));
        return;
    case CLIPC_MODE_F: memcpy(pixel, &sample, sizeof(sample)); return;
    case CLIPC_MODE_P: pixel[0] = (uint8_t)half; return;
    default: break;
    }
    if (bits < 8)
        sample = sample * 255 / ((1u << bits) - 1);
    else if (bits == 16)
        sample >>= 8;
    pixel[channel] = (uint8_t)(layout->is_inverted ? 255 - sample : sample);
}

/* A block of decoded samples (a strip or a tile) and its place in the picture. */
typedef struct tiff_block {
    const uint8_t *bytes;
    size_t row_bytes;
    uint32_t x, y, width, height; /* the part that lies in the picture */
    unsigned first_channel;       /* of planar data */
    unsigned stored;              /* samples of a pixel in it */
} tiff_block;

static void copy_block(const tiff_layout *layout, const tiff_block *block, clipc_image *image)
{
    const size_t pixel = clipc_mode_bytes(layout->mode);
    const unsigned used = block->stored == 1 ? 1 : layout->channels;

    for (uint32_t y = 0; y < block->height; y++) {
        const uint8_t *row = block->bytes + y * block->row_bytes;
        uint8_t *out = clipc_image_row(image, block->y + y) + block->x * pixel;

        for (uint32_t x = 0; x < block->width; x++)
            for (unsigned channel = 0; channel < used; channel++)
                store_sample(layout,
                             load_sample(row, (size_t)x * block->stored + channel, layout->bits),
                             out + x * pixel, block->first_channel + channel);
    }
}

/* --- Strips and tiles --- */

typedef struct block_reader {
    TIFF *tiff;
    const tiff_input *input;
    const tiff_layout *layout;
    clipc_image *image;
    uint8_t *buffer;
    tmsize_t buffer_size;
    bool is_tiled;
    uint32_t width, height; /* of a block */
} block_reader;

static clipc_status read_block(const block_reader *reader, uint32_t x, uint32_t y, unsigned plane,
                               clipc_error *error)
{
    const tiff_layout *layout = reader->layout;
    const bool is_planar = layout->planar == PLANARCONFIG_SEPARATE;
    const uint32_t index = reader->is_tiled
                               ? TIFFComputeTile(reader->tiff, x, y, 0, (uint16_t)plane)
                               : TIFFComputeStrip(reader->tiff, y, (uint16_t)plane);
    tiff_block block = {
        .bytes = reader->buffer,
        .x = x,
        .y = y,
        .width = (uint32_t)clipc_min_size(reader->width, layout->width - x),
        .height = (uint32_t)clipc_min_size(reader->height, layout->height - y),
        .first_channel = is_planar ? plane : 0,
        .stored = is_planar ? 1 : layout->samples,
    };
    tmsize_t got;

    block.row_bytes = ((size_t)reader->width * block.stored * layout->bits + 7) / 8;
    got = reader->is_tiled
              ? TIFFReadEncodedTile(reader->tiff, index, reader->buffer, reader->buffer_size)
              : TIFFReadEncodedStrip(reader->tiff, index, reader->buffer, reader->buffer_size);
    if (got < 0 || (size_t)got < block.row_bytes * block.height)
        return fail(reader->input, "it ends early", error);
    copy_block(layout, &block, reader->image);
    return CLIPC_OK;
}

static clipc_status read_all_blocks(block_reader *reader, clipc_error *error)
{
    const tiff_layout *layout = reader->layout;
    const unsigned planes = layout->planar == PLANARCONFIG_SEPARATE ? layout->channels : 1;

    for (unsigned plane = 0; plane < planes; plane++)
        for (uint32_t y = 0; y < layout->height; y += reader->height)
            for (uint32_t x = 0; x < layout->width; x += reader->width) {
                clipc_status status = read_block(reader, x, y, plane, error);

                if (status)
                    return status;
                if (layout->width - x <= reader->width)
                    break; /* x + width may not fit in 32 bits */
            }
    return CLIPC_OK;
}

static clipc_status read_blocks(TIFF *tiff, const tiff_input *input, const tiff_layout *layout,
                                clipc_image *image, clipc_error *error)
{
    block_reader reader = {.tiff = tiff, .input = input, .layout = layout, .image = image};
    clipc_status status;

    reader.is_tiled = TIFFIsTiled(tiff) != 0;
    if (reader.is_tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &reader.width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &reader.height);
        reader.buffer_size = TIFFTileSize(tiff);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &reader.height);
        reader.width = layout->width;
        reader.height = (uint32_t)clipc_min_size(reader.height, layout->height);
        reader.buffer_size = TIFFStripSize(tiff);
    }
    if (reader.width == 0 || reader.height == 0 || reader.buffer_size <= 0 ||
        reader.buffer_size > LARGEST_ALLOCATION)
        return fail(input, "its strips or tiles have an impossible size", error);
    status = clipc_check_pixels(input->in, reader.width, reader.height, error);
    if (status)
        return status;
    reader.buffer = clipc_calloc((size_t)reader.buffer_size, 1);
    if (!reader.buffer)
        return clipc_fail_memory(error, input->in->source, (size_t)reader.buffer_size);
    status = read_all_blocks(&reader, error);
    free(reader.buffer);
    return status;
}

/*
 * Rows as they are stored, from the top: the orientation is applied afterwards, to all modes alike.
 */
static bool read_rgba(TIFF *tiff, tiff_input *input, const clipc_image *image, uint32_t *rgba)
{
    TIFFRGBAImage converter;
    bool is_read;

    if (!TIFFRGBAImageOK(tiff, input->message) ||
        !TIFFRGBAImageBegin(&converter, tiff, 1, input->message))
        return false;
    converter.orientation = converter.req_orientation = ORIENTATION_TOPLEFT;
    is_read = TIFFRGBAImageGet(&converter, rgba, image->width, image->height) != 0;
    TIFFRGBAImageEnd(&converter);
    return is_read;
}

/* YCbCr (other than in JPEG, see below) through libtiff's own conversion. */
static clipc_status read_ycbcr(TIFF *tiff, tiff_input *input, clipc_image *image,
                               clipc_error *error)
{
    const size_t pixels = (size_t)image->width * image->height;
    uint32_t *rgba = clipc_calloc(pixels, sizeof(*rgba));
    const bool is_read = rgba && read_rgba(tiff, input, image, rgba);

    for (size_t i = 0; is_read && i < pixels; i++) {
        image->samples[3 * i] = (uint8_t)TIFFGetR(rgba[i]);
        image->samples[3 * i + 1] = (uint8_t)TIFFGetG(rgba[i]);
        image->samples[3 * i + 2] = (uint8_t)TIFFGetB(rgba[i]);
    }
    free(rgba);
    if (!rgba)
        return clipc_fail_memory(error, input->in->source, pixels * sizeof(*rgba));
    return is_read ? CLIPC_OK : fail(input, "its YCbCr samples do not decode", error);
}

static clipc_status read_palette(TIFF *tiff, const tiff_input *input, unsigned bits,
                                 clipc_image *image, clipc_error *error)
{
    uint16_t *planes[3];

    if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &planes[0], &planes[1], &planes[2]))
        return fail(input, "its palette is missing", error);
    for (size_t i = 0; i < (size_t)1 << bits; i++)
        for (size_t channel = 0; channel < 3; channel++)
            image->palette[i][channel] = (uint8_t)(planes[channel][i] >> 8);
    return CLIPC_OK;
}

/* As Pillow unpacks "RGBa": colours over alpha, cut at 255. */
static void divide_by_alpha(clipc_image *image)
{
    const size_t pixels = (size_t)image->width * image->height;

    for (size_t i = 0; i < pixels; i++) {
        uint8_t *pixel = image->samples + 4 * i;

        for (size_t channel = 0; channel < 3 && pixel[3] != 255; channel++)
            pixel[channel] =
                pixel[3] ? (uint8_t)clipc_min_size(255, (size_t)pixel[channel] * 255 / pixel[3])
                         : 0;
    }
}

static clipc_status read_samples(TIFF *tiff, tiff_input *input, tiff_layout *layout,
                                 clipc_image *image, clipc_error *error)
{
    clipc_status status = CLIPC_OK;

    if (layout->photometric == PHOTOMETRIC_YCBCR) {
        if (layout->compression != COMPRESSION_JPEG || layout->planar != PLANARCONFIG_CONTIG)
            return read_ycbcr(tiff, input, image, error);
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    if (layout->mode == CLIPC_MODE_P)
        status = read_palette(tiff, input, layout->bits, image, error);
    if (!status)
        status = read_blocks(tiff, input, layout, image, error);
    if (!status && layout->is_premultiplied)
        divide_by_alpha(image);
    return status;
}

static clipc_status decode(clipc_image **out, TIFF *tiff, tiff_input *input, clipc_error *error)
{
    tiff_layout layout;
    uint16_t orientation = 1;
    clipc_status status = read_layout(tiff, input, &layout, error);

    if (status)
        return status;
    status =
        clipc_image_new(out, layout.mode, layout.width, layout.height, input->in->source, error);
    if (!status)
        status = read_samples(tiff, input, &layout, *out, error);
    if (status)
        return status;
    TIFFGetField(tiff, TIFFTAG_ORIENTATION, &orientation);
    (*out)->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
    return clipc_image_turn_upright(out, input->in->source, error);
}

clipc_status clipc_decode_tiff(clipc_image **out, const clipc_encoded_image *in, clipc_error *error)
{
    tiff_input input = {.in = in};
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    TIFF *tiff;
    clipc_status status;

    if (!options)
        return clipc_fail_memory(error, in->source, 0);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, &input);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, &input);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, LARGEST_ALLOCATION);
    tiff = TIFFClientOpenExt(in->source, "rm", &input, read_bytes, write_nothing, seek,
                             close_nothing, file_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    if (!tiff)
        return fail(&input, "its directory does not read", error);
    status = decode(out, tiff, &input, error);
    TIFFClose(tiff);
    return status;
}
