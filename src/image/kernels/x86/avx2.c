/* SPDX-License-Identifier: MIT */
/*
 * Resampling for AVX2: pixels side by side by 16-bit products in pairs; rows by 32-bit products,
 * which are as good where nothing has to be brought together first.
 */
#include "image/kernels/kernels.h"
#include "image/kernels/x86/pixels.h"

#include <immintrin.h>
#include <string.h>

/* Two pairs of 16-bit weights: that of pixels 0 and 1 to the lower lane, the other above. */
static inline __m256i spread_weights(__m256i weights, int low_pair)
{
    return _mm256_castps_si256(
        _mm256_permutevar_ps(_mm256_castsi256_ps(weights),
                             _mm256_setr_epi32(low_pair, low_pair, low_pair, low_pair, low_pair + 1,
                                               low_pair + 1, low_pair + 1, low_pair + 1)));
}

static inline __m256i load_pairs(const uint8_t *pixels, __m256i shuffle)
{
    return _mm256_shuffle_epi8(
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)pixels)),
        shuffle);
}

/* Tells GCC that sums stay in their registers: it copies them about otherwise, and runs out. */
static inline __m256i add_products(__m256i sums, __m256i pairs, __m256i weights)
{
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, weights));
    __asm__("" : "+x"(sums));
    return sums;
}

static inline __m256i join_halves(__m256i low, __m256i high)
{
    return _mm256_add_epi32(low, _mm256_slli_epi32(high, CLIPC_LOW_WEIGHT_BITS));
}

/* Both lanes of a together in the lower one, of b in the upper one; rounded, not yet cut. */
static inline __m256i round_pair(__m256i a, __m256i b)
{
    const __m256i half = _mm256_set1_epi32(1 << (CLIPC_WEIGHT_BITS - 1));
    const __m256i sums = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                                          _mm256_permute2x128_si256(a, b, 0x31));

    return _mm256_srai_epi32(_mm256_add_epi32(sums, half), CLIPC_WEIGHT_BITS);
}

/* A window in four rows at once; the pixels of rows 0 and 2 go to the lower lane. */
static inline __m256i mix_window(const clipc_split_weights *weights, size_t groups, size_t channels,
                                 const uint8_t *const *in, size_t offset, __m256i shuffle)
{
    const uint8_t *in0 = in[0] + offset, *in1 = in[1] + offset;
    const uint8_t *in2 = in[2] + offset, *in3 = in[3] + offset;
    __m256i low0 = _mm256_setzero_si256(), low1 = low0, low2 = low0, low3 = low0;
    __m256i high0 = low0, high1 = low0, high2 = low0, high3 = low0;
    size_t at = 0;

    for (size_t i = 0; i < groups; i++) {
        const __m256i split = _mm256_broadcastsi128_si256(
            _mm_loadu_si128((const __m128i *)(const void *)&weights[i]));
        const __m256i low = spread_weights(split, 0), high = spread_weights(split, 2);
        __m256i pairs = load_pairs(in0 + at, shuffle);

        low0 = add_products(low0, pairs, low);
        high0 = add_products(high0, pairs, high);
        pairs = load_pairs(in1 + at, shuffle);
        low1 = add_products(low1, pairs, low);
        high1 = add_products(high1, pairs, high);
        pairs = load_pairs(in2 + at, shuffle);
        low2 = add_products(low2, pairs, low);
        high2 = add_products(high2, pairs, high);
        pairs = load_pairs(in3 + at, shuffle);
        low3 = add_products(low3, pairs, low);
        high3 = add_products(high3, pairs, high);
        at += CLIPC_TAPS_STEP * channels;
    }
    low0 = round_pair(join_halves(low0, high0), join_halves(low1, high1));
    low2 = round_pair(join_halves(low2, high2), join_halves(low3, high3));
    low0 = _mm256_packs_epi32(low0, low2);
    return _mm256_packus_epi16(low0, low0);
}

static void mix_four_rows(const clipc_windows *windows, const uint8_t *const *in, size_t channels,
                          uint8_t *const *out)
{
    const __m256i shuffle =
        _mm256_loadu_si256((const __m256i *)(const void *)clipc_pixel_pairs[channels - 1]);
    const size_t groups = windows->taps / CLIPC_TAPS_STEP, bytes = windows->count * channels;

    for (size_t i = 0; i < windows->count; i++) {
        const size_t at = i * channels;
        const __m256i pixels = mix_window(windows->split + i * groups, groups, channels, in,
                                          windows->starts[i] * channels, shuffle);

        clipc_store_pixel(out[0], at, bytes, (uint32_t)_mm256_extract_epi32(pixels, 0));
        clipc_store_pixel(out[1], at, bytes, (uint32_t)_mm256_extract_epi32(pixels, 4));
        clipc_store_pixel(out[2], at, bytes, (uint32_t)_mm256_extract_epi32(pixels, 1));
        clipc_store_pixel(out[3], at, bytes, (uint32_t)_mm256_extract_epi32(pixels, 5));
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

/* sums + weight times the eight bytes at `row`. */
static inline __m256i add_weighted(__m256i sums, __m256i weight, const uint8_t *row)
{
    const __m256i values =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)row));

    return _mm256_add_epi32(sums, _mm256_mullo_epi32(weight, values));
}

/* 32 columns from x on. */
static inline __m256i mix_columns(const int32_t *weights, const uint8_t *const *in, size_t taps,
                                  size_t x)
{
    __m256i a = _mm256_set1_epi32(1 << (CLIPC_WEIGHT_BITS - 1)), b = a, c = a, d = a;

    for (size_t k = 0; k < taps; k++) {
        const __m256i weight = _mm256_set1_epi32(weights[k]);

        a = add_weighted(a, weight, in[k] + x);
        b = add_weighted(b, weight, in[k] + x + 8);
        c = add_weighted(c, weight, in[k] + x + 16);
        d = add_weighted(d, weight, in[k] + x + 24);
    }
    a = _mm256_packs_epi32(_mm256_srai_epi32(a, CLIPC_WEIGHT_BITS),
                           _mm256_srai_epi32(b, CLIPC_WEIGHT_BITS));
    c = _mm256_packs_epi32(_mm256_srai_epi32(c, CLIPC_WEIGHT_BITS),
                           _mm256_srai_epi32(d, CLIPC_WEIGHT_BITS));
    /* Packed within lanes: the lower one has the first four of every eight. */
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, c),
                                       _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

static void mix_rows(const int32_t *weights, const uint8_t *const *in, size_t taps, size_t bytes,
                     uint8_t *out)
{
    size_t x = 0;

    for (; x + sizeof(__m256i) <= bytes; x += sizeof(__m256i))
        _mm256_storeu_si256((__m256i *)(void *)(out + x), mix_columns(weights, in, taps, x));
    if (x < bytes) {
        const __m256i last = mix_columns(weights, in, taps, x);

        memcpy(out + x, &last, bytes - x);
    }
}

const clipc_resample_kernels clipc_resample_avx2 = {
    .level = "avx2",
    .mix_pixels = mix_pixels,
    .mix_rows = mix_rows,
};
