/* SPDX-License-Identifier: MIT */
/*
 * Holds preprocessing to what the original's transform gave with Pillow, bit for bit, for the
 * pictures and sizes of data/pictures/expected.txt, by way of a decoded picture and straight from
 * the file; make_pictures.py made both and tells the format of its lines.
 *
 *     test_preprocess [FOLDER]    another folder of pictures with its expected.txt
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
#include <zlib.h>

#define LARGEST_SIZE 512
#define GRID 3 /* expected.txt shows GRID x GRID pixels */

static const char *folder = CLIPC_TEST_DATA "/pictures";

static uint8_t rgb[LARGEST_SIZE * LARGEST_SIZE * 3];
static float tensor[LARGEST_SIZE * LARGEST_SIZE * 3];
static float tensor_of_path[LARGEST_SIZE * LARGEST_SIZE * 3];
static uint8_t tensor_bytes[sizeof(tensor)];

/* A line of expected.txt; `result` is what follows the first three fields. */
typedef struct expectation {
    char file[128];
    unsigned size, exif;
    char result[256];
} expectation;

static bool read_expectation(FILE *file, expectation *out)
{
    return fscanf(file, "%127s %u %u %255[^\n]", out->file, &out->size, &out->exif, out->result) ==
           4;
}

static uint32_t crc(const uint8_t *bytes, size_t size)
{
    return (uint32_t)crc32(0, bytes, (uInt)size);
}

/* Of the floats in little-endian order, on any machine. */
static uint32_t tensor_crc(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;

        memcpy(&bits, &tensor[i], sizeof(bits));
        for (size_t byte = 0; byte < 4; byte++)
            tensor_bytes[4 * i + byte] = (uint8_t)(bits >> 8 * byte);
    }
    return crc(tensor_bytes, 4 * count);
}

/* Writes what expected.txt should say about rgb and tensor. */
static void describe(unsigned size, char *out, size_t out_size)
{
    const unsigned places[GRID] = {0, size / 2, size - 1};
    const size_t values = (size_t)size * size * 3;
    int length = snprintf(out, out_size, "%08x %08x", crc(rgb, values), tensor_crc(values));

    for (size_t i = 0; i < GRID * GRID; i++) {
        const uint8_t *pixel = rgb + (places[i / GRID] * size + places[i % GRID]) * 3;

        length += snprintf(out + length, out_size - (size_t)length, " %02x%02x%02x", pixel[0],
                           pixel[1], pixel[2]);
    }
}

static clipc_status preprocess(const expectation *expected, clipc_error *error)
{
    const clipc_preprocess_config config = {
        .image_size = expected->size,
        .mean = {0.48145466f, 0.4578275f, 0.40821073f},
        .std = {0.26862954f, 0.26130258f, 0.27577711f},
    };
    clipc_image_options options;
    clipc_image *image = NULL;
    char path[512];
    clipc_status status;

    clipc_image_options_init(&options);
    options.apply_exif = expected->exif != 0;
    snprintf(path, sizeof(path), "%s/%s", folder, expected->file);
    status = clipc_image_read(&image, path, &options, error);
    if (!status)
        status = clipc_preprocess_rgb(image, expected->size, rgb, error);
    if (!status)
        status = clipc_preprocess_pixels(image, &config, tensor, error);
    clipc_image_close(image);
    if (clipc_preprocess_path(path, &options, &config, tensor_of_path, error) != status)
        fail_msg("%s: from the file at once: %s", expected->file, error->message);
    if (!status)
        assert_memory_equal(tensor_of_path, tensor,
                            3 * sizeof(float) * expected->size * expected->size);
    return status;
}

static bool holds(const expectation *expected)
{
    char got[256];
    clipc_error error;
    const clipc_status status = preprocess(expected, &error);

    if (status)
        snprintf(got, sizeof(got), "refused");
    else
        describe(expected->size, got, sizeof(got));
    if (strcmp(got, expected->result) == 0)
        return true;
    print_message("%s at %u%s:\n  expected %s\n  got      %s\n", expected->file, expected->size,
                  expected->exif ? " with EXIF" : "", expected->result,
                  status ? error.message : got);
    return false;
}

static void test_pictures(void **state)
{
    expectation expected;
    unsigned cases = 0, failures = 0;
    char path[512];
    FILE *file;

    (void)state;
    snprintf(path, sizeof(path), "%s/expected.txt", folder);
    file = fopen(path, "r");
    assert_non_null(file);
    while (read_expectation(file, &expected)) {
        assert_in_range(expected.size, 1, LARGEST_SIZE);
        cases++;
        failures += !holds(&expected);
    }
    assert_true(feof(file));
    fclose(file);
    print_message("%u cases, %u differ\n", cases, failures);
    assert_true(cases > 0);
    assert_int_equal(failures, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pictures)};

    if (argc > 1)
        folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
