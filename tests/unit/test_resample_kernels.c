/* SPDX-License-Identifier: MIT */
/*
 * The resampling kernels of every level that runs here against the plain C ones, bit for bit:
 * random and extreme weights and bytes, all kinds of shapes, rows with no more than the slack
 * before an unreadable page, and nothing written beside the output.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "guarded.h"
#include "image/filter.h"
#include "image/kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 7, MARGIN = 16, MARK = 0xA5 };

static uint32_t state = 1;

static uint32_t next_random(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* Bytes of one kind: 0 random, 1 all 255, 2 all 0, 3 only 0 and 255. */
static void fill_bytes(uint8_t *bytes, size_t size, unsigned kind)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(kind == 0   ? next_random()
                             : kind == 3 ? next_random() % 2 * 255
                                         : kind % 2 * 255);
}

/* What no filter has: sums near both ends of 32 bits, on the edge of rounding, and zero. */
static void fill_extreme_weights(int32_t *weights, size_t taps, unsigned kind)
{
    const int32_t most = INT32_MAX / 255 / (int32_t)taps - (1 << 14);

    for (size_t k = 0; k < taps; k++)
        switch (kind) {
        case 0: weights[k] = most; break;
        case 1: weights[k] = -most; break;
        case 2: weights[k] = k % 2 ? most : -most; break;
        case 3: weights[k] = k == 0 ? (1 << (CLIPC_WEIGHT_BITS - 1)) - 1 : 0; break;
        default: weights[k] = (int32_t)next_random() % (2 * most) - most; break;
        }
    for (size_t k = 0; k < taps; k++) /* |weight| < 2 */
        if (abs(weights[k]) >= 2 << CLIPC_WEIGHT_BITS)
            weights[k] =
                weights[k] < 0 ? 1 - (2 << CLIPC_WEIGHT_BITS) : (2 << CLIPC_WEIGHT_BITS) - 1;
}

static bool is_marked(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != MARK)
            return false;
    return true;
}

static void expect_same(const uint8_t *expected, const uint8_t *got, size_t size, const char *level,
                        const char *shape)
{
    for (size_t i = 0; i < size; i++)
        if (expected[i] != got[i])
            fail_msg("%s: %s: byte %zu is %u, %u was expected", level, shape, i, got[i],
                     expected[i]);
    if (!is_marked(got + size, MARGIN) || !is_marked(got - MARGIN, MARGIN))
        fail_msg("%s: %s: wrote beside its output", level, shape);
}

/* `rows` rows of in_width pixels, each in its own guarded buffer. */
static void check_mix_pixels(const clipc_windows *windows, uint32_t in_width, size_t rows,
                             size_t channels, unsigned kind)
{
    const size_t in_bytes = in_width * channels, out_bytes = windows->count * channels;
    const clipc_resample_kernels *kernels = NULL;
    guarded buffers[ROWS];
    const uint8_t *in[ROWS];
    uint8_t *expected[ROWS], *got[ROWS];
    char shape[128];

    snprintf(shape, sizeof(shape), "%zu rows, %u -> %u pixels of %zu channels, %zu taps, kind %u",
             rows, in_width, windows->count, channels, windows->taps, kind);
    for (size_t row = 0; row < rows; row++) {
        buffers[row] = guarded_open(in_bytes + CLIPC_ROW_SLACK);
        fill_bytes(buffers[row].data, in_bytes + CLIPC_ROW_SLACK, kind);
        in[row] = buffers[row].data;
        expected[row] = malloc(out_bytes);
        got[row] = (uint8_t *)malloc(out_bytes + 2 * MARGIN) + MARGIN;
    }
    clipc_resample_portable.mix_pixels(windows, in, rows, channels, expected);
    while ((kernels = clipc_resample_kernels_next(kernels)) != NULL) {
        for (size_t row = 0; row < rows; row++) {
            memset(got[row] - MARGIN, MARK, out_bytes + 2 * MARGIN);
            fill_bytes((uint8_t *)buffers[row].data + in_bytes, CLIPC_ROW_SLACK, 0);
        }
        kernels->mix_pixels(windows, in, rows, channels, got);
        for (size_t row = 0; row < rows; row++)
            expect_same(expected[row], got[row], out_bytes, kernels->level, shape);
    }
    for (size_t row = 0; row < rows; row++) {
        guarded_close(&buffers[row]);
        free(expected[row]);
        free(got[row] - MARGIN);
    }
}

static void check_mix_rows(const int32_t *weights, size_t taps, size_t bytes, unsigned kind)
{
    const clipc_resample_kernels *kernels = NULL;
    guarded *buffers = calloc(taps, sizeof(*buffers));
    const uint8_t **in = calloc(taps, sizeof(*in));
    uint8_t *expected = malloc(bytes), *got = (uint8_t *)malloc(bytes + 2 * MARGIN) + MARGIN;
    char shape[128];

    snprintf(shape, sizeof(shape), "%zu rows of %zu bytes, kind %u", taps, bytes, kind);
    for (size_t k = 0; k < taps; k++) {
        buffers[k] = guarded_open(bytes + CLIPC_ROW_SLACK);
        fill_bytes(buffers[k].data, bytes + CLIPC_ROW_SLACK, kind);
        in[k] = buffers[k].data;
    }
    clipc_resample_portable.mix_rows(weights, in, taps, bytes, expected);
    while ((kernels = clipc_resample_kernels_next(kernels)) != NULL) {
        memset(got - MARGIN, MARK, bytes + 2 * MARGIN);
        kernels->mix_rows(weights, in, taps, bytes, got);
        expect_same(expected, got, bytes, kernels->level, shape);
    }
    for (size_t k = 0; k < taps; k++)
        guarded_close(&buffers[k]);
    free(buffers);
    free(in);
    free(expected);
    free(got - MARGIN);
}

/* Reductions and enlargements, whole and cropped, down to a single pixel. */
static const struct {
    uint32_t in, out, first, count;
} sizes[] = {
    {640, 298, 37, 224}, {1, 1, 0, 1},   {1, 7, 0, 7},     {2, 5, 1, 3},         {3, 2, 0, 2},
    {5, 5, 1, 3},        {7, 3, 0, 3},   {9, 1, 0, 1},     {16, 15, 0, 15},      {33, 64, 3, 61},
    {100, 37, 0, 37},    {257, 2, 1, 1}, {1000, 10, 9, 1}, {4000, 298, 37, 224},
};

static void test_pixels_by_filters(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        clipc_windows windows;
        clipc_error error;

        assert_int_equal(clipc_windows_make(&windows, sizes[i].in, sizes[i].out, sizes[i].first,
                                            sizes[i].count, CLIPC_TAPS_STEP, &error),
                         CLIPC_OK);
        for (size_t channels = 1; channels <= 4; channels++)
            for (unsigned kind = 0; kind < 4; kind++)
                check_mix_pixels(&windows, sizes[i].in, 1 + next_random() % ROWS, channels, kind);
        clipc_windows_free(&windows);
    }
}

static void test_pixels_by_extreme_weights(void **unused)
{
    enum { IN = 61, COUNT = 9 };

    (void)unused;
    for (size_t taps = CLIPC_TAPS_STEP; taps < IN; taps += 4 * CLIPC_TAPS_STEP)
        for (unsigned kind = 0; kind < 20; kind++) {
            uint32_t starts[COUNT];
            int32_t weights[COUNT * IN];
            clipc_split_weights split[COUNT * IN / CLIPC_TAPS_STEP];
            clipc_windows windows = {starts, weights, split, taps, COUNT};

            for (size_t i = 0; i < COUNT; i++) {
                starts[i] =
                    i + 1 < COUNT ? next_random() % (uint32_t)(IN - taps) : (uint32_t)(IN - taps);
                fill_extreme_weights(weights + i * taps, taps, (kind + (unsigned)i) % 5);
            }
            clipc_windows_split(&windows);
            check_mix_pixels(&windows, IN, 1 + kind % ROWS, 1 + kind % 4, kind / 5);
        }
}

static void test_rows(void **unused)
{
    static const size_t widths[] = {1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 511, 513, 672};

    (void)unused;
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
        for (unsigned kind = 0; kind < 20; kind++) {
            const size_t taps = 1 + next_random() % 60;
            int32_t weights[60];

            fill_extreme_weights(weights, taps, kind % 5);
            check_mix_rows(weights, taps, widths[i], kind / 5);
        }
}

/* Weights of every reduction are below the bound that the kernels rely on; windows stay inside. */
static void test_windows(void **unused)
{
    (void)unused;
    for (uint32_t in = 1; in < 200; in += 1 + in / 16)
        for (uint32_t out = 1; out < 300; out += 1 + out / 8) {
            clipc_windows windows;
            clipc_error error;

            assert_int_equal(clipc_windows_make(&windows, in, out, 0, out, CLIPC_TAPS_STEP, &error),
                             CLIPC_OK);
            assert_int_equal(windows.taps % CLIPC_TAPS_STEP, 0);
            for (size_t i = 0; i < out * windows.taps; i++)
                assert_in_range(abs(windows.weights[i]), 0, (2 << CLIPC_WEIGHT_BITS) - 1);
            for (size_t i = 0; i < out; i++) {
                assert_true(i == 0 || windows.starts[i] >= windows.starts[i - 1]);
                assert_true(windows.starts[i] == 0 || windows.starts[i] + windows.taps <= in);
            }
            clipc_windows_free(&windows);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_by_filters),
        cmocka_unit_test(test_pixels_by_extreme_weights),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_windows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
