/* SPDX-License-Identifier: MIT */
/*
 * Files that are no pictures, lie about themselves, or stop early: one clear error, no picture, and
 * no allocation that the file's size does not justify.
 */
#include "image/preprocess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PICTURES CLIPC_TEST_DATA "/pictures/"
#define LARGEST_FILE 65536

typedef struct file_bytes {
    uint8_t bytes[LARGEST_FILE];
    size_t size;
} file_bytes;

static file_bytes whole;

static void load(const char *name)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), PICTURES "%s", name);
    file = fopen(path, "rb");
    assert_non_null(file);
    whole.size = fread(whole.bytes, 1, sizeof(whole.bytes), file);
    fclose(file);
    assert_in_range(whole.size, 1, sizeof(whole.bytes) - 1);
}

/* Decodes a copy that ends where its block does, so that a sanitizer sees a read past the end. */
static clipc_status decode(clipc_image **out, const void *bytes, size_t size,
                           const clipc_image_options *options, clipc_error *error)
{
    void *exact = malloc(size ? size : 1);
    clipc_status status;

    assert_non_null(exact);
    memcpy(exact, bytes, size);
    status = clipc_image_decode(out, exact, size, "file.x", options, error);
    free(exact);
    return status;
}

static void assert_refused(const void *bytes, size_t size, clipc_status expected,
                           const char *message)
{
    clipc_image *image = (clipc_image *)(uintptr_t)1;
    clipc_error error = {.message = ""};
    const clipc_status status = decode(&image, bytes, size, NULL, &error);

    if (status != expected || !strstr(error.message, message))
        fail_msg("expected \"%s\" (%d), got \"%s\" (%d)", message, expected, error.message, status);
    assert_null(image);
    assert_int_equal(error.code, status);
    assert_int_equal(strncmp(error.message, "file.x: ", 8), 0);
}

/* --- No pictures --- */

static void test_not_pictures(void **state)
{
    static const char *const others[] = {"x",      "%PDF-1.4", "RIFF\0\0\0\0WAVE", "\xFF\xD8",
                                         "GIF88a", "II*",      "P6 1 1 255 abc",   "\x89PNG\r\n"};

    (void)state;
    assert_refused("", 0, CLIPC_ERROR_FORMAT, "the file is empty");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_refused(others[i], strlen(others[i]), CLIPC_ERROR_FORMAT,
                       "not a picture; JPEG, PNG, WebP, GIF, BMP or TIFF was expected");
}

/* What tells the format is there, and nothing else. */
static void test_magic_alone(void **state)
{
    (void)state;
    assert_refused("\xFF\xD8\xFF", 3, CLIPC_ERROR_FORMAT, "damaged JPEG: it ends early");
    assert_refused("\x89PNG\r\n\x1A\n", 8, CLIPC_ERROR_FORMAT,
                   "damaged PNG: its header is missing");
    assert_refused("BM", 2, CLIPC_ERROR_FORMAT, "damaged BMP: ");
    assert_refused("GIF89a", 6, CLIPC_ERROR_FORMAT, "damaged GIF: ");
    assert_refused("RIFF\0\0\0\0WEBP", 12, CLIPC_ERROR_FORMAT, "damaged WebP: ");
    assert_refused("II*\0", 4, CLIPC_ERROR_FORMAT, "damaged TIFF: ");
    assert_refused("MM\0*\0\0\0\x08", 8, CLIPC_ERROR_FORMAT, "damaged TIFF: ");
}

static void test_files(void **state)
{
    clipc_image *image;
    clipc_error error;

    (void)state;
    assert_int_equal(clipc_image_read(&image, PICTURES, NULL, &error), CLIPC_ERROR_IO);
    assert_non_null(strstr(error.message, "is a directory, a file was expected"));
    assert_null(image);
    assert_int_equal(clipc_image_read(&image, PICTURES "no-such.png", NULL, &error),
                     CLIPC_ERROR_IO);
    assert_non_null(strstr(error.message, PICTURES "no-such.png: "));
    assert_int_equal(clipc_image_read(&image, "/dev/null", NULL, &error), CLIPC_ERROR_IO);
    assert_non_null(strstr(error.message, "is not a regular file"));
    assert_int_equal(clipc_image_read(&image, PICTURES "no-such.png", NULL, NULL), CLIPC_ERROR_IO);
}

/* --- Sizes --- */

static void put_be32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * (3 - i));
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t png_crc(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFF;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
    }
    return ~crc;
}

static void set_png_size(uint32_t width, uint32_t height)
{
    put_be32(whole.bytes + 16, width);
    put_be32(whole.bytes + 20, height);
    put_be32(whole.bytes + 29, png_crc(whole.bytes + 12, 17));
}

/* The two bytes of a big-endian 16-bit size in a JPEG's frame header. */
static void set_jpeg_size(uint16_t width, uint16_t height)
{
    size_t at = 2;

    while (whole.bytes[at + 1] != 0xC0 && whole.bytes[at + 1] != 0xC2)
        at += 2 + (size_t)(whole.bytes[at + 2] << 8 | whole.bytes[at + 3]);
    whole.bytes[at + 5] = (uint8_t)(height >> 8);
    whole.bytes[at + 6] = (uint8_t)height;
    whole.bytes[at + 7] = (uint8_t)(width >> 8);
    whole.bytes[at + 8] = (uint8_t)width;
}

static void assert_too_large(const char *size)
{
    char message[128];

    snprintf(message, sizeof(message), "has %s pixels, more than the limit of 178956970", size);
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_LIMIT, message);
}

static void test_huge_sizes(void **state)
{
    (void)state;
    load("png_type2_8.png");
    set_png_size(60000, 60000);
    assert_too_large("60000 x 60000");
    set_png_size(0x7FFFFFFF, 0x7FFFFFFF);
    assert_too_large("2147483647 x 2147483647");
    load("jpeg_420.jpg");
    set_jpeg_size(65500, 65500);
    assert_too_large("65500 x 65500");
    load("gif_89a.gif");
    memset(whole.bytes + 6, 0xFF, 4);
    assert_too_large("65535 x 65535");
    load("bmp_24.bmp");
    put_le32(whole.bytes + 18, 60000);
    put_le32(whole.bytes + 22, 60000);
    assert_too_large("60000 x 60000");
    put_le32(whole.bytes + 18, 0xFFFFFFFF);
    assert_too_large("4294967295 x 60000");
    load("webp_exif_5.webp"); /* VP8X: its canvas, less one, in 24 bits each */
    memset(whole.bytes + 24, 0x7F, 6);
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_FORMAT, "damaged WebP: ");
    load("tiff_rgb_le.tiff"); /* its first two fields */
    put_le32(whole.bytes + 18, 60000);
    put_le32(whole.bytes + 30, 60000);
    assert_too_large("60000 x 60000");
}

/* Below the limit, but more than the file holds: no memory is touched for what is not there. */
static void test_lying_sizes(void **state)
{
    struct rusage before, after;

    (void)state;
    getrusage(RUSAGE_SELF, &before);
    load("png_type2_8.png");
    set_png_size(13000, 13000);
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_FORMAT, "damaged PNG: ");
    load("bmp_24.bmp");
    put_le32(whole.bytes + 18, 13000);
    put_le32(whole.bytes + 22, 13000);
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_FORMAT, "damaged BMP: it ends early");
    load("tiff_rgb_le.tiff");
    put_le32(whole.bytes + 18, 13000);
    put_le32(whole.bytes + 30, 13000);
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_FORMAT, "damaged TIFF: ");
    load("jpeg_420.jpg");
    set_jpeg_size(13000, 13000);
    whole.size -= 2; /* at an end marker libjpeg, and Pillow with it, fills the rest with grey */
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_FORMAT, "damaged JPEG: it ends early");
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 256 * 1024); /* kilobytes */
}

static void test_empty_sizes(void **state)
{
    (void)state;
    load("png_type2_8.png");
    set_png_size(0, 5);
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_FORMAT, "damaged PNG: ");
    load("bmp_24.bmp");
    put_le32(whole.bytes + 22, 0);
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_FORMAT, "is empty");
    load("jpeg_420.jpg");
    set_jpeg_size(0, 7);
    assert_refused(whole.bytes, whole.size, CLIPC_ERROR_FORMAT, "damaged JPEG: ");
}

static void test_limits(void **state)
{
    clipc_image_options options;
    clipc_image *image;
    clipc_error error;
    uint32_t width, height;

    (void)state;
    load("png_type2_8.png");
    clipc_image_options_init(&options);
    assert_int_equal(decode(&image, whole.bytes, whole.size, &options, &error), CLIPC_OK);
    clipc_image_get_size(image, &width, &height);
    clipc_image_close(image);
    options.max_pixels = (uint64_t)width * height;
    options.max_bytes = whole.size;
    assert_int_equal(decode(&image, whole.bytes, whole.size, &options, &error), CLIPC_OK);
    clipc_image_close(image);
    options.max_pixels--;
    assert_int_equal(decode(&image, whole.bytes, whole.size, &options, &error), CLIPC_ERROR_LIMIT);
    assert_null(image);
    assert_non_null(strstr(error.message, "pixels, more than the limit of"));
    options.max_pixels++;
    options.max_bytes--;
    assert_int_equal(decode(&image, whole.bytes, whole.size, &options, &error), CLIPC_ERROR_LIMIT);
    assert_non_null(strstr(error.message, "bytes, more than the limit of"));
    options.size = 0;
    assert_int_equal(decode(&image, whole.bytes, whole.size, &options, &error),
                     CLIPC_ERROR_ARGUMENT);
}

/* A picture of its own may have any shape; what it would be resized to may not. */
static void test_extreme_shapes(void **state)
{
    static uint8_t rgb[3 * 100000];
    static uint8_t out[224 * 224 * 3];
    clipc_image *image;
    clipc_error error;

    (void)state;
    assert_int_equal(clipc_image_from_rgb(&image, rgb, 100000, 1, sizeof(rgb), &error), CLIPC_OK);
    assert_int_equal(clipc_preprocess_rgb(image, 16, out, &error), CLIPC_OK);
    assert_int_equal(clipc_preprocess_rgb(image, 224, out, &error), CLIPC_ERROR_LIMIT);
    assert_non_null(strstr(error.message, "too long"));
    assert_int_equal(clipc_preprocess_rgb(image, 0, out, &error), CLIPC_ERROR_ARGUMENT);
    clipc_image_close(image);
    assert_int_equal(clipc_image_from_rgb(&image, rgb, 0, 1, 3, &error), CLIPC_ERROR_FORMAT);
    assert_null(image);
    assert_int_equal(clipc_image_from_rgb(&image, rgb, 2, 1, 5, &error), CLIPC_ERROR_ARGUMENT);
    assert_int_equal(clipc_image_from_rgb(&image, NULL, 1, 1, 3, &error), CLIPC_ERROR_ARGUMENT);
    assert_null(image);
    clipc_image_close(NULL);
}

/* --- Truncated and altered files --- */

/* One of each decoder's ways through a file. */
static const char *const samples[] = {
    "jpeg_420.jpg",
    "jpeg_444_progressive.jpg",
    "jpeg_own_ycck.jpg",
    "png_type2_8.png",
    "png_type3_4_interlaced.png",
    "png_type0_16.png",
    "webp_lossy_alpha.webp",
    "webp_lossless.webp",
    "webp_animated.webp",
    "gif_offset_interlaced.gif",
    "bmp_24.bmp",
    "bmp_rle8.bmp",
    "bmp_rle4.bmp",
    "bmp_8_os2.bmp",
    "tiff_rgb_lzw.tiff",
    "tiff_rgb_tiles_planar_lzw.tiff",
    "tiff_jpeg_rgb.tiff",
    "tiff_float_le.tiff",
    "tiff_ycbcr_lzw.tiff",
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* The crop of what the first `size` bytes decode to; false when they are refused. */
static bool crop_of(size_t size, uint8_t *out)
{
    clipc_image *image;
    clipc_error error;
    const clipc_status status = decode(&image, whole.bytes, size, NULL, &error);

    if (status) {
        assert_null(image);
        assert_true(strncmp(error.message, "file.x: ", 8) == 0 && error.message[8] != '\0');
        return false;
    }
    assert_int_equal(clipc_preprocess_rgb(image, 16, out, &error), CLIPC_OK);
    clipc_image_close(image);
    return true;
}

/* Cut anywhere, a file is refused, or had already given all of its picture. */
static void test_truncated(void **state)
{
    uint8_t complete[16 * 16 * 3], part[16 * 16 * 3];

    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t first_read;

        load(samples[i]);
        first_read = whole.size;
        assert_true(crop_of(whole.size, complete));
        for (size_t size = 0; size < whole.size; size += 1 + whole.size / 200) {
            if (!crop_of(size, part))
                continue;
            if (memcmp(part, complete, sizeof(part)) != 0)
                fail_msg("%s cut at %zu of %zu bytes gives another picture", samples[i], size,
                         whole.size);
            if (size < first_read)
                first_read = size;
        }
        if (first_read < whole.size / 2)
            fail_msg("%s cut at %zu of %zu bytes is read", samples[i], first_read, whole.size);
    }
}

/* Any byte may change: what matters is that nothing but an error or a picture comes of it. */
static void test_altered(void **state)
{
    static const uint8_t values[] = {0x00, 0xFF, 0x80, 0x01};
    uint8_t crop[16 * 16 * 3];
    unsigned refused = 0;

    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        load(samples[i]);
        for (size_t at = 0; at < whole.size; at += at < 200 ? 1 : 1 + whole.size / 50) {
            const uint8_t byte = whole.bytes[at];

            whole.bytes[at] = values[at % 4] != byte ? values[at % 4] : (uint8_t)~byte;
            refused += !crop_of(whole.size, crop);
            whole.bytes[at] = byte;
        }
    }
    assert_true(refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_pictures), cmocka_unit_test(test_magic_alone),
        cmocka_unit_test(test_files),        cmocka_unit_test(test_huge_sizes),
        cmocka_unit_test(test_lying_sizes),  cmocka_unit_test(test_empty_sizes),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_extreme_shapes),
        cmocka_unit_test(test_truncated),    cmocka_unit_test(test_altered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
