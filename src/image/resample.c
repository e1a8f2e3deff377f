/* SPDX-License-Identifier: MIT */
/*
 * Resampling in Pillow's arithmetic: each output sample is a weighted sum of the input samples
 * under a bicubic kernel (a = -0.5) as wide as the reduction; along rows, rounded, then along
 * columns (for some tall pictures the other way round). 8-bit samples use weights in fixed point
 * with 22 fraction bits, wider ones double.
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

static void set_weight(filter *f, size_t at, double weight)
{
    f->weights[at] = weight;
    f->fixed[at] = (int32_t)(weight * (1 << PRECISION_BITS) + (weight < 0.0 ? -0.5 : 0.5));
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
    for (uint32_t x = 0; x < end - start; x++)
        set_weight(f, i * f->taps + x, sum != 0.0 ? weights[x] / sum : weights[x]);
}

/* Pillow leaves out a pass that keeps the size: each output is its input. */
static void fill_copy(filter *f, uint32_t i, uint32_t place)
{
    f->starts[i] = place;
    f->lengths[i] = 1;
    set_weight(f, i * f->taps, 1.0);
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
        if (in_size == out_size)
            fill_copy(f, i, first + i);
        else
            fill_weights(f, i, first + i, in_size, scale);
    return CLIPC_OK;
}

/* The inputs that any output looks at: [*first, *end). */
static void filter_span(const filter *f, uint32_t *first, uint32_t *end)
{
    *first = UINT32_MAX;
    *end = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->starts[i] < *first)
            *first = f->starts[i];
        if (f->starts[i] + f->lengths[i] > *end)
            *end = f->starts[i] + f->lengths[i];
    }
}

/* For inputs of which the first `count` are left out. */
static void filter_shift(filter *f, uint32_t count)
{
    for (uint32_t i = 0; i < f->count; i++)
        f->starts[i] -= count;
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

static void mix_row_wide(const filter *f, clipc_mode mode, const uint8_t *in, uint8_t *out)
{
    for (uint32_t i = 0; i < f->count; i++) {
        double sum = 0.0;

        for (uint32_t x = 0; x < f->lengths[i]; x++)
            sum += load_wide(mode, in, f->starts[i] + x) * f->weights[i * f->taps + x];
        store_wide(mode, sum, out, i);
    }
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

/* What a pass reads: the columns from `left` on of a picture's rows. */
typedef struct pass_input {
    const clipc_image *image;
    uint32_t left, width;
    uint8_t *premultiplied; /* room for a row where the picture has alpha still to be applied */
} pass_input;

static const uint8_t *get_row(const pass_input *in, uint32_t y)
{
    const size_t pixel = clipc_mode_bytes(in->image->mode);
    const uint8_t *row = clipc_image_row(in->image, y) + in->left * pixel;

    if (!in->premultiplied)
        return row;
    memcpy(in->premultiplied, row, in->width * pixel);
    clipc_premultiply(in->premultiplied, in->width, pixel);
    return in->premultiplied;
}

/* Rows [top, top + out->height), each reduced by f. */
static void reduce_rows(const pass_input *in, uint32_t top, const filter *f, clipc_image *out)
{
    for (uint32_t y = 0; y < out->height; y++) {
        const uint8_t *row = get_row(in, top + y);

        if (is_wide(out->mode))
            mix_row_wide(f, out->mode, row, clipc_image_row(out, y));
        else
            mix_row_bytes(f, row, clipc_mode_bytes(out->mode), clipc_image_row(out, y));
    }
}

/* Columns are reduced side by side, row by row. sums: [width], scratch. */
static void reduce_columns_bytes(const pass_input *in, const filter *f, int32_t *sums,
                                 clipc_image *out)
{
    const size_t width = in->width * clipc_mode_bytes(out->mode);

    for (uint32_t i = 0; i < f->count; i++) {
        uint8_t *samples = clipc_image_row(out, i);

        for (size_t x = 0; x < width; x++)
            sums[x] = 1 << (PRECISION_BITS - 1);
        for (uint32_t y = 0; y < f->lengths[i]; y++) {
            const uint8_t *row = get_row(in, f->starts[i] + y);
            const int32_t weight = f->fixed[i * f->taps + y];

            for (size_t x = 0; x < width; x++)
                sums[x] += weight * row[x];
        }
        for (size_t x = 0; x < width; x++)
            samples[x] = round_fixed(sums[x]);
    }
}

static void reduce_columns_wide(const pass_input *in, const filter *f, double *sums,
                                clipc_image *out)
{
    for (uint32_t i = 0; i < f->count; i++) {
        for (size_t x = 0; x < in->width; x++)
            sums[x] = 0.0;
        for (uint32_t y = 0; y < f->lengths[i]; y++) {
            const uint8_t *row = get_row(in, f->starts[i] + y);

            for (size_t x = 0; x < in->width; x++)
                sums[x] += load_wide(out->mode, row, x) * f->weights[i * f->taps + y];
        }
        for (size_t x = 0; x < in->width; x++)
            store_wide(out->mode, sums[x], clipc_image_row(out, i), x);
    }
}

static clipc_status reduce_columns(const pass_input *in, const filter *f, clipc_image *out,
                                   clipc_error *error)
{
    const size_t width = in->width * clipc_mode_bytes(out->mode);
    const bool wide = is_wide(out->mode);
    void *sums = clipc_calloc(width, wide ? sizeof(double) : sizeof(int32_t));

    if (!sums)
        return clipc_fail_memory(error, "resize", width * sizeof(int32_t));
    if (wide)
        reduce_columns_wide(in, f, sums, out);
    else
        reduce_columns_bytes(in, f, sums, out);
    free(sums);
    return CLIPC_OK;
}

static clipc_status rows_then_columns(const pass_input *in, const filter *across, filter *down,
                                      clipc_image *out, clipc_error *error)
{
    uint32_t first, end;
    clipc_image *rows;
    pass_input between = {.width = out->width};
    clipc_status status;

    filter_span(down, &first, &end);
    status = clipc_image_new(&rows, out->mode, out->width, end - first, "resize", error);
    if (status)
        return status;
    reduce_rows(in, first, across, rows);
    filter_shift(down, first);
    between.image = rows;
    status = reduce_columns(&between, down, out, error);
    clipc_image_close(rows);
    return status;
}

static clipc_status columns_then_rows(pass_input *in, filter *across, const filter *down,
                                      clipc_image *out, clipc_error *error)
{
    uint32_t end;
    clipc_image *columns;
    pass_input between = {0};
    clipc_status status;

    filter_span(across, &in->left, &end);
    in->width = end - in->left;
    status = clipc_image_new(&columns, out->mode, in->width, out->height, "resize", error);
    if (status)
        return status;
    filter_shift(across, in->left);
    between.image = columns;
    between.width = in->width;
    status = reduce_columns(in, down, columns, error);
    if (!status)
        reduce_rows(&between, 0, across, out);
    clipc_image_close(columns);
    return status;
}

/* Pillow (from 13 on) begins with the columns when they shrink by more than twice what rows do. */
static bool begins_with_columns(const clipc_image *image, const clipc_resize *resize)
{
    const int64_t shorter = (int64_t)image->height - resize->height;
    const int64_t narrower = (int64_t)image->width - resize->width;

    return shorter > 0 && shorter > 2 * narrower;
}

static clipc_status run_passes(clipc_image *out, const clipc_image *image,
                               const clipc_resize *resize, filter *across, filter *down,
                               clipc_error *error)
{
    const size_t pixel = clipc_mode_bytes(image->mode);
    pass_input in = {.image = image, .width = image->width};
    clipc_status status;

    if (has_alpha(image->mode)) {
        in.premultiplied = clipc_calloc(image->width, pixel);
        if (!in.premultiplied)
            return clipc_fail_memory(error, "resize", image->width * pixel);
    }
    status = begins_with_columns(image, resize) ? columns_then_rows(&in, across, down, out, error)
                                                : rows_then_columns(&in, across, down, out, error);
    if (!status && has_alpha(out->mode))
        clipc_unpremultiply(out->samples, (size_t)out->width * out->height, pixel);
    free(in.premultiplied);
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
