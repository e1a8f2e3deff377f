/* SPDX-License-Identifier: MIT */
/*
 * BMP -> picture. No library of Debian's reads BMP alone, so clipc does: all header versions, 1 to
 * 32 bits, colour masks, run lengths; with the modes and the leniencies of Pillow's reader.
 */
#include "base/byte_reader.h"
#include "base/sizes.h"
#include "base/status.h"
#include "image/decode.h"

#include <string.h>

#define FILE_HEADER 14
#define CORE_HEADER 12

enum { RAW = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3 };

typedef struct bmp_header {
    uint32_t header_size, width, height, compression, colours;
    unsigned bits;
    bool is_top_down;
    uint32_t pixels_at;   /* offset of the pixels; 0: after the palette */
    uint32_t masks[4];    /* R, G, B, A of BITFIELDS */
    size_t palette_at;    /* offset of the palette */
    size_t palette_entry; /* bytes of one of its colours */
} bmp_header;

/* Where each channel's byte lies in a pixel of 24 or 32 bits. */
typedef struct byte_layout {
    uint32_t masks[4];
    uint8_t place[4]; /* of R, G, B, A */
    bool has_alpha;
} byte_layout;

static const byte_layout layouts[] = {
    {{0xFF0000, 0xFF00, 0xFF, 0}, {2, 1, 0, 0}, false},
    {{0xFF000000, 0xFF0000, 0xFF00, 0}, {3, 2, 1, 0}, false},
    {{0xFF000000, 0xFF00, 0xFF, 0}, {3, 1, 0, 0}, false},
    {{0xFF000000, 0xFF0000, 0xFF00, 0xFF}, {3, 2, 1, 0}, true},
    {{0xFF, 0xFF00, 0xFF0000, 0xFF000000}, {0, 1, 2, 3}, true},
    {{0xFF0000, 0xFF00, 0xFF, 0xFF000000}, {2, 1, 0, 3}, true},
    {{0xFF000000, 0xFF00, 0xFF, 0xFF0000}, {3, 1, 0, 2}, true},
    {{0, 0, 0, 0}, {2, 1, 0, 3}, true},
};

static clipc_status damaged(const clipc_encoded_image *in, const char *what, clipc_error *error)
{
    return clipc_fail_decoding(in, "BMP", what, error);
}

/* --- Header --- */

static void read_masks(bmp_header *header, clipc_byte_reader *reader)
{
    for (int i = 0; i < 3; i++)
        header->masks[i] = clipc_read_u32(reader);
    /* Headers of 40 bytes have three masks after them, longer ones all four inside. */
    if (header->header_size >= 56)
        header->masks[3] = clipc_read_u32(reader);
}

/* Windows 3 (40), with masks (52, 56), OS/2 2 (64), Windows 4 (108) and 5 (124). */
static bool is_info_header(uint32_t size)
{
    return size == 40 || size == 52 || size == 56 || size == 64 || size == 108 || size == 124;
}

static clipc_status read_header(const clipc_encoded_image *in, bmp_header *header,
                                clipc_error *error)
{
    clipc_byte_reader reader = clipc_byte_reader_over(in->bytes, in->size);
    uint32_t height;

    *header = (bmp_header){0};
    clipc_reader_seek(&reader, 10);
    header->pixels_at = clipc_read_u32(&reader);
    header->header_size = clipc_read_u32(&reader);
    header->palette_at = FILE_HEADER + (size_t)header->header_size;
    if (header->header_size == CORE_HEADER) {
        header->width = clipc_read_u16(&reader);
        header->height = clipc_read_u16(&reader);
        clipc_read_u16(&reader);
        header->bits = clipc_read_u16(&reader);
        header->palette_entry = 3;
    } else if (is_info_header(header->header_size)) {
        header->width = clipc_read_u32(&reader);
        height = clipc_read_u32(&reader);
        header->is_top_down = height >> 24 == 0xFF; /* negative */
        header->height = header->is_top_down ? 0 - height : height;
        clipc_read_u16(&reader);
        header->bits = clipc_read_u16(&reader);
        header->compression = clipc_read_u32(&reader);
        clipc_read_bytes(&reader, 4 + 4 + 4); /* size of the pixels, resolutions */
        header->colours = clipc_read_u32(&reader);
        clipc_read_u32(&reader);
        header->palette_entry = 4;
        if (header->compression == BITFIELDS) {
            read_masks(header, &reader);
            if (header->header_size == 40)
                header->palette_at += 12;
        }
    } else {
        return damaged(in, "its header has a size that no version has", error);
    }
    return reader.failed ? damaged(in, "it ends early", error) : CLIPC_OK;
}

static clipc_status check_header(const clipc_encoded_image *in, bmp_header *header,
                                 clipc_error *error)
{
    const unsigned bits = header->bits;
    const bool is_known_depth =
        bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32;
    const bool is_known_compression = header->compression == RAW ||
                                      (header->compression == RLE8 && bits == 8) ||
                                      (header->compression == RLE4 && bits == 4) ||
                                      (header->compression == BITFIELDS && bits >= 16);
    size_t palette_end;

    if (!is_known_depth || !is_known_compression)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: a BMP of %u bits with compression %u; 1, 4, 8, 16, 24 or 32 bits, "
                          "raw, run-length or masks were expected",
                          in->source, bits, header->compression);
    if (bits <= 8) {
        if (header->colours == 0)
            header->colours = 1u << bits;
        if (header->colours > 65536)
            return damaged(in, "its palette is larger than any", error);
        palette_end = header->palette_at + header->palette_entry * header->colours;
        if (palette_end > in->size)
            return damaged(in, "it ends early", error);
        /* Some writers say that the pixels begin where the palette does. */
        if (header->pixels_at == 0 || header->pixels_at == FILE_HEADER + header->header_size)
            header->pixels_at = (uint32_t)palette_end;
    } else if (header->pixels_at == 0) {
        header->pixels_at = (uint32_t)header->palette_at;
    }
    if (header->pixels_at > in->size)
        return damaged(in, "its pixels lie outside the file", error);
    return clipc_check_pixels(in, header->width, header->height, error);
}

/* --- Palette --- */

/*
 * Like Pillow: a palette of black and white means bilevel, one of all its greys in order means
 * grey.
 */
static clipc_mode palette_mode(const clipc_encoded_image *in, const bmp_header *header)
{
    for (uint32_t i = 0; i < header->colours; i++) {
        const uint8_t *colour = in->bytes + header->palette_at + i * header->palette_entry;
        const uint32_t grey = header->colours == 2 ? i * 255 : i;

        if (colour[0] != grey || colour[1] != grey || colour[2] != grey)
            return CLIPC_MODE_P;
    }
    return header->colours <= 2 ? CLIPC_MODE_1 : CLIPC_MODE_L;
}

static void read_palette(const clipc_encoded_image *in, const bmp_header *header,
                         clipc_image *image)
{
    for (uint32_t i = 0; i < header->colours && i < 256; i++) {
        const uint8_t *colour = in->bytes + header->palette_at + i * header->palette_entry;

        image->palette[i][0] = colour[2];
        image->palette[i][1] = colour[1];
        image->palette[i][2] = colour[0];
    }
}

/* --- Raw pixels --- */

/*
 * Indices of a byte, first pixel in the highest bits. A picture that turned out to be grey is
 * unpacked as Pillow unpacks "1" and "L": one bit a pixel, or one byte whatever the depth says.
 */
static void unpack_indices(const uint8_t *row, const bmp_header *header, clipc_image *image,
                           uint8_t *out)
{
    const unsigned bits = image->mode == CLIPC_MODE_1   ? 1
                          : image->mode == CLIPC_MODE_L ? 8
                                                        : header->bits;
    const unsigned a_byte = 8 / bits;

    for (uint32_t x = 0; x < image->width; x++) {
        const unsigned shift = 8 - bits * (x % a_byte + 1);
        const unsigned index = (unsigned)(row[x / a_byte] >> shift) & ((1u << bits) - 1);

        out[x] = (uint8_t)(image->mode == CLIPC_MODE_1 ? index * 255 : index);
    }
}

/* 5 or 6 bits to 8: v * 255 / max, as Pillow's tables round it. */
static void unpack_16(const uint8_t *row, bool has_6_green, clipc_image *image, uint8_t *out)
{
    const unsigned green = has_6_green ? 6 : 5;

    for (uint32_t x = 0; x < image->width; x++) {
        const unsigned pixel = (unsigned)(row[2 * x] | row[2 * x + 1] << 8);

        out[3 * x] = (uint8_t)(((pixel >> (5 + green)) & 31) * 255 / 31);
        out[3 * x + 1] =
            (uint8_t)(((pixel >> 5) & ((1u << green) - 1)) * 255 / ((1u << green) - 1));
        out[3 * x + 2] = (uint8_t)((pixel & 31) * 255 / 31);
    }
}

static void unpack_bytes(const uint8_t *row, size_t pixel_bytes, const byte_layout *layout,
                         clipc_image *image, uint8_t *out)
{
    const size_t channels = clipc_mode_bytes(image->mode);

    for (uint32_t x = 0; x < image->width; x++)
        for (size_t channel = 0; channel < channels; channel++)
            out[x * channels + channel] = row[x * pixel_bytes + layout->place[channel]];
}

/* The layout of 24 or 32 bits; NULL when clipc (and Pillow) has none of these masks. */
static const byte_layout *find_layout(const bmp_header *header)
{
    const size_t masks = header->bits == 32 ? 4 : 3;

    if (header->compression != BITFIELDS)
        return &layouts[0];
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
        if (memcmp(layouts[i].masks, header->masks, masks * sizeof(uint32_t)) == 0)
            return header->bits == 32 || i == 0 ? &layouts[i] : NULL;
    return NULL;
}

/* Whether 16-bit pixels are 5-6-5 (else 5-5-5); false in *known for other masks. */
static bool has_6_green(const bmp_header *header, bool *known)
{
    static const uint32_t masks_565[] = {0xF800, 0x7E0, 0x1F};
    static const uint32_t masks_555[] = {0x7C00, 0x3E0, 0x1F};
    const bool is_565 = header->compression == BITFIELDS &&
                        memcmp(header->masks, masks_565, sizeof(masks_565)) == 0;

    *known = header->compression != BITFIELDS || is_565 ||
             memcmp(header->masks, masks_555, sizeof(masks_555)) == 0;
    return is_565;
}

static clipc_status decode_raw(clipc_image *image, const clipc_encoded_image *in,
                               const bmp_header *header, const byte_layout *layout, bool is_565,
                               clipc_error *error)
{
    const size_t stride = ((size_t)header->width * header->bits + 31) / 32 * 4;
    /* The last row may lack its padding. */
    const size_t row_bytes = image->mode == CLIPC_MODE_L
                                 ? clipc_min_size(stride, header->width)
                                 : ((size_t)header->width * header->bits + 7) / 8;
    const size_t given = in->size - header->pixels_at;

    if (image->mode == CLIPC_MODE_L && row_bytes < header->width)
        return damaged(in, "its palette belongs to another depth", error);
    if (given < row_bytes || (given - row_bytes) / stride < header->height - 1)
        return damaged(in, "it ends early", error);
    for (uint32_t y = 0; y < header->height; y++) {
        const uint8_t *row = in->bytes + header->pixels_at + y * stride;
        uint8_t *out = clipc_image_row(image, header->is_top_down ? y : header->height - 1 - y);

        if (header->bits <= 8)
            unpack_indices(row, header, image, out);
        else if (header->bits == 16)
            unpack_16(row, is_565, image, out);
        else
            unpack_bytes(row, header->bits / 8, layout, image, out);
    }
    return CLIPC_OK;
}

/* --- Run lengths --- */

typedef struct run_state {
    clipc_byte_reader in;
    uint8_t *out; /* [size], rows in the order of the file */
    size_t size, written;
    size_t width, x;
    bool is_rle4;
} run_state;

static void write_pixel(run_state *state, uint8_t index)
{
    if (state->written < state->size)
        state->out[state->written++] = index;
}

static void write_run(run_state *state, size_t count, uint8_t byte)
{
    if (state->x + count > state->width)
        count = state->width > state->x ? state->width - state->x : 0;
    for (size_t i = 0; i < count; i++)
        write_pixel(state, !state->is_rle4 ? byte : i % 2 ? byte & 15 : byte >> 4);
    state->x += count;
}

/* Pixels that stand for themselves; false when the file ends in them. */
static bool write_literal(run_state *state, size_t named)
{
    const size_t count = clipc_min_size(named, state->size - state->written);
    const size_t bytes = state->is_rle4 ? (count + 1) / 2 : count;
    const uint8_t *literal = clipc_read_bytes(&state->in, bytes);

    if (!literal)
        return false;
    for (size_t i = 0; i < count; i++)
        write_pixel(state, !state->is_rle4 ? literal[i]
                           : i % 2         ? literal[i / 2] & 15
                                           : literal[i / 2] >> 4);
    state->x += named;
    if (state->in.position % 2)
        clipc_read_u8(&state->in); /* to an even offset in the file */
    return state->written < state->size;
}

/* One escape; false at the end of the picture. What is skipped stays index 0. */
static bool run_escape(run_state *state, uint8_t code)
{
    size_t right, up;

    switch (code) {
    case 0:
        state->written = clipc_min_size(clipc_round_up(state->written, state->width), state->size);
        state->x = 0;
        return true;
    case 1: return false;
    case 2:
        right = clipc_read_u8(&state->in);
        up = clipc_read_u8(&state->in);
        if (state->in.failed)
            return false;
        state->written = clipc_min_size(state->written + right + up * state->width, state->size);
        state->x = state->written % state->width;
        return true;
    default: return write_literal(state, code);
    }
}

static clipc_status decode_runs(clipc_image *image, const clipc_encoded_image *in,
                                const bmp_header *header, clipc_error *error)
{
    run_state state = {
        .in = clipc_byte_reader_over(in->bytes, in->size),
        .out = image->samples,
        .size = (size_t)image->width * image->height,
        .width = image->width,
        .is_rle4 = header->compression == RLE4,
    };

    clipc_reader_seek(&state.in, header->pixels_at);
    while (state.written < state.size) {
        const uint8_t count = clipc_read_u8(&state.in);
        const uint8_t byte = clipc_read_u8(&state.in);

        if (state.in.failed)
            break;
        if (count)
            write_run(&state, count, byte);
        else if (!run_escape(&state, byte))
            break;
    }
    /* As Pillow: an end code before the last pixel is not enough of a picture. */
    if (state.written < state.size)
        return damaged(in, "it ends early", error);
    for (size_t i = 0; image->mode == CLIPC_MODE_1 && i < state.size; i++)
        image->samples[i] = image->samples[i] ? 255 : 0;
    return CLIPC_OK;
}

/* Rows were written in the file's order, the lowest first. */
static void flip_rows(clipc_image *image)
{
    for (uint32_t y = 0; y < image->height / 2; y++) {
        uint8_t *upper = clipc_image_row(image, y);
        uint8_t *lower = clipc_image_row(image, image->height - 1 - y);

        for (uint32_t x = 0; x < image->width; x++) {
            const uint8_t sample = upper[x];

            upper[x] = lower[x];
            lower[x] = sample;
        }
    }
}

clipc_status clipc_decode_bmp(clipc_image **out, const clipc_encoded_image *in, clipc_error *error)
{
    bmp_header header;
    const byte_layout *layout;
    bool is_known, is_565;
    clipc_mode mode;
    clipc_status status = read_header(in, &header, error);

    if (!status)
        status = check_header(in, &header, error);
    if (status)
        return status;
    layout = find_layout(&header);
    is_565 = has_6_green(&header, &is_known);
    if (header.bits == 16 ? !is_known : !layout)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED, "%s: a BMP with unusual colour masks",
                          in->source);
    mode = header.bits <= 8                                   ? palette_mode(in, &header)
           : header.bits == 32 && layout && layout->has_alpha ? CLIPC_MODE_RGBA
                                                              : CLIPC_MODE_RGB;
    status = clipc_image_new(out, mode, header.width, header.height, in->source, error);
    if (status)
        return status;
    if (mode == CLIPC_MODE_P)
        read_palette(in, &header, *out);
    if (header.compression != RLE8 && header.compression != RLE4)
        return decode_raw(*out, in, &header, layout, is_565, error);
    status = decode_runs(*out, in, &header, error);
    if (!status && !header.is_top_down)
        flip_rows(*out);
    return status;
}
