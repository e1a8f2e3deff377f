/* SPDX-License-Identifier: MIT */
/*
 * The bfloat16 matrix product for AVX2: weights are kept as bfloat16, half the memory to read, and
 * widened to float32 in registers; rows are rounded to bfloat16 but kept as float32. Tiles as for
 * float32.
 */
#include "base/float_formats.h"
#include "base/sizes.h"
#include "compute/kernels/x86/avx2_pack.h"
#include "compute/kernels/x86/avx2_tile.h"

#define COLUMNS CLIPC_AVX2_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX2_TILE_ROWS

static size_t row_bytes(size_t depth)
{
    return clipc_round_up(depth * sizeof(float), 64);
}

/* [depth][COLUMNS] bfloat16 */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    uint16_t *out = panel;
    size_t k = 0;

    if (columns == COLUMNS)
        k = clipc_avx2_pack_halves(weights, depth, NULL, 2, clipc_avx2_bf16_pairs, panel);
    for (; k < depth; k++)
        for (size_t j = 0; j < COLUMNS; j++)
            out[k * COLUMNS + j] = j < columns ? clipc_bf16_from_float(weights[j * depth + k]) : 0;
}

static void prepare(const float *x, size_t depth, void *row)
{
    float *out = row;
    size_t k = 0;

    for (; k + 8 <= depth; k += 8)
        _mm256_store_si256((__m256i *)(void *)(out + k), clipc_avx2_round_bf16(x + k));
    for (; k < depth; k++)
        out[k] = clipc_float_from_bf16(clipc_bf16_from_float(x[k]));
}

/* Eight columns in float32. */
static inline __m256 widen(const char *weights)
{
    const __m128i eight = _mm_load_si128((const __m128i *)(const void *)weights);

    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(eight), 16));
}

static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    clipc_avx2_float_tile(product, first, rows, sizeof(uint16_t), widen);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_avx2_bf16 = {
    .dtype = CLIPC_DTYPE_BF16,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = 1,
    .depth_bytes = COLUMNS * sizeof(uint16_t),
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
    .arithmetic = clipc_avx2_arithmetic, /* weights are widened on the way */
};
