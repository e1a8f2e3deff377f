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

static inline float clipc_float_from_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t exponent = (half >> 10) & 0x1Fu;
    const uint32_t mantissa = half & 0x3FFu;

    if (exponent == 0x1F)
        return clipc_float_from_bits(sign | 0x7F800000u | (mantissa << 13));
    if (exponent == 0) { /* zero or subnormal: mantissa * 2^-24, exact in float32 */
        float magnitude = (float)mantissa * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return clipc_float_from_bits(sign | ((exponent + 112u) << 23) | (mantissa << 13));
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
