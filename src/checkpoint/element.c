/* SPDX-License-Identifier: MIT */
/* Element types of tensors in files: sizes, names, and strided elements -> float32. */
#include "checkpoint/element.h"

#include "base/float_formats.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    size_t size;
    const char *name;
} elements[] = {
    [CLIPC_ELEMENT_F32] = {4, "float32"},   [CLIPC_ELEMENT_F16] = {2, "float16"},
    [CLIPC_ELEMENT_BF16] = {2, "bfloat16"}, [CLIPC_ELEMENT_F64] = {8, "float64"},
    [CLIPC_ELEMENT_I8] = {1, "int8"},       [CLIPC_ELEMENT_U8] = {1, "uint8"},
    [CLIPC_ELEMENT_I16] = {2, "int16"},     [CLIPC_ELEMENT_I32] = {4, "int32"},
    [CLIPC_ELEMENT_I64] = {8, "int64"},     [CLIPC_ELEMENT_BOOL] = {1, "bool"},
};

size_t clipc_element_size(clipc_element element)
{
    return elements[element].size;
}

const char *clipc_element_name(clipc_element element)
{
    return elements[element].name;
}

/* Files are little-endian. One load each, so that loops of them can be vectorised. */
static uint16_t load_16(const uint8_t *bytes)
{
    uint16_t bits;

    memcpy(&bits, bytes, sizeof(bits));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? bits : __builtin_bswap16(bits);
}

static uint32_t load_32(const uint8_t *bytes)
{
    uint32_t bits;

    memcpy(&bits, bytes, sizeof(bits));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? bits : __builtin_bswap32(bits);
}

static uint64_t load_64(const uint8_t *bytes)
{
    uint64_t bits;

    memcpy(&bits, bytes, sizeof(bits));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? bits : __builtin_bswap64(bits);
}

static float load_f64(const uint8_t *bytes)
{
    const uint64_t bits = load_64(bytes);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return (float)value;
}

static float load_one(clipc_element element, const uint8_t *bytes)
{
    switch (element) {
    case CLIPC_ELEMENT_F32: return clipc_float_from_bits(load_32(bytes));
    case CLIPC_ELEMENT_F16: return clipc_float_from_f16(load_16(bytes));
    case CLIPC_ELEMENT_BF16: return clipc_float_from_bf16(load_16(bytes));
    case CLIPC_ELEMENT_F64: return load_f64(bytes);
    case CLIPC_ELEMENT_I8: return (float)(int8_t)bytes[0];
    case CLIPC_ELEMENT_U8:
    case CLIPC_ELEMENT_BOOL: return (float)bytes[0];
    case CLIPC_ELEMENT_I16: return (float)(int16_t)load_16(bytes);
    case CLIPC_ELEMENT_I32: return (float)(int32_t)load_32(bytes);
    case CLIPC_ELEMENT_I64: return (float)(int64_t)load_64(bytes);
    }
    return 0.0f;
}

/* Dense elements of the types that checkpoints come in: loops that a compiler can vectorise. */
static bool convert_dense(clipc_element element, const uint8_t *bytes, size_t n, float *out)
{
    switch (element) {
    case CLIPC_ELEMENT_F32:
        for (size_t i = 0; i < n; i++)
            out[i] = clipc_float_from_bits(load_32(bytes + 4 * i));
        return true;
    case CLIPC_ELEMENT_F16:
        for (size_t i = 0; i < n; i++)
            out[i] = clipc_float_from_f16(load_16(bytes + 2 * i));
        return true;
    case CLIPC_ELEMENT_BF16:
        for (size_t i = 0; i < n; i++)
            out[i] = clipc_float_from_bf16(load_16(bytes + 2 * i));
        return true;
    default: return false;
    }
}

void clipc_element_convert(clipc_element element, const uint8_t *bytes, size_t stride, size_t n,
                           float *out)
{
    const size_t step = stride * clipc_element_size(element);

    if (stride == 1 && convert_dense(element, bytes, n, out))
        return;
    for (size_t i = 0; i < n; i++)
        out[i] = load_one(element, bytes + i * step);
}
