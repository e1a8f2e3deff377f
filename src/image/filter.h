/* SPDX-License-Identifier: MIT */
/*
 * The weights of Pillow's bicubic resampling along one side of a picture: each output is a weighted
 * sum of the inputs around it, as many as the reduction is wide.
 */
#ifndef CLIPC_IMAGE_FILTER_H
#define CLIPC_IMAGE_FILTER_H

#include "image/kernels/kernels.h"

#include <clipc.h>

/* Output i mixes inputs [starts[i], starts[i] + lengths[i]) by weights[i][0 .. lengths[i]-1]. */
typedef struct clipc_filter {
    uint32_t *starts, *lengths; /* [count] */
    double *weights;            /* [count][taps], zeros after the length */
    size_t taps;
    uint32_t count;
} clipc_filter;

/* For outputs [first, first + count) of the out_size that in_size inputs become. */
clipc_status clipc_filter_make(clipc_filter *filter, uint32_t in_size, uint32_t out_size,
                               uint32_t first, uint32_t count, clipc_error *error);
void clipc_filter_free(clipc_filter *filter);

/* The inputs that any output looks at: [*first, *end). */
void clipc_filter_span(const clipc_filter *filter, uint32_t *first, uint32_t *end);

/* For inputs of which the first `count` are left out. */
void clipc_filter_shift(clipc_filter *filter, uint32_t count);

/*
 * The same in fixed point, windows of one width (a multiple of `step`) which lie within the in_size
 * inputs unless these are fewer than that. They are split where step is CLIPC_TAPS_STEP.
 */
clipc_status clipc_windows_make(clipc_windows *windows, uint32_t in_size, uint32_t out_size,
                                uint32_t first, uint32_t count, size_t step, clipc_error *error);
void clipc_windows_free(clipc_windows *windows);

/* Fills split[] from weights[]. */
void clipc_windows_split(clipc_windows *windows);

#endif
