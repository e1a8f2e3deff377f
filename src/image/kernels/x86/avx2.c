/* SPDX-License-Identifier: MIT */
/*
 * Resampling for AVX2: pixels side by side by 16-bit products in pairs; rows by 32-bit products,
 * which are as good where nothing has to be brought together first.
 */
#include "image/kernels/kernels.h"
#include "image/kernels/x86/pixels.h"

#include <immintrin.h>
#include <string.h>

/* The sums of one window in `rows` rows (1, or ROWS_AT_ONCE), a lane for each half of the taps. */
static inline __attribute__((always_inline)) void
mix_window(const int32_t *weights, size_t taps, const uint8_t *const *in, size_t offset,
           size_t rows, size_t channels, __m256i shuffle, __m256i *sums)
{
    const __m256i first = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m256i second = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
    const __m128i low_mask = _mm_set1_epi32((1 << CLIPC_LOW_WEIGHT_BITS) - 1);
    __m256i low_sums[CLIPC_ROWS_AT_ONCE], high_sums[CLIPC_ROWS_AT_ONCE];

    for (size_t row = 0; row < rows; row++)
        low_sums[row] = high_sums[row] = _mm256_setzero_si256();
    for (size_t k = 0; k < taps; k += CLIPC_TAPS_STEP) {
        const __m128i whole = _mm_loadu_si128((const __m128i *)(const void *)(weights + k));
        const __m256i halves = _mm256_castsi128_si256(_mm_packs_epi32(
            _mm_and_si128(whole, low_mask), _mm_srai_epi32(whole, CLIPC_LOW_WEIGHT_BITS)));
        const __m256i low = _mm256_permutevar8x32_epi32(halves, first);
        const __m256i high = _mm256_permutevar8x32_epi32(halves, second);

        for (size_t row = 0; row < rows; row++) {
            const __m256i bytes = _mm256_broadcastsi128_si256(
                _mm_loadu_si128((const __m128i *)(const void *)(in[row] + offset + k * channels)));
            const __m256i pairs = _mm256_shuffle_epi8(bytes, shuffle);

            low_sums[row] = _mm256_add_epi32(low_sums[row], _mm256_madd_epi16(pairs, low));
            high_sums[row] = _mm256_add_epi32(high_sums[row], _mm256_madd_epi16(pairs, high));
        }
    }
    for (size_t row = 0; row < rows; row++)
        sums[row] = _mm256_add_epi32(low_sums[row],
                                     _mm256_slli_epi32(high_sums[row], CLIPC_LOW_WEIGHT_BITS));
}

/* Both lanes of a together in the lower one, of b in the upper one; rounded, not yet cut. */
static inline __m256i round_pair(__m256i a, __m256i b)
{
    const __m256i sums = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                                          _mm256_permute2x128_si256(a, b, 0x31));

    return _mm256_srai_epi32(
        _mm256_add_epi32(sums, _mm256_set1_epi32(1 << (CLIPC_WEIGHT_BITS - 1))), CLIPC_WEIGHT_BITS);
}

static void mix_pixels_of_row(const clipc_windows *windows, const uint8_t *in, size_t channels,
                              uint8_t *out)
{
    const __m256i shuffle =
        _mm256_loadu_si256((const __m256i *)(const void *)clipc_pixel_pairs[channels - 1]);
    __m256i sums[1];

    for (size_t i = 0; i < windows->count; i++) {
        __m256i values;

        mix_window(windows->weights + i * windows->taps, windows->taps, &in,
                   windows->starts[i] * channels, 1, channels, shuffle, sums);
        values = round_pair(sums[0], sums[0]);
        values = _mm256_packs_epi32(values, values);
        values = _mm256_packus_epi16(values, values);
        clipc_store_pixel(out + i * channels, (uint32_t)_mm256_extract_epi32(values, 0), channels,
                          (windows->count - i) * channels);
    }
}

static inline __attribute__((always_inline)) void mix_pixels_of_rows(const clipc_windows *windows,
                                                                     const uint8_t *const *in,
                                                                     size_t channels,
                                                                     uint8_t *const *out)
{
    const __m256i shuffle =
        _mm256_loadu_si256((const __m256i *)(const void *)clipc_pixel_pairs[channels - 1]);
    __m256i sums[CLIPC_ROWS_AT_ONCE];

    for (size_t i = 0; i < windows->count; i++) {
        const size_t at = i * channels, left = (windows->count - i) * channels;
        __m256i values;

        mix_window(windows->weights + i * windows->taps, windows->taps, in,
                   windows->starts[i] * channels, CLIPC_ROWS_AT_ONCE, channels, shuffle, sums);
        values = _mm256_packs_epi32(round_pair(sums[0], sums[1]), round_pair(sums[2], sums[3]));
        values = _mm256_packus_epi16(values, values);
        clipc_store_pixel(out[0] + at, (uint32_t)_mm256_extract_epi32(values, 0), channels, left);
        clipc_store_pixel(out[1] + at, (uint32_t)_mm256_extract_epi32(values, 4), channels, left);
        clipc_store_pixel(out[2] + at, (uint32_t)_mm256_extract_epi32(values, 1), channels, left);
        clipc_store_pixel(out[3] + at, (uint32_t)_mm256_extract_epi32(values, 5), channels, left);
    }
}

static void mix_pixels(const clipc_windows *windows, const uint8_t *const *in, size_t rows,
                       size_t channels, uint8_t *const *out)
{
    size_t row = 0;

    for (; row + CLIPC_ROWS_AT_ONCE <= rows; row += CLIPC_ROWS_AT_ONCE) {
        if (channels == 3)
            mix_pixels_of_rows(windows, in + row, 3, out + row);
        else
            mix_pixels_of_rows(windows, in + row, channels, out + row);
    }
    for (; row < rows; row++)
        mix_pixels_of_row(windows, in[row], channels, out[row]);
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
