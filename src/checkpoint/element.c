/* SPDX-License-Identifier: MIT */
/* Element types of tensors in files: sizes, names, and strided elements -> float32. */
#include "checkpoint/element.h"

#include "base/float_formats.h"

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

static uint64_t load(const uint8_t *bytes, size_t size)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < size; i++)
        bits |= (uint64_t)bytes[i] << (8 * i);
    return bits;
}

static float load_f64(const uint8_t *bytes)
{
    const uint64_t bits = load(bytes, 8);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return (float)value;
}

static float load_one(clipc_element element, const uint8_t *bytes)
{
    switch (element) {
    case CLIPC_ELEMENT_F32: return clipc_float_from_bits((uint32_t)load(bytes, 4));
    case CLIPC_ELEMENT_F16: return clipc_float_from_f16((uint16_t)load(bytes, 2));
    case CLIPC_ELEMENT_BF16: return clipc_float_from_bf16((uint16_t)load(bytes, 2));
    case CLIPC_ELEMENT_F64: return load_f64(bytes);
    case CLIPC_ELEMENT_I8: return (float)(int8_t)bytes[0];
    case CLIPC_ELEMENT_U8:
    case CLIPC_ELEMENT_BOOL: return (float)bytes[0];
    case CLIPC_ELEMENT_I16: return (float)(int16_t)load(bytes, 2);
    case CLIPC_ELEMENT_I32: return (float)(int32_t)load(bytes, 4);
    case CLIPC_ELEMENT_I64: return (float)(int64_t)load(bytes, 8);
    }
    return 0.0f;
}

/* The two types that checkpoints come in have loops of their own. */
void clipc_element_convert(clipc_element element, const uint8_t *bytes, size_t stride, size_t n,
                           float *out)
{
    const size_t step = stride * clipc_element_size(element);

    if (element == CLIPC_ELEMENT_F16)
        for (size_t i = 0; i < n; i++)
            out[i] = clipc_float_from_f16((uint16_t)load(bytes + i * step, 2));
    else if (element == CLIPC_ELEMENT_F32)
        for (size_t i = 0; i < n; i++)
            out[i] = clipc_float_from_bits((uint32_t)load(bytes + i * step, 4));
    else
        for (size_t i = 0; i < n; i++)
            out[i] = load_one(element, bytes + i * step);
}
