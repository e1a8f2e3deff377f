/* SPDX-License-Identifier: MIT */
/*
 * Resampling in Pillow's arithmetic: each output sample is a weighted sum of the input samples
 * under a bicubic kernel (a = -0.5) as wide as the reduction; first along rows, rounded, then along
 * columns. 8-bit samples use weights in fixed point with 22 fraction bits, wider ones double.
 */
#include "image/resample.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "image/modes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRECISION_BITS 22
#define BICUBIC_SUPPORT 2.0

/* --- Weights --- */

/*
 * For `count` outputs from `first` on: output i mixes inputs [starts[i], starts[i] + lengths[i]).
 */
typedef struct filter {
    uint32_t *starts, *lengths; /* [count] */
    double *weights;            /* [count][taps] */
    int32_t *fixed;             /* the same in fixed point */
    size_t taps;
    uint32_t count;
} filter;

static double bicubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static void filter_free(filter *f)
{
    free(f->starts);
    free(f->lengths);
    free(f->weights);
    free(f->fixed);
}

/* The weights of output `place`, normalised to a sum of 1. */
static void fill_weights(filter *f, uint32_t i, uint32_t place, uint32_t in_size, double scale)
{
    const double filter_scale = scale < 1.0 ? 1.0 : scale;
    const double support = BICUBIC_SUPPORT * filter_scale;
    const double center = (place + 0.5) * scale;
    const double step = 1.0 / filter_scale;
    const double low = center - support + 0.5, high = center + support + 0.5;
    const uint32_t start = low < 0.0 ? 0 : (uint32_t)low;
    const uint32_t end = high > in_size ? in_size : (uint32_t)high;
    double *weights = f->weights + i * f->taps;
    double sum = 0.0;

    f->starts[i] = start;
    f->lengths[i] = end - start;
    for (uint32_t x = 0; x < end - start; x++) {
        weights[x] = bicubic((x + start - center + 0.5) * step);
        sum += weights[x];
    }
    for (uint32_t x = 0; x < end - start; x++) {
        const double whole = sum != 0.0 ? weights[x] / sum : weights[x];
        const double shifted = whole * (1 << PRECISION_BITS);

        weights[x] = whole;
        f->fixed[i * f->taps + x] = (int32_t)(shifted + (whole < 0.0 ? -0.5 : 0.5));
    }
}

static clipc_status filter_make(filter *f, uint32_t in_size, uint32_t out_size, uint32_t first,
                                uint32_t count, clipc_error *error)
{
    const double scale = (double)in_size / out_size;
    const double support = BICUBIC_SUPPORT * (scale < 1.0 ? 1.0 : scale);
    size_t weights;

    *f = (filter){.taps = (size_t)ceil(support) * 2 + 1, .count = count};
    if (clipc_mul_size(f->taps, count, &weights)) {
        f->starts = clipc_calloc(count, sizeof(*f->starts));
        f->lengths = clipc_calloc(count, sizeof(*f->lengths));
        f->weights = clipc_calloc(weights, sizeof(*f->weights));
        f->fixed = clipc_calloc(weights, sizeof(*f->fixed));
    }
    if (!f->starts || !f->lengths || !f->weights || !f->fixed) {
        filter_free(f);
        return clipc_fail_memory(error, "resize", f->taps * count);
    }
    for (uint32_t i = 0; i < count; i++)
        fill_weights(f, i, first + i, in_size, scale);
    return CLIPC_OK;
}

/* --- 8-bit samples --- */

static uint8_t round_fixed(int32_t sum)
{
    const int32_t value = sum >> PRECISION_BITS;

    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void mix_row_bytes(const filter *f, const uint8_t *in, size_t channels, uint8_t *out)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const int32_t *weights = f->fixed + i * f->taps;
        const uint8_t *pixel = in + f->starts[i] * channels;
        int32_t sums[4];

        for (size_t channel = 0; channel < channels; channel++)
            sums[channel] = 1 << (PRECISION_BITS - 1);
        for (uint32_t x = 0; x < f->lengths[i]; x++)
            for (size_t channel = 0; channel < channels; channel++)
                sums[channel] += weights[x] * pixel[x * channels + channel];
        for (size_t channel = 0; channel < channels; channel++)
            out[i * channels + channel] = round_fixed(sums[channel]);
    }
}

/* Output row i from rows in[0], in[stride], ... of `width` bytes; sums: [width], scratch. */
static void mix_column_bytes(const filter *f, uint32_t i, const uint8_t *in, size_t width,
                             int32_t *sums, uint8_t *out)
{
    const int32_t *weights = f->fixed + i * f->taps;

    for (size_t x = 0; x < width; x++)
        sums[x] = 1 << (PRECISION_BITS - 1);
    for (uint32_t y = 0; y < f->lengths[i]; y++)
        for (size_t x = 0; x < width; x++)
            sums[x] += weights[y] * in[y * width + x];
    for (size_t x = 0; x < width; x++)
        out[x] = round_fixed(sums[x]);
}

/* --- Wider samples --- */

static double load_wide(clipc_mode mode, const uint8_t *samples, size_t index)
{
    uint16_t half;
    int32_t whole;
    float real;

    switch (mode) {
    case CLIPC_MODE_I16: memcpy(&half, samples + index * sizeof(half), sizeof(half)); return half;
    case CLIPC_MODE_I: memcpy(&whole, samples + index * sizeof(whole), sizeof(whole)); return whole;
    default: memcpy(&real, samples + index * sizeof(real), sizeof(real)); return (double)real;
    }
}

/* Half away from zero, kept inside int32_t; 0 for what is no number. */
static int32_t round_wide(double sum)
{
    const double rounded = sum >= 0.0 ? floor(sum + 0.5) : -floor(fabs(sum) + 0.5);

    if (!(rounded > INT32_MIN))
        return rounded <= INT32_MIN ? INT32_MIN : 0;
    return rounded > INT32_MAX ? INT32_MAX : (int32_t)rounded;
}

static void store_wide(clipc_mode mode, double sum, uint8_t *samples, size_t index)
{
    uint16_t half;
    int32_t whole;
    float real;

    switch (mode) {
    case CLIPC_MODE_I16:
        whole = round_wide(sum);
        half = (uint16_t)(whole < 0 ? 0 : whole > UINT16_MAX ? UINT16_MAX : whole);
        memcpy(samples + index * sizeof(half), &half, sizeof(half));
        break;
    case CLIPC_MODE_I:
        whole = round_wide(sum);
        memcpy(samples + index * sizeof(whole), &whole, sizeof(whole));
        break;
    default:
        real = (float)sum;
        memcpy(samples + index * sizeof(real), &real, sizeof(real));
        break;
    }
}

/* One output: inputs at index, index + stride, ... */
static void mix_wide(const filter *f, uint32_t i, clipc_mode mode, const uint8_t *in, size_t index,
                     size_t stride, uint8_t *out, size_t out_index)
{
    double sum = 0.0;

    for (uint32_t x = 0; x < f->lengths[i]; x++)
        sum += load_wide(mode, in, index + x * stride) * f->weights[i * f->taps + x];
    store_wide(mode, sum, out, out_index);
}

/* --- Passes --- */

static bool is_wide(clipc_mode mode)
{
    return mode == CLIPC_MODE_I16 || mode == CLIPC_MODE_I || mode == CLIPC_MODE_F;
}

static bool has_alpha(clipc_mode mode)
{
    return mode == CLIPC_MODE_LA || mode == CLIPC_MODE_RGBA;
}

/* A row as the filters take it: premultiplied in `scratch` where the mode has alpha. */
static const uint8_t *prepare_row(const clipc_image *image, uint32_t y, uint8_t *scratch)
{
    const size_t channels = clipc_mode_bytes(image->mode);

    if (!has_alpha(image->mode))
        return clipc_image_row(image, y);
    memcpy(scratch, clipc_image_row(image, y), image->width * channels);
    clipc_premultiply(scratch, image->width, channels);
    return scratch;
}

/* Rows [top, top + rows->height) of the picture, each reduced to the crop's columns. */
static void reduce_rows(const clipc_image *image, const clipc_resize *resize, const filter *f,
                        uint32_t top, uint8_t *scratch, clipc_image *rows)
{
    const size_t pixel = clipc_mode_bytes(image->mode);

    for (uint32_t y = 0; y < rows->height; y++) {
        const uint8_t *in = prepare_row(image, top + y, scratch);
        uint8_t *out = clipc_image_row(rows, y);

        if (resize->width == image->width) /* Pillow leaves this pass out */
            memcpy(out, in + resize->left * pixel, resize->crop_width * pixel);
        else if (!is_wide(image->mode))
            mix_row_bytes(f, in, pixel, out);
        else
            for (uint32_t i = 0; i < f->count; i++)
                mix_wide(f, i, image->mode, in, f->starts[i], 1, out, i);
    }
}

static void reduce_columns(const clipc_image *rows, uint32_t top, const filter *f, int32_t *sums,
                           clipc_image *out)
{
    const size_t width = out->width * clipc_mode_bytes(out->mode);

    for (uint32_t y = 0; y < f->count; y++) {
        const uint8_t *in = clipc_image_row(rows, f->starts[y] - top);

        if (!is_wide(out->mode))
            mix_column_bytes(f, y, in, width, sums, clipc_image_row(out, y));
        else
            for (uint32_t x = 0; x < out->width; x++)
                mix_wide(f, y, out->mode, in, x, out->width, clipc_image_row(out, y), x);
    }
}

/* The rows of the picture that the crop's rows look at. */
static void find_rows(const filter *f, uint32_t *top, uint32_t *end)
{
    *top = UINT32_MAX;
    *end = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->starts[i] < *top)
            *top = f->starts[i];
        if (f->starts[i] + f->lengths[i] > *end)
            *end = f->starts[i] + f->lengths[i];
    }
}

static clipc_status run_passes(clipc_image *out, const clipc_image *image,
                               const clipc_resize *resize, const filter *across, const filter *down,
                               clipc_error *error)
{
    const bool has_down = resize->height != image->height;
    const size_t pixel = clipc_mode_bytes(image->mode);
    uint32_t top = resize->top, end = resize->top + resize->crop_height;
    clipc_image *rows = NULL;
    uint8_t *scratch = clipc_calloc(image->width, pixel);
    int32_t *sums = clipc_calloc(resize->crop_width, pixel * sizeof(*sums));
    clipc_status status;

    if (has_down)
        find_rows(down, &top, &end);
    status = scratch && sums ? clipc_image_new(&rows, image->mode, resize->crop_width, end - top,
                                               "resize", error)
                             : clipc_fail_memory(error, "resize", image->width * pixel);
    if (!status) {
        reduce_rows(image, resize, across, top, scratch, rows);
        if (has_down)
            reduce_columns(rows, top, down, sums, out);
        else
            memcpy(out->samples, rows->samples, (size_t)out->width * out->height * pixel);
        if (has_alpha(out->mode))
            clipc_unpremultiply(out->samples, (size_t)out->width * out->height, pixel);
    }
    clipc_image_close(rows);
    free(scratch);
    free(sums);
    return status;
}

static clipc_status resize_bicubic(clipc_image *out, const clipc_image *image,
                                   const clipc_resize *resize, clipc_error *error)
{
    filter across, down;
    clipc_status status =
        filter_make(&across, image->width, resize->width, resize->left, resize->crop_width, error);

    if (status)
        return status;
    status =
        filter_make(&down, image->height, resize->height, resize->top, resize->crop_height, error);
    if (!status) {
        status = run_passes(out, image, resize, &across, &down, error);
        filter_free(&down);
    }
    filter_free(&across);
    return status;
}

/* --- Nearest --- */

/* Which input each wanted output takes: Pillow adds up the step, so its rounding adds up too. */
static uint32_t *nearest_places(uint32_t in_size, uint32_t out_size, uint32_t first, uint32_t count)
{
    const double step = (double)in_size / out_size;
    uint32_t *places = clipc_calloc(count, sizeof(*places));
    double place = step * 0.5;

    for (uint32_t i = 0; places && i < first + count; i++) {
        if (i >= first)
            places[i - first] = place < in_size ? (uint32_t)place : in_size - 1;
        place += step;
    }
    return places;
}

static clipc_status resize_nearest(clipc_image *out, const clipc_image *image,
                                   const clipc_resize *resize, clipc_error *error)
{
    const size_t pixel = clipc_mode_bytes(image->mode);
    uint32_t *columns =
        nearest_places(image->width, resize->width, resize->left, resize->crop_width);
    uint32_t *rows =
        nearest_places(image->height, resize->height, resize->top, resize->crop_height);

    if (columns && rows)
        for (uint32_t y = 0; y < out->height; y++)
            for (uint32_t x = 0; x < out->width; x++)
                memcpy(clipc_image_row(out, y) + x * pixel,
                       clipc_image_row(image, rows[y]) + columns[x] * pixel, pixel);
    free(columns);
    free(rows);
    return columns && rows ? CLIPC_OK : clipc_fail_memory(error, "resize", out->width);
}

/* --- Both --- */

static void copy_part(clipc_image *out, const clipc_image *image, const clipc_resize *resize)
{
    const size_t pixel = clipc_mode_bytes(image->mode);

    for (uint32_t y = 0; y < out->height; y++)
        memcpy(clipc_image_row(out, y),
               clipc_image_row(image, resize->top + y) + resize->left * pixel, out->width * pixel);
}

clipc_status clipc_image_resize(clipc_image **out, const clipc_image *image,
                                const clipc_resize *resize, clipc_error *error)
{
    clipc_status status =
        clipc_image_new(out, image->mode, resize->crop_width, resize->crop_height, "resize", error);

    if (status)
        return status;
    memcpy((*out)->palette, image->palette, sizeof(image->palette));
    if (resize->width == image->width && resize->height == image->height)
        copy_part(*out, image, resize);
    else if (image->mode == CLIPC_MODE_1 || image->mode == CLIPC_MODE_P)
        status = resize_nearest(*out, image, resize, error);
    else
        status = resize_bicubic(*out, image, resize, error);
    if (status) {
        clipc_image_close(*out);
        *out = NULL;
    }
    return status;
}
