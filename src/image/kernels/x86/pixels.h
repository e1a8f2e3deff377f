/* SPDX-License-Identifier: MIT */
/* What the kernels for pixels side by side share: how bytes become pairs, how pixels are stored. */
#ifndef CLIPC_IMAGE_KERNELS_X86_PIXELS_H
#define CLIPC_IMAGE_KERNELS_X86_PIXELS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A weight w is taken apart, w = high * 2^15 + low, so that both halves fit the 16-bit products that
 * add up in pairs; sums may wrap on the way, the whole fits in 32 bits again.
 */
#define CLIPC_LOW_WEIGHT_BITS 15

/*
 * By channels: a byte shuffle that makes 16-bit pairs of neighbours of four pixels. The lower lane
 * has channel after channel of pixels 0 and 1, the upper one of pixels 2 and 3; -1 makes a zero.
 */
#define PAIR(first, second) (first), -1, (second), -1
#define NONE -1, -1, -1, -1
static const int8_t clipc_pixel_pairs[4][32] = {
    {PAIR(0, 1), NONE, NONE, NONE, PAIR(2, 3), NONE, NONE, NONE},
    {PAIR(0, 2), PAIR(1, 3), NONE, NONE, PAIR(4, 6), PAIR(5, 7), NONE, NONE},
    {PAIR(0, 3), PAIR(1, 4), PAIR(2, 5), NONE, PAIR(6, 9), PAIR(7, 10), PAIR(8, 11), NONE},
    {PAIR(0, 4), PAIR(1, 5), PAIR(2, 6), PAIR(3, 7), PAIR(8, 12), PAIR(9, 13), PAIR(10, 14),
     PAIR(11, 15)},
};
#undef PAIR
#undef NONE

/* A pixel's four bytes, of which `channels` count, to where `left` bytes are left of its row. */
static inline void clipc_store_pixel(uint8_t *out, uint32_t pixel, size_t channels, size_t left)
{
    if (left >= sizeof(pixel)) {
        memcpy(out, &pixel, sizeof(pixel)); /* the next pixel is written later */
        return;
    }
    for (size_t channel = 0; channel < channels; channel++)
        out[channel] = (uint8_t)(pixel >> 8 * channel);
}

#endif
