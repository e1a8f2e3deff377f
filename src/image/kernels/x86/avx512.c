/* SPDX-License-Identifier: MIT */
/*
 * Resampling for AVX-512, as for AVX2 with registers of twice the width: two rows of pixels in one,
 * sixteen columns in one.
 */
#include "image/kernels/kernels.h"
#include "image/kernels/x86/pixels.h"

#include <immintrin.h>
#include <string.h>

static inline __m512i load_shuffle(size_t channels)
{
    return _mm512_broadcast_i64x4(
        _mm256_loadu_si256((const __m256i *)(const void *)clipc_pixel_pairs[channels - 1]));
}

/* Sixteen bytes of one row, twice, and of another, twice. */
static inline __m512i load_two(const uint8_t *a, const uint8_t *b)
{
    const __m512i first = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)a));

    return _mm512_mask_broadcast_i32x4(first, 0xFF00,
                                       _mm_loadu_si128((const __m128i *)(const void *)b));
}

/* Two pairs of 16-bit weights: that of pixels 0 and 1 to even lanes, the other to odd. */
static inline __m512i spread_weights(__m512i weights, int low_pair)
{
    const __m512i places = _mm512_broadcast_i64x4(
        _mm256_setr_epi32(low_pair, low_pair, low_pair, low_pair, low_pair + 1, low_pair + 1,
                          low_pair + 1, low_pair + 1));

    return _mm512_castps_si512(_mm512_permutevar_ps(_mm512_castsi512_ps(weights), places));
}

static inline __m512i add_products(__m512i sums, __m512i pairs, __m512i weights)
{
    return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, weights));
}

static inline __m512i join_halves(__m512i low, __m512i high)
{
    return _mm512_add_epi32(low, _mm512_slli_epi32(high, CLIPC_LOW_WEIGHT_BITS));
}

/* A window in four rows at once, a lane each: the rounded sums, not yet cut. */
static inline __m512i mix_window(const clipc_split_weights *weights, size_t groups, size_t channels,
                                 const uint8_t *const *in, size_t offset, __m512i shuffle)
{
    const uint8_t *in0 = in[0] + offset, *in1 = in[1] + offset;
    const uint8_t *in2 = in[2] + offset, *in3 = in[3] + offset;
    const __m512i half = _mm512_set1_epi32(1 << (CLIPC_WEIGHT_BITS - 1));
    __m512i low01 = _mm512_setzero_si512(), low23 = low01, high01 = low01, high23 = low01;
    size_t at = 0;

    for (size_t i = 0; i < groups; i++) {
        const __m512i split =
            _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)&weights[i]));
        const __m512i low = spread_weights(split, 0), high = spread_weights(split, 2);
        const __m512i pairs01 = _mm512_shuffle_epi8(load_two(in0 + at, in1 + at), shuffle);
        const __m512i pairs23 = _mm512_shuffle_epi8(load_two(in2 + at, in3 + at), shuffle);

        low01 = add_products(low01, pairs01, low);
        high01 = add_products(high01, pairs01, high);
        low23 = add_products(low23, pairs23, low);
        high23 = add_products(high23, pairs23, high);
        at += CLIPC_TAPS_STEP * channels;
    }
    low01 = join_halves(low01, high01);
    low23 = join_halves(low23, high23);
    /* Even lanes, odd ones: together the sums of rows 0 to 3. */
    low01 = _mm512_add_epi32(_mm512_shuffle_i32x4(low01, low23, _MM_SHUFFLE(2, 0, 2, 0)),
                             _mm512_shuffle_i32x4(low01, low23, _MM_SHUFFLE(3, 1, 3, 1)));
    return _mm512_srai_epi32(_mm512_add_epi32(low01, half), CLIPC_WEIGHT_BITS);
}

/* 32-bit values, negative ones as 0, those above 255 as 255. */
static inline __m128i cut(__m512i values)
{
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(values, _mm512_setzero_si512()));
}

static void mix_four_rows(const clipc_windows *windows, const uint8_t *const *in, size_t channels,
                          uint8_t *const *out)
{
    const __m512i shuffle = load_shuffle(channels);
    const size_t groups = windows->taps / CLIPC_TAPS_STEP, bytes = windows->count * channels;

    for (size_t i = 0; i < windows->count; i++) {
        const size_t at = i * channels;
        const __m128i pixels = cut(mix_window(windows->split + i * groups, groups, channels, in,
                                              windows->starts[i] * channels, shuffle));

        clipc_store_pixel(out[0], at, bytes, (uint32_t)_mm_extract_epi32(pixels, 0));
        clipc_store_pixel(out[1], at, bytes, (uint32_t)_mm_extract_epi32(pixels, 1));
        clipc_store_pixel(out[2], at, bytes, (uint32_t)_mm_extract_epi32(pixels, 2));
        clipc_store_pixel(out[3], at, bytes, (uint32_t)_mm_extract_epi32(pixels, 3));
    }
}

/* Fewer than four rows are filled up with the last of them. */
static void mix_pixels(const clipc_windows *windows, const uint8_t *const *in, size_t rows,
                       size_t channels, uint8_t *const *out)
{
    for (size_t row = 0; row < rows; row += CLIPC_ROWS_AT_ONCE) {
        const clipc_four_rows four = clipc_four_rows_from(in, out, row, rows);

        mix_four_rows(windows, four.in, channels, four.out);
    }
}

/* sums + weight times the sixteen bytes at `row`. */
static inline __m512i add_weighted(__m512i sums, __m512i weight, const uint8_t *row)
{
    const __m512i values =
        _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)row));

    return _mm512_add_epi32(sums, _mm512_mullo_epi32(weight, values));
}

/* 64 columns from x on, of which `count` are stored. */
static inline void mix_columns(const int32_t *weights, const uint8_t *const *in, size_t taps,
                               size_t x, size_t count, uint8_t *out)
{
    const __mmask64 mask = ~(__mmask64)0 >> (64 - count);
    __m512i a = _mm512_set1_epi32(1 << (CLIPC_WEIGHT_BITS - 1)), b = a, c = a, d = a;
    __m256i lower, upper;

    for (size_t k = 0; k < taps; k++) {
        const __m512i weight = _mm512_set1_epi32(weights[k]);

        a = add_weighted(a, weight, in[k] + x);
        b = add_weighted(b, weight, in[k] + x + 16);
        c = add_weighted(c, weight, in[k] + x + 32);
        d = add_weighted(d, weight, in[k] + x + 48);
    }
    lower = _mm256_set_m128i(cut(_mm512_srai_epi32(b, CLIPC_WEIGHT_BITS)),
                             cut(_mm512_srai_epi32(a, CLIPC_WEIGHT_BITS)));
    upper = _mm256_set_m128i(cut(_mm512_srai_epi32(d, CLIPC_WEIGHT_BITS)),
                             cut(_mm512_srai_epi32(c, CLIPC_WEIGHT_BITS)));
    _mm512_mask_storeu_epi8(out + x, mask,
                            _mm512_inserti64x4(_mm512_castsi256_si512(lower), upper, 1));
}

static void mix_rows(const int32_t *weights, const uint8_t *const *in, size_t taps, size_t bytes,
                     uint8_t *out)
{
    for (size_t x = 0; x < bytes; x += sizeof(__m512i))
        mix_columns(weights, in, taps, x, bytes - x < sizeof(__m512i) ? bytes - x : sizeof(__m512i),
                    out);
}

const clipc_resample_kernels clipc_resample_avx512 = {
    .level = "avx512",
    .mix_pixels = mix_pixels,
    .mix_rows = mix_rows,
};
