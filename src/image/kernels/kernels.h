/* SPDX-License-Identifier: MIT */
/*
 * The hot loops of resampling bytes, by CPU level: weighted sums in Pillow's fixed point, whose
 * bits are the same at every level. The plain C ones are the oracle of the others.
 */
#ifndef CLIPC_IMAGE_KERNELS_KERNELS_H
#define CLIPC_IMAGE_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Weights have this many fraction bits and stay below 2 in magnitude. */
#define CLIPC_WEIGHT_BITS 22

/* What is read after the end of a row of pixels, without effect: so many bytes must be there. */
#define CLIPC_ROW_SLACK 64

/* The taps of weights along rows are a multiple of this, filled up with zeros. */
#define CLIPC_TAPS_STEP 4

/* Rows that are fastest mixed together. */
#define CLIPC_ROWS_AT_ONCE 4

/*
 * A weight taken apart, weight = high * 2^15 + low with low >= 0: both fit the 16-bit products that
 * processors add up in pairs. Sums of either may wrap; the whole fits in 32 bits again.
 */
#define CLIPC_LOW_WEIGHT_BITS 15
typedef struct clipc_split_weights {
    int16_t low[CLIPC_TAPS_STEP], high[CLIPC_TAPS_STEP];
} clipc_split_weights;

/* Output i mixes inputs [starts[i], starts[i] + taps) by weights[i][0 .. taps-1]. */
typedef struct clipc_windows {
    uint32_t *starts;           /* [count], ascending */
    int32_t *weights;           /* [count][taps] */
    clipc_split_weights *split; /* [count][taps / CLIPC_TAPS_STEP], the same; for mix_pixels */
    size_t taps;
    uint32_t count;
} clipc_windows;

/*
 * A sum of weighted bytes, which must fit in 32 bits, is rounded (half upwards) and cut to a byte.
 */
typedef struct clipc_resample_kernels {
    const char *level; /* "portable", ... */
    /*
     * Pixels side by side in each of `rows` rows are mixed, channel by channel; channels is 1 to 4,
     * taps a multiple of CLIPC_TAPS_STEP. in[row] has CLIPC_ROW_SLACK bytes after the pixels of its
     * picture, in which windows may end. out[row]: [count][channels].
     */
    void (*mix_pixels)(const clipc_windows *windows, const uint8_t *const *in, size_t rows,
                       size_t channels, uint8_t *const *out);
    /* out[x] = the sum over k < taps of weights[k] * in[k][x], x < bytes; in[k] has the slack. */
    void (*mix_rows)(const int32_t *weights, const uint8_t *const *in, size_t taps, size_t bytes,
                     uint8_t *out);
} clipc_resample_kernels;

extern const clipc_resample_kernels clipc_resample_portable;
/* Where CLIPC_HAVE_X86 is defined: */
extern const clipc_resample_kernels clipc_resample_avx2;
extern const clipc_resample_kernels clipc_resample_avx512;

/* The best table for this processor, or the one that CLIPC_CPU names where that is lower. */
const clipc_resample_kernels *clipc_resample_kernels_choose(void);

/*
 * The tables that can run here, lowest first: NULL gives the first, the last gives NULL. What tests
 * walk through.
 */
const clipc_resample_kernels *clipc_resample_kernels_next(const clipc_resample_kernels *previous);

#endif
