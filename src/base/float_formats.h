/* SPDX-License-Identifier: MIT */
/* IEEE half and bfloat16 to float32 and back (round to nearest even), one value at a time. */
#ifndef CLIPC_BASE_FLOAT_FORMATS_H
#define CLIPC_BASE_FLOAT_FORMATS_H

#include <stdint.h>
#include <string.h>

static inline float clipc_float_from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static inline uint32_t clipc_bits_from_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline float clipc_float_from_bf16(uint16_t half)
{
    return clipc_float_from_bits((uint32_t)half << 16);
}

static inline uint16_t clipc_bf16_from_float(float value)
{
    uint32_t bits = clipc_bits_from_float(value);

    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) /* NaN: keep it one, quiet */
        return (uint16_t)((bits >> 16) | 0x40u);
    return (uint16_t)((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

/* All bits set where a < b, else none, both below 2^31: no branch, so loops can be vectorised. */
static inline uint32_t clipc_mask_below(uint32_t a, uint32_t b)
{
    return 0u - ((a - b) >> 31);
}

static inline float clipc_float_from_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t magnitude = (uint32_t)(half & 0x7FFFu) << 13;
    const uint32_t is_subnormal = clipc_mask_below(magnitude, 1u << 23); /* or zero */
    const uint32_t is_finite = clipc_mask_below(magnitude, 31u << 23);
    /* Exponents have another bias; that of infinity and NaN is the largest there, too. */
    const uint32_t normal = magnitude + (112u << 23) + (~is_finite & (112u << 23));
    /* m * 2^-24: that above 2^-14, the mantissa is m. */
    const float subnormal = clipc_float_from_bits(magnitude + (113u << 23)) - 0x1p-14f;

    return clipc_float_from_bits(sign | (clipc_bits_from_float(subnormal) & is_subnormal) |
                                 (normal & ~is_subnormal));
}

static inline uint16_t clipc_f16_from_float(float value)
{
    const uint32_t bits = clipc_bits_from_float(value);
    const uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
    const uint32_t magnitude = bits & 0x7FFFFFFFu;

    if (magnitude > 0x7F800000u)
        return (uint16_t)(sign | 0x7E00u);
    if (magnitude >= 0x477FF000u) /* rounds past 65504 */
        return (uint16_t)(sign | 0x7C00u);
    if (magnitude <
        0x38800000u) { /* below 2^-14: adding 0.5 leaves the rounded multiple of 2^-24 */
        float shifted = clipc_float_from_bits(magnitude) + 0.5f;
        return (uint16_t)(sign | (clipc_bits_from_float(shifted) - 0x3F000000u));
    }
    return (uint16_t)(sign | ((magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13));
}

#endif
