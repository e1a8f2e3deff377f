/* SPDX-License-Identifier: MIT */
/*
 * Resampling of whole pictures in Pillow's arithmetic. Bicubic in two passes, along rows and then
 * down columns (for some tall pictures the other way round): bytes in fixed point (resampler.c),
 * wider samples in double.
 */
#include "image/resample.h"

#include "base/memory.h"
#include "base/status.h"
#include "image/filter.h"
#include "image/resampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static clipc_status resize_bytes(clipc_image **out, const clipc_image *image,
                                 const clipc_resize *resize, clipc_error *error)
{
    clipc_resampler *resampler;
    clipc_part part;
    clipc_status status =
        clipc_resampler_open(&resampler, image->mode, image->width, image->height, resize, error);

    if (status)
        return status;
    part = clipc_resampler_part(resampler);
    clipc_resampler_take(
        resampler, clipc_image_row(image, part.top) + part.left * clipc_mode_bytes(image->mode),
        image->width * clipc_mode_bytes(image->mode), part.bottom - part.top);
    *out = clipc_resampler_finish(resampler);
    clipc_resampler_close(resampler);
    return CLIPC_OK;
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

static void mix_row(const clipc_filter *f, clipc_mode mode, const uint8_t *in, uint8_t *out)
{
    for (uint32_t i = 0; i < f->count; i++) {
        double sum = 0.0;

        for (uint32_t x = 0; x < f->lengths[i]; x++)
            sum += load_wide(mode, in, f->starts[i] + x) * f->weights[i * f->taps + x];
        store_wide(mode, sum, out, i);
    }
}

/* Rows from `top` on, each reduced by `across`. */
static void reduce_rows(const clipc_image *in, uint32_t top, const clipc_filter *across,
                        clipc_image *out)
{
    for (uint32_t y = 0; y < out->height; y++)
        mix_row(across, out->mode, clipc_image_row(in, top + y), clipc_image_row(out, y));
}

/* Columns are reduced side by side, row by row. */
static clipc_status reduce_columns(const clipc_image *in, const clipc_filter *down,
                                   clipc_image *out, clipc_error *error)
{
    double *sums = clipc_calloc(in->width, sizeof(*sums));

    if (!sums)
        return clipc_fail_memory(error, "resize", in->width * sizeof(*sums));
    for (uint32_t i = 0; i < down->count; i++) {
        for (size_t x = 0; x < in->width; x++)
            sums[x] = 0.0;
        for (uint32_t y = 0; y < down->lengths[i]; y++) {
            const uint8_t *row = clipc_image_row(in, down->starts[i] + y);

            for (size_t x = 0; x < in->width; x++)
                sums[x] += load_wide(out->mode, row, x) * down->weights[i * down->taps + y];
        }
        for (size_t x = 0; x < in->width; x++)
            store_wide(out->mode, sums[x], clipc_image_row(out, i), x);
    }
    free(sums);
    return CLIPC_OK;
}

static clipc_status rows_then_columns(clipc_image *out, const clipc_image *image,
                                      const clipc_filter *across, clipc_filter *down,
                                      clipc_error *error)
{
    uint32_t first, end;
    clipc_image *rows;
    clipc_status status;

    clipc_filter_span(down, &first, &end);
    status = clipc_image_new(&rows, out->mode, out->width, end - first, "resize", error);
    if (status)
        return status;
    reduce_rows(image, first, across, rows);
    clipc_filter_shift(down, first);
    status = reduce_columns(rows, down, out, error);
    clipc_image_close(rows);
    return status;
}

static clipc_status columns_then_rows(clipc_image *out, const clipc_image *image,
                                      const clipc_filter *across, const clipc_filter *down,
                                      clipc_error *error)
{
    clipc_image *columns;
    clipc_status status =
        clipc_image_new(&columns, out->mode, image->width, out->height, "resize", error);

    if (status)
        return status;
    status = reduce_columns(image, down, columns, error);
    if (!status)
        reduce_rows(columns, 0, across, out);
    clipc_image_close(columns);
    return status;
}

static clipc_status reduce(clipc_image *out, const clipc_image *image, const clipc_resize *resize,
                           clipc_error *error)
{
    clipc_filter across, down;
    clipc_status status = clipc_filter_make(&across, image->width, resize->width, resize->left,
                                            resize->crop_width, error);

    if (status)
        return status;
    status = clipc_filter_make(&down, image->height, resize->height, resize->top,
                               resize->crop_height, error);
    if (!status) {
        status = clipc_resize_begins_with_columns(image->width, image->height, resize)
                     ? columns_then_rows(out, image, &across, &down, error)
                     : rows_then_columns(out, image, &across, &down, error);
        clipc_filter_free(&down);
    }
    clipc_filter_free(&across);
    return status;
}

static clipc_status resize_wide(clipc_image **out, const clipc_image *image,
                                const clipc_resize *resize, clipc_error *error)
{
    clipc_status status =
        clipc_image_new(out, image->mode, resize->crop_width, resize->crop_height, "resize", error);

    if (!status)
        status = reduce(*out, image, resize, error);
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

static void take_nearest(clipc_image *out, const clipc_image *image, const uint32_t *columns,
                         const uint32_t *rows)
{
    const size_t pixel = clipc_mode_bytes(image->mode);

    for (uint32_t y = 0; y < out->height; y++)
        for (uint32_t x = 0; x < out->width; x++)
            memcpy(clipc_image_row(out, y) + x * pixel,
                   clipc_image_row(image, rows[y]) + columns[x] * pixel, pixel);
}

static clipc_status resize_nearest(clipc_image **out, const clipc_image *image,
                                   const clipc_resize *resize, clipc_error *error)
{
    uint32_t *columns =
        nearest_places(image->width, resize->width, resize->left, resize->crop_width);
    uint32_t *rows =
        nearest_places(image->height, resize->height, resize->top, resize->crop_height);
    clipc_status status =
        columns && rows ? clipc_image_new(out, image->mode, resize->crop_width, resize->crop_height,
                                          "resize", error)
                        : clipc_fail_memory(error, "resize", resize->crop_width * sizeof(*columns));

    if (!status)
        take_nearest(*out, image, columns, rows);
    free(columns);
    free(rows);
    return status;
}

/* --- All of them --- */

static clipc_status copy_part(clipc_image **out, const clipc_image *image,
                              const clipc_resize *resize, clipc_error *error)
{
    const size_t pixel = clipc_mode_bytes(image->mode);
    clipc_status status =
        clipc_image_new(out, image->mode, resize->crop_width, resize->crop_height, "resize", error);

    for (uint32_t y = 0; !status && y < resize->crop_height; y++)
        memcpy(clipc_image_row(*out, y),
               clipc_image_row(image, resize->top + y) + resize->left * pixel,
               resize->crop_width * pixel);
    return status;
}

/* Pillow (from 13 on) begins with the columns when they shrink by more than twice what rows do. */
bool clipc_resize_begins_with_columns(uint32_t width, uint32_t height, const clipc_resize *resize)
{
    const int64_t shorter = (int64_t)height - resize->height;
    const int64_t narrower = (int64_t)width - resize->width;

    return shorter > 0 && shorter > 2 * narrower;
}

clipc_status clipc_image_resize(clipc_image **out, const clipc_image *image,
                                const clipc_resize *resize, clipc_error *error)
{
    clipc_status status;

    *out = NULL;
    if (resize->width == image->width && resize->height == image->height)
        status = copy_part(out, image, resize, error);
    else if (image->mode == CLIPC_MODE_1 || image->mode == CLIPC_MODE_P)
        status = resize_nearest(out, image, resize, error);
    else if (clipc_resampler_suits(image->mode))
        status = resize_bytes(out, image, resize, error);
    else
        status = resize_wide(out, image, resize, error);
    if (!status) {
        memcpy((*out)->palette, image->palette, sizeof(image->palette));
        return CLIPC_OK;
    }
    clipc_image_close(*out);
    *out = NULL;
    return status;
}
