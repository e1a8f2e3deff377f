/* SPDX-License-Identifier: MIT */
/* Files and bytes -> pictures: tells the format apart by its first bytes and calls its decoder. */
#include "image/decode.h"

#include "base/file_map.h"
#include "base/options.h"
#include "base/status.h"
#include "image/crop.h"
#include "image/orientation.h"

#include <string.h>

/* Pillow refuses more than twice a quarter of a gigabyte of 24-bit pixels. */
#define DEFAULT_MAX_PIXELS 178956970u

typedef struct image_format {
    const char *magic; /* at offset 0; '?' is any byte */
    size_t length;
    const char *name;
    clipc_status (*decode)(clipc_image **out, const clipc_encoded_image *in, clipc_error *error);
    clipc_status (*decode_crop)(clipc_image **out, const clipc_encoded_image *in,
                                const clipc_crop_request *request, clipc_error *error);
} image_format;

/*
 * A format that this build lacks has no decoder: its files are told apart all the same. decode_crop
 * is NULL where nothing is won over decoding the whole.
 */
static const image_format formats[] = {
    {"\xFF\xD8\xFF", 3, "JPEG", clipc_decode_jpeg, clipc_decode_jpeg_crop},
    {"\x89PNG\r\n\x1A\n", 8, "PNG", clipc_decode_png, NULL},
    {"BM", 2, "BMP", clipc_decode_bmp, NULL},
#ifdef CLIPC_HAVE_WEBP
    {"RIFF????WEBP", 12, "WebP", clipc_decode_webp, NULL},
#else
    {"RIFF????WEBP", 12, "WebP", NULL, NULL},
#endif
#ifdef CLIPC_HAVE_GIF
    {"GIF87a", 6, "GIF", clipc_decode_gif, NULL},
    {"GIF89a", 6, "GIF", clipc_decode_gif, NULL},
#else
    {"GIF8", 4, "GIF", NULL, NULL},
#endif
#ifdef CLIPC_HAVE_TIFF
    {"II*\0", 4, "TIFF", clipc_decode_tiff, NULL},
    {"MM\0*", 4, "TIFF", clipc_decode_tiff, NULL},
    {"II+\0", 4, "TIFF", clipc_decode_tiff, NULL},
    {"MM\0+", 4, "TIFF", clipc_decode_tiff, NULL},
#else
    {"II*\0", 4, "TIFF", NULL, NULL},
    {"MM\0*", 4, "TIFF", NULL, NULL},
#endif
};

void clipc_image_options_init(clipc_image_options *options)
{
    *options = (clipc_image_options){
        .size = sizeof(*options),
        .max_pixels = DEFAULT_MAX_PIXELS,
        .max_bytes = (uint64_t)1 << 30,
    };
}

clipc_status clipc_check_pixels(const clipc_encoded_image *in, uint64_t width, uint64_t height,
                                clipc_error *error)
{
    uint64_t pixels;

    if (__builtin_mul_overflow(width, height, &pixels) || pixels > in->max_pixels)
        return clipc_fail(error, CLIPC_ERROR_LIMIT,
                          "%s: has %llu x %llu pixels, more than the limit of %llu", in->source,
                          (unsigned long long)width, (unsigned long long)height,
                          (unsigned long long)in->max_pixels);
    return CLIPC_OK;
}

clipc_status clipc_fail_decoding(const clipc_encoded_image *in, const char *format,
                                 const char *what, clipc_error *error)
{
    return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: damaged %s: %s", in->source, format, what);
}

static const image_format *find_format(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        const image_format *format = &formats[i];
        bool same = size >= format->length;

        for (size_t j = 0; same && j < format->length; j++)
            same = format->magic[j] == '?' || (uint8_t)format->magic[j] == bytes[j];
        if (same)
            return format;
    }
    return NULL;
}

static clipc_status check_file(const clipc_encoded_image *in, const image_format *format,
                               const clipc_image_options *options, clipc_error *error)
{
    if (in->size > options->max_bytes)
        return clipc_fail(error, CLIPC_ERROR_LIMIT,
                          "%s: has %zu bytes, more than the limit of %llu", in->source, in->size,
                          (unsigned long long)options->max_bytes);
    if (in->size == 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: the file is empty", in->source);
    if (!format)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: not a picture; JPEG, PNG, WebP, GIF, BMP or TIFF was expected",
                          in->source);
    if (!format->decode)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED, "%s: this build does not read %s",
                          in->source, format->name);
    return CLIPC_OK;
}

static clipc_status decode(clipc_image **out, const clipc_encoded_image *in,
                           const clipc_image_options *options, clipc_error *error)
{
    const image_format *format = find_format(in->bytes, in->size);
    clipc_status status = check_file(in, format, options, error);

    if (status)
        return status;
    status = format->decode(out, in, error);
    if (!status && options->apply_exif)
        status = clipc_image_turn_upright(out, in->source, error);
    if (status) {
        clipc_image_close(*out);
        *out = NULL;
    }
    return status;
}

static clipc_status decode_crop(clipc_image **out, const clipc_encoded_image *in,
                                const clipc_image_options *options, uint32_t size,
                                clipc_error *error)
{
    const image_format *format = find_format(in->bytes, in->size);
    const clipc_crop_request request = {size, options->apply_exif, options->fast_decode};
    clipc_image *whole = NULL;
    clipc_status status = check_file(in, format, options, error);

    if (!status && format->decode_crop)
        status = format->decode_crop(out, in, &request, error);
    if (status || *out)
        return status;
    status = decode(&whole, in, options, error);
    if (!status)
        status = clipc_image_crop(out, whole, size, error);
    clipc_image_close(whole);
    return status;
}

static clipc_status take_options(clipc_image_options *settings, const clipc_image_options *options,
                                 clipc_error *error)
{
    clipc_image_options_init(settings);
    return clipc_options_take(settings, sizeof(*settings), options, "image options", error);
}

clipc_status clipc_image_decode(clipc_image **out, const void *bytes, size_t size,
                                const char *source, const clipc_image_options *options,
                                clipc_error *error)
{
    clipc_encoded_image in = {bytes, size, source ? source : "picture", 0};
    clipc_image_options settings;
    clipc_status status = take_options(&settings, options, error);

    *out = NULL;
    in.max_pixels = settings.max_pixels;
    return status ? status : decode(out, &in, &settings, error);
}

/* A file's bytes, mapped, and the options to decode them with. */
typedef struct image_file {
    clipc_encoded_image in;
    clipc_image_options settings;
    clipc_file_map map;
} image_file;

static clipc_status open_file(image_file *file, const char *path,
                              const clipc_image_options *options, clipc_error *error)
{
    clipc_status status = take_options(&file->settings, options, error);

    if (!status)
        status = clipc_file_map_open(&file->map, path, error);
    if (!status)
        file->in =
            (clipc_encoded_image){file->map.bytes, file->map.size, path, file->settings.max_pixels};
    return status;
}

clipc_status clipc_image_read(clipc_image **out, const char *path,
                              const clipc_image_options *options, clipc_error *error)
{
    image_file file;
    clipc_status status = open_file(&file, path, options, error);

    *out = NULL;
    if (status)
        return status;
    status = decode(out, &file.in, &file.settings, error);
    clipc_file_map_close(&file.map);
    return status;
}

clipc_status clipc_image_read_crop(clipc_image **out, const char *path,
                                   const clipc_image_options *options, uint32_t size,
                                   clipc_error *error)
{
    image_file file;
    clipc_status status = open_file(&file, path, options, error);

    *out = NULL;
    if (status)
        return status;
    status = decode_crop(out, &file.in, &file.settings, size, error);
    clipc_file_map_close(&file.map);
    return status;
}
