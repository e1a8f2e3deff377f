/* SPDX-License-Identifier: MIT */
/*
 * Resampling for AVX-512, as for AVX2 with registers of twice the width: two rows of pixels in one,
 * sixteen columns in one.
 */
#include "image/kernels/kernels.h"
#include "image/kernels/x86/pixels.h"

#include <immintrin.h>
#include <string.h>

#define PAIRS (CLIPC_ROWS_AT_ONCE / 2)

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

/* The rounded sums of one window in four rows, not yet cut; a lane each. */
static inline __m512i mix_window(const int32_t *weights, size_t taps, const uint8_t *const *in,
                                 size_t offset, size_t channels, __m512i shuffle)
{
    const __m512i first = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1);
    const __m512i second = _mm512_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3, 2, 2, 2, 2, 3, 3, 3, 3);
    const __m128i low_mask = _mm_set1_epi32((1 << CLIPC_LOW_WEIGHT_BITS) - 1);
    __m512i low_sums[PAIRS], high_sums[PAIRS], a, b;

    for (size_t i = 0; i < PAIRS; i++)
        low_sums[i] = high_sums[i] = _mm512_setzero_si512();
    for (size_t k = 0; k < taps; k += CLIPC_TAPS_STEP) {
        const __m128i whole = _mm_loadu_si128((const __m128i *)(const void *)(weights + k));
        const __m512i halves = _mm512_castsi128_si512(_mm_packs_epi32(
            _mm_and_si128(whole, low_mask), _mm_srai_epi32(whole, CLIPC_LOW_WEIGHT_BITS)));
        const __m512i low = _mm512_permutexvar_epi32(first, halves);
        const __m512i high = _mm512_permutexvar_epi32(second, halves);

        for (size_t i = 0; i < PAIRS; i++) {
            const size_t at = offset + k * channels;
            const __m512i pairs =
                _mm512_shuffle_epi8(load_two(in[2 * i] + at, in[2 * i + 1] + at), shuffle);

            low_sums[i] = _mm512_add_epi32(low_sums[i], _mm512_madd_epi16(pairs, low));
            high_sums[i] = _mm512_add_epi32(high_sums[i], _mm512_madd_epi16(pairs, high));
        }
    }
    a = _mm512_add_epi32(low_sums[0], _mm512_slli_epi32(high_sums[0], CLIPC_LOW_WEIGHT_BITS));
    b = _mm512_add_epi32(low_sums[1], _mm512_slli_epi32(high_sums[1], CLIPC_LOW_WEIGHT_BITS));
    /* Even lanes of a and b, odd ones: together the sums of rows 0 to 3. */
    a = _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                         _mm512_shuffle_i32x4(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
    a = _mm512_add_epi32(a, _mm512_set1_epi32(1 << (CLIPC_WEIGHT_BITS - 1)));
    return _mm512_srai_epi32(a, CLIPC_WEIGHT_BITS);
}

/* 32-bit values, negative ones as 0, those above 255 as 255. */
static inline __m128i cut(__m512i values)
{
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(values, _mm512_setzero_si512()));
}

/* Fewer than four rows are filled up with the last of them. */
static void mix_pixels(const clipc_windows *windows, const uint8_t *const *in, size_t rows,
                       size_t channels, uint8_t *const *out)
{
    const __m512i shuffle = load_shuffle(channels);

    for (size_t from = 0; from < rows; from += CLIPC_ROWS_AT_ONCE) {
        const uint8_t *in4[CLIPC_ROWS_AT_ONCE];
        uint8_t *out4[CLIPC_ROWS_AT_ONCE];

        for (size_t row = 0; row < CLIPC_ROWS_AT_ONCE; row++) {
            const size_t index = from + row < rows ? from + row : rows - 1;

            in4[row] = in[index];
            out4[row] = out[index];
        }
        for (size_t i = 0; i < windows->count; i++) {
            const size_t at = i * channels, left = (windows->count - i) * channels;
            const __m128i pixels =
                cut(mix_window(windows->weights + i * windows->taps, windows->taps, in4,
                               windows->starts[i] * channels, channels, shuffle));

            clipc_store_pixel(out4[0] + at, (uint32_t)_mm_extract_epi32(pixels, 0), channels, left);
            clipc_store_pixel(out4[1] + at, (uint32_t)_mm_extract_epi32(pixels, 1), channels, left);
            clipc_store_pixel(out4[2] + at, (uint32_t)_mm_extract_epi32(pixels, 2), channels, left);
            clipc_store_pixel(out4[3] + at, (uint32_t)_mm_extract_epi32(pixels, 3), channels, left);
        }
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
