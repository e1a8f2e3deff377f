/* SPDX-License-Identifier: MIT */
/*
 * The 8-bit matrix product for AVX2. Products of bytes would be pairs summed in 16 bits with
 * saturation (vpmaddubsw); so weights are widened to 16 bits on the way and rows are kept so:
 * vpmaddwd then gives exact pairs in 32 bits, for the same number of multiplications.
 */
#include "base/sizes.h"
#include "compute/kernels/quantise.h"
#include "compute/kernels/tiles.h"
#include "compute/kernels/x86/avx2.h"

#define COLUMNS CLIPC_AVX2_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX2_TILE_ROWS
#define HEADER 64 /* bytes: a panel's scales, a row's scale */
#define PREFETCH_STEPS 32

static size_t row_bytes(size_t depth)
{
    return HEADER + clipc_round_up(depth * sizeof(int16_t), 64);
}

/* The scales of the columns, then [depth / 2][COLUMNS][2] int8. */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    float *scales = panel;
    const size_t padded = clipc_round_up(depth, 2);

    for (size_t j = 0; j < COLUMNS; j++) {
        const float *column = weights + j * depth;
        int8_t *out = (int8_t *)panel + HEADER + j * 2;
        const float largest = j < columns ? clipc_largest_magnitude(column, depth) : 0.0f;
        const float inverse = clipc_int8_inverse_scale(largest);

        scales[j] = largest / CLIPC_INT8_LARGEST;
        for (size_t k = 0; k < padded; k++)
            out[k / 2 * COLUMNS * 2 + k % 2] =
                j < columns && k < depth ? clipc_int8_round(column[k], inverse) : 0;
    }
}

static inline float largest_magnitude(const float *x, size_t depth)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 largest = _mm256_setzero_ps();
    float lanes[8], result;
    size_t k = 0;

    /* Of a NaN, the second operand stays. */
    for (; k + 8 <= depth; k += 8)
        largest = _mm256_max_ps(_mm256_andnot_ps(sign, _mm256_loadu_ps(x + k)), largest);
    _mm256_storeu_ps(lanes, largest);
    result = clipc_largest_magnitude(x + k, depth - k);
    for (size_t i = 0; i < 8; i++)
        result = lanes[i] > result ? lanes[i] : result;
    return result;
}

/* Eight values as clipc_int8_round. */
static inline __m256i quantise(__m256 x, __m256 inverse)
{
    const __m256 most = _mm256_set1_ps(CLIPC_INT8_LARGEST);
    const __m256 least = _mm256_set1_ps(-CLIPC_INT8_LARGEST);

    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(_mm256_mul_ps(x, inverse), least), most));
}

/* The scale, then [depth] int16, a zero after an odd depth. */
static void prepare(const float *x, size_t depth, void *row)
{
    const float largest = largest_magnitude(x, depth);
    const float inverse = clipc_int8_inverse_scale(largest);
    const __m256 factor = _mm256_set1_ps(inverse);
    int16_t *out = (int16_t *)(void *)((char *)row + HEADER);
    size_t k = 0;

    *(float *)row = largest / CLIPC_INT8_LARGEST;
    for (; k + 16 <= depth; k += 16) {
        const __m256i low = quantise(_mm256_loadu_ps(x + k), factor);
        const __m256i high = quantise(_mm256_loadu_ps(x + k + 8), factor);

        _mm256_store_si256((__m256i *)(void *)(out + k),
                           _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8));
    }
    for (; k < depth; k++)
        out[k] = clipc_int8_round(x[k], inverse);
    if (depth % 2)
        out[depth] = 0;
}

/* Sixteen pairs of bytes a step: eight columns in each of two registers of 16-bit numbers. */
static inline __m256i widen(const int8_t *pairs)
{
    return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)pairs));
}

/* Eight 32-bit sums: see avx512_vnni.c for why not __m256i. */
typedef int32_t whole __attribute__((vector_size(32)));

static inline whole add_products(whole sum, __m256i a, __m256i b)
{
    return sum + (whole)_mm256_madd_epi16(a, b);
}

static inline __m256 to_floats(whole sum, __m256 scale)
{
    return _mm256_mul_ps(_mm256_cvtepi32_ps((__m256i)sum), scale);
}

/* `rows` is a constant wherever this is inlined, so that the sums live in registers. */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const char *a = (const char *)product->a + first * product->a_stride;
    const int8_t *b = (const int8_t *)product->panel + HEADER;
    const __m256 *scales = product->panel;
    const size_t stride = product->a_stride, depth = product->depth;
    whole left[TILE_ROWS], right[TILE_ROWS];
    __m256 sums[TILE_ROWS][2];

#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = (whole){0};
#pragma GCC unroll 2
    for (size_t k = 0; k < depth; k += 2, b += COLUMNS * 2) {
        const __m256i b0 = widen(b), b1 = widen(b + 16);

        _mm_prefetch((const char *)(b + PREFETCH_STEPS * COLUMNS), _MM_HINT_T0);
#pragma GCC unroll 6
        for (size_t i = 0; i < rows; i++) {
            const __m256i value = _mm256_castps_si256(_mm256_broadcast_ss(
                (const float *)(const void *)(a + i * stride + HEADER + k * sizeof(int16_t))));

            left[i] = add_products(left[i], value, b0);
            right[i] = add_products(right[i], value, b1);
        }
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++) {
        const __m256 scale = _mm256_broadcast_ss((const float *)(const void *)(a + i * stride));

        sums[i][0] = to_floats(left[i], _mm256_mul_ps(scale, scales[0]));
        sums[i][1] = to_floats(right[i], _mm256_mul_ps(scale, scales[1]));
    }
    clipc_avx2_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

const clipc_matrix_kernel clipc_avx2_int8 = {
    .dtype = CLIPC_DTYPE_INT8,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .panel_header = HEADER,
    .depth_step = 2,
    .depth_bytes = COLUMNS,
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
};
