/* SPDX-License-Identifier: MIT */
/*
 * The 8-bit matrix product for AVX512_VNNI: vpdpbusd adds four products to each of sixteen sums,
 * exactly, but of unsigned with signed bytes. So rows are kept as c + zero, and zero times the sum
 * of a column's weights is taken away at the end.
 */
#include "base/sizes.h"
#include "compute/kernels/quantise.h"
#include "compute/kernels/tiles.h"
#include "compute/kernels/x86/avx2_pack.h"
#include "compute/kernels/x86/avx512.h"
#include "compute/kernels/x86/avx512_math.h"

#define COLUMNS CLIPC_AVX512_PANEL_COLUMNS
#define TILE_ROWS CLIPC_AVX512_TILE_ROWS
#define ROW_HEADER 64    /* bytes: the range */
#define PANEL_HEADER 256 /* bytes: COLUMNS scales, COLUMNS sums of weights */

static size_t row_bytes(size_t depth)
{
    return ROW_HEADER + clipc_round_up(depth, 64);
}

static clipc_row_range range_of(const float *x, size_t depth)
{
    __m512 low = _mm512_setzero_ps(), high = _mm512_setzero_ps();

    /* Of a NaN, the second operand stays. */
    for (size_t k = 0; k < depth; k += 16) {
        const __m512 values = _mm512_maskz_loadu_ps(clipc_avx512_lanes_at(k, depth), x + k);

        low = _mm512_min_ps(values, low);
        high = _mm512_max_ps(values, high);
    }
    return clipc_row_range_of(_mm512_reduce_min_ps(low), _mm512_reduce_max_ps(high));
}

/* Its clipc_row_range, then [depth] bytes c + zero, rounded up to whole registers. */
static void prepare(const float *x, size_t depth, void *row)
{
    const clipc_row_range range = range_of(x, depth);
    const __m512 inverse = _mm512_set1_ps(range.inverse);
    const __m512 least = _mm512_set1_ps((float)-range.zero);
    const __m512 most = _mm512_set1_ps((float)(255 - range.zero));
    const __m512i zero = _mm512_set1_epi32(range.zero);
    char *out = (char *)row + ROW_HEADER;

    *(clipc_row_range *)row = range;
    for (size_t k = 0; k < depth; k += 16) {
        const __m512 scaled =
            _mm512_mul_ps(_mm512_maskz_loadu_ps(clipc_avx512_lanes_at(k, depth), x + k), inverse);
        const __m512i c = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(scaled, least), most));

        _mm_store_si128((__m128i *)(void *)(out + k),
                        _mm512_cvtepi32_epi8(_mm512_add_epi32(c, zero)));
    }
}

/*
 * Sixteen 32-bit sums. GCC 12 takes an array of __m512i, whose elements are of 64 bits, for another
 * type than these instructions work on, and keeps copying it through memory.
 */
typedef int32_t whole __attribute__((vector_size(64)));

static inline whole add_products(whole sum, __m512i unsigned_bytes, __m512i signed_bytes)
{
    return (whole)_mm512_dpbusd_epi32((__m512i)sum, unsigned_bytes, signed_bytes);
}

/* The sums of the columns of [steps][COLUMNS][4] int8: products with ones. */
static void sum_columns(const int8_t *packed, size_t steps, whole *totals)
{
    const __m512i ones = _mm512_set1_epi8(1);
    whole left = {0}, right = {0};

    for (; steps > 0; steps--, packed += COLUMNS * 4) {
        left = add_products(left, ones, _mm512_load_si512(packed));
        right = add_products(right, ones, _mm512_load_si512(packed + COLUMNS * 2));
    }
    totals[0] = left;
    totals[1] = right;
}

/* Scales, sums of the columns, then [depth / 4][COLUMNS][4] int8. */
static void pack(const float *weights, size_t columns, size_t depth, void *panel)
{
    int8_t *out = (int8_t *)panel + PANEL_HEADER;
    const size_t padded = clipc_round_up(depth, 4);
    float inverses[COLUMNS];
    size_t k = 0;

    clipc_avx2_column_scales(weights, columns, depth, COLUMNS, panel, inverses);
    if (columns == COLUMNS)
        k = clipc_avx2_pack_units(weights, depth, COLUMNS, inverses, 4, clipc_avx2_int8_quads, out);
    for (; k < padded; k++)
        for (size_t j = 0; j < COLUMNS; j++)
            out[(k / 4 * COLUMNS + j) * 4 + k % 4] =
                j < columns && k < depth ? clipc_int8_round(weights[j * depth + k], inverses[j])
                                         : 0;
    sum_columns(out, padded / 4, (whole *)panel + 2);
}

static inline __m512 to_floats(whole sum, int32_t zero, whole total, __m512 scale)
{
    return _mm512_mul_ps(_mm512_cvtepi32_ps((__m512i)(sum - zero * total)), scale);
}

/* `rows` is a constant wherever this is inlined; pointers as in the float32 tile. */
static inline __attribute__((always_inline)) void tile(const clipc_panel_product *product,
                                                       size_t first, const size_t rows)
{
    const clipc_ahead ahead = clipc_look_ahead(product, first, rows, PANEL_HEADER, COLUMNS);
    const size_t stride = product->a_stride, depth = product->depth;
    const __m512 *scales = product->panel;
    const whole *totals = (const whole *)product->panel + 2;
    const char *a[(TILE_ROWS + 2) / 3];
    const char *b = (const char *)product->panel + PANEL_HEADER;
    whole left[TILE_ROWS], right[TILE_ROWS];
    __m512 sums[TILE_ROWS][2];

#pragma GCC unroll 13
    for (size_t i = 0; i < rows; i++)
        left[i] = right[i] = (whole){0};
#pragma GCC unroll 5
    for (size_t i = 0; i < rows; i += 3)
        a[i / 3] = (const char *)product->a + (first + i) * stride + ROW_HEADER;
    for (size_t k = 0; k < depth; k += 4, b += COLUMNS * 4) {
        const __m512i b0 = _mm512_load_si512(b), b1 = _mm512_load_si512(b + 64);

        _mm_prefetch(ahead.at + k * ahead.step, _MM_HINT_T1);
        _mm_prefetch(ahead.at + k * ahead.step + 64, _MM_HINT_T1);
#pragma GCC unroll 13
        for (size_t i = 0; i < rows; i++) {
            const __m512i value =
                _mm512_set1_epi32(*(const int32_t *)(const void *)(a[i / 3] + i % 3 * stride));

            left[i] = add_products(left[i], value, b0);
            right[i] = add_products(right[i], value, b1);
        }
#pragma GCC unroll 5
        for (size_t i = 0; i < rows; i += 3)
            a[i / 3] += 4;
    }
#pragma GCC unroll 13
    for (size_t i = 0; i < rows; i++) {
        const clipc_row_range *range =
            (const void *)((const char *)product->a + (first + i) * stride);
        const __m512 scale = _mm512_set1_ps(range->scale);

        sums[i][0] = to_floats(left[i], range->zero, totals[0], _mm512_mul_ps(scale, scales[0]));
        sums[i][1] = to_floats(right[i], range->zero, totals[1], _mm512_mul_ps(scale, scales[1]));
    }
    clipc_avx512_finish(product, first, rows, sums);
}

static void multiply(const clipc_panel_product *product)
{
    clipc_run_tiles(product, TILE_ROWS, tile);
}

/* Ten chains, more than an instruction's latency times those that start in a cycle. */
static double arithmetic(size_t steps)
{
    const __m512i three = _mm512_set1_epi8(3);
    whole chains[10];
    volatile int32_t sink;

#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        chains[i] = (whole)_mm512_set1_epi32((int)i); /* else they are one chain */
    for (size_t step = 0; step < steps; step++)
#pragma GCC unroll 10
        for (size_t i = 0; i < 10; i++)
            chains[i] = add_products(chains[i], three, three);
#pragma GCC unroll 10
    for (size_t i = 0; i < 10; i++)
        sink = chains[i][0];
    (void)sink;
    return (double)steps * 10 * 64 * 2;
}

const clipc_matrix_kernel clipc_avx512_int8 = {
    .dtype = CLIPC_DTYPE_INT8,
    .panel_columns = COLUMNS,
    .tile_rows = TILE_ROWS,
    .panel_header = PANEL_HEADER,
    .depth_step = 4,
    .depth_bytes = COLUMNS,
    .has_column_sums = true,
    .pack = pack,
    .prepare = prepare,
    .row_bytes = row_bytes,
    .product = multiply,
    .arithmetic = arithmetic,
};
