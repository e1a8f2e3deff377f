/* SPDX-License-Identifier: MIT */
/*
 * The crop of a JPEG, decoded in strips and without what it leaves out, against the crop of the
 * whole picture: the same bytes for every layout of colour, shape and size; the same verdict on
 * files that end early.
 */
#include "image/crop.h"
#include "image/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jpeglib.h>

typedef struct colour_layout {
    const char *name;
    int components;
    int horizontal[4], vertical[4]; /* sampling factors */
    bool progressive;
    int restart_rows;
} colour_layout;

static const colour_layout layouts[] = {
    {"4:4:4", 3, {1, 1, 1}, {1, 1, 1}, false, 0},
    {"4:2:2", 3, {2, 1, 1}, {1, 1, 1}, false, 0},
    {"4:2:0", 3, {2, 1, 1}, {2, 1, 1}, false, 0},
    {"4:4:0", 3, {1, 1, 1}, {2, 1, 1}, false, 0},
    {"4:1:1", 3, {4, 1, 1}, {1, 1, 1}, false, 0},
    {"4:1:0", 3, {4, 1, 1}, {2, 1, 1}, false, 0},
    {"3:1:1", 3, {3, 1, 1}, {1, 1, 1}, false, 0},
    {"2x2, 2x1, 1x2", 3, {2, 2, 1}, {2, 1, 2}, false, 0},
    {"all 1x2", 3, {1, 1, 1}, {2, 2, 2}, false, 0},
    {"luma below chroma", 3, {1, 2, 2}, {1, 2, 2}, false, 0},
    {"grey", 1, {1}, {1}, false, 0},
    {"grey 2x2", 1, {2}, {2}, false, 0},
    {"CMYK", 4, {1, 1, 1, 1}, {1, 1, 1, 1}, false, 0},
    {"CMYK subsampled", 4, {2, 1, 1, 2}, {2, 1, 1, 2}, false, 0},
    {"4:2:0 progressive", 3, {2, 1, 1}, {2, 1, 1}, true, 0},
    {"4:2:2 progressive", 3, {2, 1, 1}, {1, 1, 1}, true, 0},
    {"4:2:0 with restarts", 3, {2, 1, 1}, {2, 1, 1}, false, 1},
};

/* The crop leaves out columns, rows, nothing; single blocks, odd ends, extreme shapes. */
static const struct {
    JDIMENSION width, height;
    uint32_t size;
} shapes[] = {
    {300, 100, 32}, {100, 300, 32}, {333, 97, 32},  {97, 333, 32},  {128, 128, 32}, {640, 64, 16},
    {64, 640, 16},  {257, 129, 7},  {129, 257, 7},  {48, 33, 64},   {33, 48, 64},   {17, 5, 1},
    {5, 17, 1},     {1, 1, 3},      {100, 50, 50},  {50, 100, 50},  {64, 64, 64},   {1000, 8, 8},
    {8, 1000, 8},   {200, 161, 40}, {161, 200, 40}, {1500, 20, 90}, {20, 1500, 90},
};

static uint32_t state = 1;

/* Smooth in places, noise in others: smoothing of colour shows at every edge. */
static uint8_t make_sample(JDIMENSION x, JDIMENSION y, int channel)
{
    state = state * 1664525u + 1013904223u;
    return (uint8_t)((x / 13 + y / 7) % 3 == 0 ? state >> 24 : (x * 5 + y * 3) >> channel);
}

static void write_rows(struct jpeg_compress_struct *library)
{
    const size_t stride = library->image_width * (size_t)library->input_components;
    uint8_t *row = malloc(stride);

    assert_non_null(row);
    while (library->next_scanline < library->image_height) {
        JSAMPROW rows = row;

        for (size_t i = 0; i < stride; i++)
            row[i] = make_sample((JDIMENSION)(i / (size_t)library->input_components),
                                 library->next_scanline, (int)i % library->input_components);
        jpeg_write_scanlines(library, &rows, 1);
    }
    free(row);
}

/* *bytes: to be freed. */
static void make_jpeg(const colour_layout *layout, JDIMENSION width, JDIMENSION height,
                      unsigned char **bytes, unsigned long *size)
{
    struct jpeg_compress_struct library;
    struct jpeg_error_mgr errors;

    *bytes = NULL;
    *size = 0;
    library.err = jpeg_std_error(&errors);
    jpeg_create_compress(&library);
    jpeg_mem_dest(&library, bytes, size);
    library.image_width = width;
    library.image_height = height;
    library.input_components = layout->components;
    library.in_color_space = layout->components == 1   ? JCS_GRAYSCALE
                             : layout->components == 3 ? JCS_RGB
                                                       : JCS_CMYK;
    jpeg_set_defaults(&library);
    jpeg_set_quality(&library, 85, TRUE);
    for (int i = 0; i < layout->components; i++) {
        library.comp_info[i].h_samp_factor = layout->horizontal[i];
        library.comp_info[i].v_samp_factor = layout->vertical[i];
    }
    library.restart_in_rows = layout->restart_rows;
    if (layout->progressive)
        jpeg_simple_progression(&library);
    jpeg_start_compress(&library, TRUE);
    write_rows(&library);
    jpeg_finish_compress(&library);
    jpeg_destroy_compress(&library);
}

/* The crop of the whole; NULL when decoding fails. */
static clipc_image *crop_of_whole(const clipc_encoded_image *in, uint32_t size)
{
    clipc_image *whole = NULL, *crop = NULL;
    clipc_error error;

    if (!clipc_decode_jpeg(&whole, in, &error))
        assert_int_equal(clipc_image_crop(&crop, whole, size, &error), CLIPC_OK);
    clipc_image_close(whole);
    return crop;
}

static void expect_same_crop(const clipc_encoded_image *in, uint32_t size)
{
    const clipc_crop_request request = {.size = size};
    clipc_image *expected = crop_of_whole(in, size), *got = NULL;
    clipc_error error;
    const clipc_status status = clipc_decode_jpeg_crop(&got, in, &request, &error);

    if (!expected) {
        if (status != CLIPC_ERROR_FORMAT || got)
            fail_msg("%s: decoded to the end, an error was expected", in->source);
        return;
    }
    if (status)
        fail_msg("%s", error.message);
    assert_int_equal(got->mode, expected->mode);
    if (memcmp(got->samples, expected->samples, size * size * clipc_mode_bytes(got->mode)) != 0)
        fail_msg("%s: the crop differs from that of the whole", in->source);
    clipc_image_close(expected);
    clipc_image_close(got);
}

static void test_equal(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
        for (size_t j = 0; j < sizeof(shapes) / sizeof(shapes[0]); j++) {
            unsigned char *bytes;
            unsigned long size;
            char name[128];

            snprintf(name, sizeof(name), "%s, %u x %u to %u", layouts[i].name, shapes[j].width,
                     shapes[j].height, shapes[j].size);
            make_jpeg(&layouts[i], shapes[j].width, shapes[j].height, &bytes, &size);
            expect_same_crop(&(clipc_encoded_image){bytes, size, name, 1 << 24}, shapes[j].size);
            free(bytes);
        }
}

static void test_ends_early(void **unused)
{
    static const size_t some_layouts[] = {1, 2, 10, 14, 16};

    (void)unused;
    for (size_t i = 0; i < sizeof(some_layouts) / sizeof(some_layouts[0]); i++)
        for (size_t tall = 0; tall < 2; tall++) {
            const colour_layout *layout = &layouts[some_layouts[i]];
            unsigned char *bytes;
            unsigned long size;
            char name[128];

            make_jpeg(layout, tall ? 40 : 200, tall ? 200 : 40, &bytes, &size);
            for (unsigned long cut = 2; cut < size; cut += 1 + cut / 16) {
                const unsigned long length = cut < size / 2 ? cut : size - cut / 2;

                snprintf(name, sizeof(name), "%s, %lu of %lu bytes", layout->name, length, size);
                expect_same_crop(&(clipc_encoded_image){bytes, length, name, 1 << 24}, 24);
            }
            free(bytes);
        }
}

static double mean_difference(const clipc_image *a, const clipc_image *b)
{
    const size_t bytes = (size_t)a->width * a->height * clipc_mode_bytes(a->mode);
    double sum = 0.0;

    for (size_t i = 0; i < bytes; i++)
        sum += abs(a->samples[i] - b->samples[i]);
    return sum / (double)bytes;
}

/* Pictures that have not four times the pixels stay as they are; others come close. */
static void test_fast(void **unused)
{
    static const struct {
        JDIMENSION width, height;
        uint32_t size;
        bool is_exact;
    } cases[] = {
        {127, 160, 32, true}, {128, 160, 32, false}, {400, 300, 32, false}, {300, 700, 20, false},
        {9, 700, 3, true},    {16, 16, 1, false},    {1, 1, 1, true},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t j = 0; j < sizeof(layouts) / sizeof(layouts[0]); j++) {
            const clipc_crop_request request = {.size = cases[i].size, .fast_decode = true};
            clipc_encoded_image in = {.source = layouts[j].name, .max_pixels = 1 << 24};
            clipc_image *exact, *fast;
            clipc_error error;
            unsigned char *bytes;
            unsigned long size;

            make_jpeg(&layouts[j], cases[i].width, cases[i].height, &bytes, &size);
            in.bytes = bytes;
            in.size = size;
            exact = crop_of_whole(&in, cases[i].size);
            assert_int_equal(clipc_decode_jpeg_crop(&fast, &in, &request, &error), CLIPC_OK);
            assert_int_equal(fast->width, cases[i].size);
            assert_int_equal(fast->height, cases[i].size);
            if (mean_difference(exact, fast) > (cases[i].is_exact ? 0.0 : 16.0))
                fail_msg("%s, %u x %u to %u: a mean difference of %g", layouts[j].name,
                         cases[i].width, cases[i].height, cases[i].size,
                         mean_difference(exact, fast));
            clipc_image_close(exact);
            clipc_image_close(fast);
            free(bytes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_ends_early),
        cmocka_unit_test(test_fast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
