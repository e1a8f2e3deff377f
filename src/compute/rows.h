/* SPDX-License-Identifier: MIT */
/* What ops that work row by row share: dividing rows among threads in chunks. */
#ifndef CLIPC_COMPUTE_ROWS_H
#define CLIPC_COMPUTE_ROWS_H

#include "base/sizes.h"
#include "compute/program.h"

#define CLIPC_CHUNK_ROWS ((size_t)16)

/* The number of chunks that `rows` rows make. */
static inline size_t clipc_row_chunks(size_t rows)
{
    return (rows + CLIPC_CHUNK_ROWS - 1) / CLIPC_CHUNK_ROWS;
}

/* The end of a chunk's rows, which begin at chunk * CLIPC_CHUNK_ROWS. */
static inline size_t clipc_chunk_end(size_t chunk, size_t rows)
{
    return clipc_min_size((chunk + 1) * CLIPC_CHUNK_ROWS, rows);
}

#endif
