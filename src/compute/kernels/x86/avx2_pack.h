/* SPDX-License-Identifier: MIT */
/* Packing float32 weights into panels with AVX2, eight rows of eight values at a time. */
#ifndef CLIPC_COMPUTE_KERNELS_X86_AVX2_PACK_H
#define CLIPC_COMPUTE_KERNELS_X86_AVX2_PACK_H

#include <immintrin.h>
#include <stddef.h>

/* Eight rows of eight: out[i] is column i of the rows. */
static inline void clipc_avx2_transpose(const float *rows, size_t stride, __m256 *out)
{
    __m256 r[8], pairs[8], quads[8];

    for (size_t i = 0; i < 8; i++)
        r[i] = _mm256_loadu_ps(rows + i * stride);
    for (size_t i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4)
        for (size_t j = 0; j < 2; j++) {
            quads[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
            quads[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xEE);
        }
    for (size_t i = 0; i < 4; i++) {
        out[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
        out[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
    }
}

/* weights: [columns][depth] to panel: [depth][width], zeros from `columns` on; width: 8, 16, ... */
static inline void clipc_avx2_pack_columns(const float *weights, size_t columns, size_t depth,
                                           size_t width, float *panel)
{
    size_t k = 0;

    for (; columns == width && k + 8 <= depth; k += 8)
        for (size_t eight = 0; eight < width; eight += 8) {
            __m256 steps[8];

            clipc_avx2_transpose(weights + eight * depth + k, depth, steps);
            for (size_t i = 0; i < 8; i++)
                _mm256_storeu_ps(panel + (k + i) * width + eight, steps[i]);
        }
    for (; k < depth; k++)
        for (size_t j = 0; j < width; j++)
            panel[k * width + j] = j < columns ? weights[j * depth + k] : 0.0f;
}

#endif
