/* SPDX-License-Identifier: MIT */
/* What the kernels for pixels side by side share: how bytes become pairs, how pixels are stored. */
#ifndef CLIPC_IMAGE_KERNELS_X86_PIXELS_H
#define CLIPC_IMAGE_KERNELS_X86_PIXELS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* Four of the rows that are mixed, from `row` on; the last one stands for those beyond `rows`. */
typedef struct clipc_four_rows {
    const uint8_t *in[4];
    uint8_t *out[4];
} clipc_four_rows;

static inline clipc_four_rows clipc_four_rows_from(const uint8_t *const *in, uint8_t *const *out,
                                                   size_t row, size_t rows)
{
    clipc_four_rows four;

    for (size_t i = 0; i < 4; i++) {
        const size_t index = row + i < rows ? row + i : rows - 1;

        four.in[i] = in[index];
        four.out[i] = out[index];
    }
    return four;
}

/*
 * A pixel of up to four bytes to out[at] of a row of `size` bytes: as four where they fit, for
 * the pixel after it is written later.
 */
static inline void clipc_store_pixel(uint8_t *out, size_t at, size_t size, uint32_t pixel)
{
    if (at + sizeof(pixel) <= size)
        memcpy(out + at, &pixel, sizeof(pixel));
    else
        for (; at < size; at++, pixel >>= 8)
            out[at] = (uint8_t)pixel;
}

#endif
