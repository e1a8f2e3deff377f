/* SPDX-License-Identifier: MIT */
/* How the rows of a product divide into tiles. */
#ifndef CLIPC_COMPUTE_KERNELS_TILES_H
#define CLIPC_COMPUTE_KERNELS_TILES_H

#include "compute/kernels/kernels.h"

/*
 * Computes rows [first, first + rows) of a product; rows is a constant where it is inlined, so that
 * its sums are named registers.
 */
typedef void (*clipc_tile_fn)(const clipc_panel_product *product, size_t first, size_t rows);

/*
 * While a panel passes, the next one, which mostly lies right behind it, is called from memory into
 * the second-level cache: each tile asks for its share, `step` bytes a step of the depth from `at`
 * on. Else the first tile of every panel would wait for memory, which is slower than arithmetic.
 */
typedef struct clipc_ahead {
    const char *at;
    size_t step;
} clipc_ahead;

static inline clipc_ahead clipc_look_ahead(const clipc_panel_product *product, size_t first,
                                           size_t rows, size_t header, size_t bytes_of_a_step)
{
    const size_t panel = header + product->depth * bytes_of_a_step;

    return (clipc_ahead){
        .at = (const char *)product->panel + panel + panel * first / product->rows,
        .step = (bytes_of_a_step * rows + product->rows - 1) / product->rows,
    };
}

/*
 * Runs all rows through `tile` in tiles of at most `most` rows, as even as can be: a tile of a few
 * rows leaves most of the processor idle. `most` (4 to 13) and `tile` are constants.
 */
static inline __attribute__((always_inline)) void
clipc_run_tiles(const clipc_panel_product *product, const size_t most, const clipc_tile_fn tile)
{
    size_t tiles = (product->rows + most - 1) / most;

    for (size_t row = 0, rows; row < product->rows; row += rows, tiles--) {
        rows = (product->rows - row + tiles - 1) / tiles;
        switch (rows) {
        case 1: tile(product, row, 1); break;
        case 2: tile(product, row, 2); break;
        case 3: tile(product, row, 3); break;
        case 4: tile(product, row, 4); break;
        case 5:
            if (most >= 5)
                tile(product, row, 5);
            break;
        case 6:
            if (most >= 6)
                tile(product, row, 6);
            break;
        case 7:
            if (most >= 7)
                tile(product, row, 7);
            break;
        case 8:
            if (most >= 8)
                tile(product, row, 8);
            break;
        case 9:
            if (most >= 9)
                tile(product, row, 9);
            break;
        case 10:
            if (most >= 10)
                tile(product, row, 10);
            break;
        case 11:
            if (most >= 11)
                tile(product, row, 11);
            break;
        case 12:
            if (most >= 12)
                tile(product, row, 12);
            break;
        case 13:
            if (most >= 13)
                tile(product, row, 13);
            break;
        default: break;
        }
    }
}

#endif
