/* SPDX-License-Identifier: MIT */
/*
 * The bfloat16 matrix product for AVX2: weights are kept as bfloat16, half the memory to read, and
 * widened to float32 in registers; rows are rounded to bfloat16 but kept as float32. Tiles as for
 * float32.
 */
#include "base/float_formats.h"
#include "base/sizes.h"
#include "compute/kernels/tiles.h"
#include "compute/kernels/x86/avx2.h"

#define COLUMNS CLIPC_AVX2_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX2_TILE_ROWS
#define PREFETCH_STEPS 16

static size_t row_bytes(size_t depth)
{
    return clipc_round_up(depth * sizeof(float), 64);
}

/* [depth / 2][COLUMNS] pairs of bfloat16: the even step in the lower half. */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    uint32_t *out = panel;

    for (size_t k = 0; k < depth; k += 2)
        for (size_t j = 0; j < COLUMNS; j++) {
            const float *weight = weights + j * depth + k;
            uint32_t pair = j < columns ? clipc_bf16_from_float(weight[0]) : 0;

            if (j < columns && k + 1 < depth)
                pair |= (uint32_t)clipc_bf16_from_float(weight[1]) << 16;
            *out++ = pair;
        }
}

/* The nearest bfloat16, halves to even; NaN stays NaN. */
static inline __m256 round_to_bf16(__m256 x)
{
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    const __m256 high =
        _mm256_castsi256_ps(_mm256_and_si256(rounded, _mm256_set1_epi32((int)0xFFFF0000u)));

    return _mm256_blendv_ps(high, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

static void prepare(const float *x, size_t depth, void *row)
{
    float *out = row;
    size_t k = 0;

    for (; k + 8 <= depth; k += 8)
        _mm256_store_ps(out + k, round_to_bf16(_mm256_loadu_ps(x + k)));
    for (; k < depth; k++)
        out[k] = clipc_float_from_bf16(clipc_bf16_from_float(x[k]));
}

/* The even and the odd step of eight columns. */
static inline __m256 even_step(__m256i pairs)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
}

static inline __m256 odd_step(__m256i pairs)
{
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int)0xFFFF0000u)));
}

static inline __attribute__((always_inline)) void step(const float *a, size_t stride,
                                                       const size_t rows, __m256 b0, __m256 b1,
                                                       __m256 *left, __m256 *right)
{
#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++) {
        const __m256 value = _mm256_broadcast_ss(a + i * stride);

        left[i] = _mm256_fmadd_ps(value, b0, left[i]);
        right[i] = _mm256_fmadd_ps(value, b1, right[i]);
    }
}

/* `rows` is a constant wherever this is inlined, so that the sums live in registers. */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const float *a = (const float *)((const char *)product->a + first * product->a_stride);
    const __m256i *b = product->panel;
    const size_t stride = product->a_stride / sizeof(float), depth = product->depth;
    __m256 left[TILE_ROWS], right[TILE_ROWS], sums[TILE_ROWS][2];

#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = _mm256_setzero_ps();
    for (size_t k = 0; k < depth; k += 2, b += 2) {
        const __m256i b0 = _mm256_load_si256(b), b1 = _mm256_load_si256(b + 1);

        _mm_prefetch((const char *)(b + PREFETCH_STEPS * 2), _MM_HINT_T0);
        step(a + k, stride, rows, even_step(b0), even_step(b1), left, right);
        if (k + 1 < depth)
            step(a + k + 1, stride, rows, odd_step(b0), odd_step(b1), left, right);
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++) {
        sums[i][0] = left[i];
        sums[i][1] = right[i];
    }
    clipc_avx2_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_avx2_bf16 = {
    .dtype = CLIPC_DTYPE_BF16,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .depth_step = 2,
    .depth_bytes = COLUMNS * sizeof(uint16_t),
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
};
