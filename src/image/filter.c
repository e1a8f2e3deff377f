/* SPDX-License-Identifier: MIT */
/* Pillow's bicubic kernel (a = -0.5), evaluated at an output's place among the inputs. */
#include "image/filter.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

#define BICUBIC_SUPPORT 2.0

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

/* The weights of output `place`, normalised to a sum of 1. */
static void fill_weights(clipc_filter *filter, uint32_t i, uint32_t place, uint32_t in_size,
                         double scale)
{
    const double filter_scale = scale < 1.0 ? 1.0 : scale;
    const double support = BICUBIC_SUPPORT * filter_scale;
    const double center = (place + 0.5) * scale;
    const double step = 1.0 / filter_scale;
    const double low = center - support + 0.5, high = center + support + 0.5;
    const uint32_t start = low < 0.0 ? 0 : (uint32_t)low;
    const uint32_t end = high > in_size ? in_size : (uint32_t)high;
    double *weights = filter->weights + i * filter->taps;
    double sum = 0.0;

    filter->starts[i] = start;
    filter->lengths[i] = end - start;
    for (uint32_t x = 0; x < end - start; x++) {
        weights[x] = bicubic((x + start - center + 0.5) * step);
        sum += weights[x];
    }
    for (uint32_t x = 0; x < end - start && sum != 0.0; x++)
        weights[x] /= sum;
}

/* Pillow leaves out a pass that keeps the size: each output is its input. */
static void fill_copy(clipc_filter *filter, uint32_t i, uint32_t place)
{
    filter->starts[i] = place;
    filter->lengths[i] = 1;
    filter->weights[i * filter->taps] = 1.0;
}

clipc_status clipc_filter_make(clipc_filter *filter, uint32_t in_size, uint32_t out_size,
                               uint32_t first, uint32_t count, clipc_error *error)
{
    const double scale = (double)in_size / out_size;
    const double support = BICUBIC_SUPPORT * (scale < 1.0 ? 1.0 : scale);

    *filter = (clipc_filter){.taps = (size_t)ceil(support) * 2 + 1, .count = count};
    filter->starts = clipc_calloc(count, sizeof(*filter->starts));
    filter->lengths = clipc_calloc(count, sizeof(*filter->lengths));
    if (filter->taps <= SIZE_MAX / sizeof(*filter->weights))
        filter->weights = clipc_calloc(count, filter->taps * sizeof(*filter->weights));
    if (!filter->starts || !filter->lengths || !filter->weights) {
        clipc_filter_free(filter);
        return clipc_fail_memory(error, "resize", filter->taps * sizeof(*filter->weights));
    }
    for (uint32_t i = 0; i < count; i++)
        if (in_size == out_size)
            fill_copy(filter, i, first + i);
        else
            fill_weights(filter, i, first + i, in_size, scale);
    return CLIPC_OK;
}

void clipc_filter_free(clipc_filter *filter)
{
    free(filter->starts);
    free(filter->lengths);
    free(filter->weights);
}

void clipc_filter_span(const clipc_filter *filter, uint32_t *first, uint32_t *end)
{
    *first = UINT32_MAX;
    *end = 0;
    for (uint32_t i = 0; i < filter->count; i++) {
        if (filter->starts[i] < *first)
            *first = filter->starts[i];
        if (filter->starts[i] + filter->lengths[i] > *end)
            *end = filter->starts[i] + filter->lengths[i];
    }
}

void clipc_filter_shift(clipc_filter *filter, uint32_t count)
{
    for (uint32_t i = 0; i < filter->count; i++)
        filter->starts[i] -= count;
}

/* --- Fixed point --- */

static int32_t round_weight(double weight)
{
    return (int32_t)(weight * (1 << CLIPC_WEIGHT_BITS) + (weight < 0.0 ? -0.5 : 0.5));
}

/* A window that would end beyond the inputs begins earlier, with zeros for weights. */
static void fill_window(clipc_windows *windows, uint32_t i, const clipc_filter *filter,
                        uint32_t in_size)
{
    const uint32_t start = filter->starts[i];
    const uint32_t last_start = in_size > windows->taps ? in_size - (uint32_t)windows->taps : 0;
    const uint32_t zeros = start > last_start ? start - last_start : 0;
    int32_t *weights = windows->weights + i * windows->taps + zeros;

    windows->starts[i] = start - zeros;
    for (uint32_t k = 0; k < filter->lengths[i]; k++)
        weights[k] = round_weight(filter->weights[i * filter->taps + k]);
}

static clipc_status fill_windows(clipc_windows *windows, const clipc_filter *filter,
                                 uint32_t in_size, size_t step, clipc_error *error)
{
    uint32_t longest = 0;

    for (uint32_t i = 0; i < filter->count; i++)
        if (filter->lengths[i] > longest)
            longest = filter->lengths[i];
    *windows = (clipc_windows){.count = filter->count};
    windows->taps = (longest + step - 1) / step * step;
    windows->starts = clipc_calloc(windows->count, sizeof(*windows->starts));
    windows->weights = clipc_calloc(windows->count, windows->taps * sizeof(*windows->weights));
    if (step == CLIPC_TAPS_STEP)
        windows->split =
            clipc_calloc(windows->count, windows->taps / step * sizeof(*windows->split));
    if (!windows->starts || !windows->weights || (step == CLIPC_TAPS_STEP && !windows->split)) {
        clipc_windows_free(windows);
        return clipc_fail_memory(error, "resize", windows->taps * sizeof(*windows->weights));
    }
    for (uint32_t i = 0; i < windows->count; i++)
        fill_window(windows, i, filter, in_size);
    if (windows->split)
        clipc_windows_split(windows);
    return CLIPC_OK;
}

clipc_status clipc_windows_make(clipc_windows *windows, uint32_t in_size, uint32_t out_size,
                                uint32_t first, uint32_t count, size_t step, clipc_error *error)
{
    clipc_filter filter;
    clipc_status status = clipc_filter_make(&filter, in_size, out_size, first, count, error);

    if (status)
        return status;
    status = fill_windows(windows, &filter, in_size, step, error);
    clipc_filter_free(&filter);
    return status;
}

void clipc_windows_free(clipc_windows *windows)
{
    free(windows->starts);
    free(windows->weights);
    free(windows->split);
}

void clipc_windows_split(clipc_windows *windows)
{
    const size_t groups = windows->count * windows->taps / CLIPC_TAPS_STEP;

    for (size_t i = 0; i < groups; i++)
        for (size_t k = 0; k < CLIPC_TAPS_STEP; k++) {
            const int32_t weight = windows->weights[i * CLIPC_TAPS_STEP + k];

            windows->split[i].low[k] = (int16_t)(weight & ((1 << CLIPC_LOW_WEIGHT_BITS) - 1));
            windows->split[i].high[k] = (int16_t)(weight >> CLIPC_LOW_WEIGHT_BITS);
        }
}
