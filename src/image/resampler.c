/* SPDX-License-Identifier: MIT */
/*
 * Two passes side by side. Rows first: as a row comes it is reduced and put in a ring, and as soon
 * as the ring has all that an output row mixes, that is made. Columns first: the ring has rows as
 * they came, what is mixed from them is reduced.
 */
#include "image/resampler.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "image/filter.h"
#include "image/modes.h"

#include <stdlib.h>
#include <string.h>

struct clipc_resampler {
    const clipc_resample_kernels *kernels;
    clipc_image *out;
    size_t channels;
    clipc_part part;
    clipc_windows across, down; /* starts count from the part's left and top */
    bool begins_with_columns;
    uint32_t taken, made; /* rows so far: of the part, of the result */
    uint8_t *ring;        /* [ring_rows][ring_stride]: row y at y % ring_rows */
    uint32_t ring_rows;
    size_t ring_stride;
    const uint8_t **window; /* [down.taps] */
    uint8_t *scratch;       /* rows under way: premultiplied ones, or one mixed from the ring */
    size_t scratch_stride;
};

bool clipc_resampler_suits(clipc_mode mode)
{
    switch (mode) {
    case CLIPC_MODE_L:
    case CLIPC_MODE_LA:
    case CLIPC_MODE_RGB:
    case CLIPC_MODE_RGBA:
    case CLIPC_MODE_CMYK: return true;
    default: return false;
    }
}

static bool has_alpha(clipc_mode mode)
{
    return mode == CLIPC_MODE_LA || mode == CLIPC_MODE_RGBA;
}

/* --- Opening --- */

/* [*first, *end) is what the windows look at; from now on they count from there. */
static void find_span(clipc_windows *windows, uint32_t size, uint32_t *first, uint32_t *end)
{
    const size_t last = windows->starts[windows->count - 1] + windows->taps;

    *first = windows->starts[0];
    *end = last < size ? (uint32_t)last : size;
    for (uint32_t i = 0; i < windows->count; i++)
        windows->starts[i] -= *first;
}

static size_t row_stride(size_t width, size_t channels)
{
    return (width * channels + CLIPC_ROW_SLACK + CLIPC_ALIGNMENT - 1) / CLIPC_ALIGNMENT *
           CLIPC_ALIGNMENT;
}

static clipc_status allocate(clipc_resampler *resampler, clipc_error *error)
{
    const size_t in_stride =
        row_stride(resampler->part.right - resampler->part.left, resampler->channels);
    const size_t out_stride = row_stride(resampler->out->width, resampler->channels);

    /* Beside what a window needs there is room for the rows that come together. */
    resampler->ring_rows = (uint32_t)resampler->down.taps + CLIPC_ROWS_AT_ONCE - 1;
    resampler->ring_stride = resampler->begins_with_columns ? in_stride : out_stride;
    resampler->scratch_stride = in_stride;
    resampler->ring = clipc_alloc_aligned(resampler->ring_rows, resampler->ring_stride);
    resampler->window = clipc_calloc(resampler->down.taps, sizeof(*resampler->window));
    resampler->scratch = clipc_alloc_aligned(CLIPC_ROWS_AT_ONCE, in_stride);
    if (!resampler->ring || !resampler->window || !resampler->scratch)
        return clipc_fail_memory(error, "resize", resampler->ring_rows * resampler->ring_stride);
    /* The slack takes no part, but has to hold something. */
    memset(resampler->ring, 0, resampler->ring_rows * resampler->ring_stride);
    memset(resampler->scratch, 0, CLIPC_ROWS_AT_ONCE * in_stride);
    return CLIPC_OK;
}

static clipc_status prepare(clipc_resampler *resampler, clipc_mode mode, uint32_t width,
                            uint32_t height, const clipc_resize *resize, clipc_error *error)
{
    clipc_part *part = &resampler->part;
    clipc_status status = clipc_image_new(&resampler->out, mode, resize->crop_width,
                                          resize->crop_height, "resize", error);

    if (!status)
        status = clipc_windows_make(&resampler->across, width, resize->width, resize->left,
                                    resize->crop_width, CLIPC_TAPS_STEP, error);
    if (!status)
        status = clipc_windows_make(&resampler->down, height, resize->height, resize->top,
                                    resize->crop_height, 1, error);
    if (status)
        return status;
    resampler->kernels = clipc_resample_kernels_choose();
    resampler->channels = clipc_mode_bytes(mode);
    resampler->begins_with_columns = clipc_resize_begins_with_columns(width, height, resize);
    find_span(&resampler->across, width, &part->left, &part->right);
    find_span(&resampler->down, height, &part->top, &part->bottom);
    return allocate(resampler, error);
}

clipc_status clipc_resampler_open(clipc_resampler **out, clipc_mode mode, uint32_t width,
                                  uint32_t height, const clipc_resize *resize, clipc_error *error)
{
    clipc_resampler *resampler = clipc_calloc(1, sizeof(*resampler));
    clipc_status status;

    *out = NULL;
    if (!resampler)
        return clipc_fail_memory(error, "resize", sizeof(*resampler));
    status = prepare(resampler, mode, width, height, resize, error);
    if (status)
        clipc_resampler_close(resampler);
    else
        *out = resampler;
    return status;
}

clipc_part clipc_resampler_part(const clipc_resampler *resampler)
{
    return resampler->part;
}

/* --- Rows --- */

static uint8_t *ring_row(const clipc_resampler *resampler, uint32_t y)
{
    return resampler->ring + y % resampler->ring_rows * resampler->ring_stride;
}

/* A row as it is mixed: with its alpha applied, in scratch row `index`, where it has one. */
static const uint8_t *premultiplied(const clipc_resampler *resampler, const uint8_t *row,
                                    uint32_t index)
{
    const size_t width = resampler->part.right - resampler->part.left;
    uint8_t *copy = resampler->scratch + index * resampler->scratch_stride;

    if (!has_alpha(resampler->out->mode))
        return row;
    memcpy(copy, row, width * resampler->channels);
    clipc_premultiply(copy, width, resampler->channels);
    return copy;
}

/* At most CLIPC_ROWS_AT_ONCE rows. */
static void put_in_ring(clipc_resampler *resampler, const uint8_t *rows, size_t stride, uint32_t n)
{
    const size_t bytes = (resampler->part.right - resampler->part.left) * resampler->channels;
    const uint8_t *in[CLIPC_ROWS_AT_ONCE];
    uint8_t *out[CLIPC_ROWS_AT_ONCE];

    for (uint32_t i = 0; i < n; i++) {
        in[i] = premultiplied(resampler, rows + i * stride, i);
        out[i] = ring_row(resampler, resampler->taken + i);
    }
    if (resampler->begins_with_columns)
        for (uint32_t i = 0; i < n; i++)
            memcpy(out[i], in[i], bytes);
    else
        resampler->kernels->mix_pixels(&resampler->across, in, n, resampler->channels, out);
    resampler->taken += n;
}

/* The next row of the result, for which the ring has everything. */
static void make_row(clipc_resampler *resampler)
{
    const clipc_resample_kernels *kernels = resampler->kernels;
    const clipc_windows *down = &resampler->down;
    const uint32_t i = resampler->made++;
    const int32_t *weights = down->weights + i * down->taps;
    uint8_t *out = clipc_image_row(resampler->out, i);
    const uint8_t *mixed = resampler->scratch;

    for (uint32_t k = 0; k < down->taps; k++)
        resampler->window[k] = ring_row(resampler, down->starts[i] + k);
    if (!resampler->begins_with_columns) {
        kernels->mix_rows(weights, resampler->window, down->taps,
                          resampler->out->width * resampler->channels, out);
        return;
    }
    kernels->mix_rows(weights, resampler->window, down->taps,
                      (resampler->part.right - resampler->part.left) * resampler->channels,
                      resampler->scratch);
    kernels->mix_pixels(&resampler->across, &mixed, 1, resampler->channels, &out);
}

void clipc_resampler_take(clipc_resampler *resampler, const uint8_t *rows, size_t stride,
                          uint32_t n)
{
    const clipc_windows *down = &resampler->down;

    while (n > 0) {
        const uint32_t together = n < CLIPC_ROWS_AT_ONCE ? n : CLIPC_ROWS_AT_ONCE;

        put_in_ring(resampler, rows, stride, together);
        while (resampler->made < down->count &&
               down->starts[resampler->made] + down->taps <= resampler->taken)
            make_row(resampler);
        rows += together * stride;
        n -= together;
    }
}

clipc_image *clipc_resampler_finish(clipc_resampler *resampler)
{
    clipc_image *out = resampler->out;

    if (has_alpha(out->mode))
        clipc_unpremultiply(out->samples, (size_t)out->width * out->height, resampler->channels);
    resampler->out = NULL;
    return out;
}

void clipc_resampler_close(clipc_resampler *resampler)
{
    if (!resampler)
        return;
    clipc_image_close(resampler->out);
    clipc_windows_free(&resampler->across);
    clipc_windows_free(&resampler->down);
    free(resampler->ring);
    free(resampler->window);
    free(resampler->scratch);
    free(resampler);
}
