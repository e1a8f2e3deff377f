/* SPDX-License-Identifier: MIT */
/* Choosing the format of a checkpoint to write, and turning float32 into stored elements. */
#include "checkpoint/save.h"

#include "base/float_formats.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* Tensors are converted through buffers of about this many values. */
#define BUFFER_VALUES ((size_t)1 << 18)

static bool ends_with(const char *path, const char *ending)
{
    const size_t length = strlen(path), ending_length = strlen(ending);

    return length > ending_length && strcmp(path + length - ending_length, ending) == 0;
}

size_t clipc_save_size(const clipc_save_tensor *tensor)
{
    size_t count = 1;

    clipc_product_size(tensor->shape, tensor->rank, &count); /* fits: it came from a checkpoint */
    return count * clipc_element_size(tensor->element);
}

static void store(clipc_element element, float value, uint8_t *out)
{
    uint64_t bits;

    switch (element) {
    case CLIPC_ELEMENT_F16: bits = clipc_f16_from_float(value); break;
    case CLIPC_ELEMENT_BF16: bits = clipc_bf16_from_float(value); break;
    case CLIPC_ELEMENT_I64: bits = (uint64_t)(int64_t)value; break;
    default: bits = clipc_bits_from_float(value); break;
    }
    for (size_t i = 0; i < clipc_element_size(element); i++)
        out[i] = (uint8_t)(bits >> 8 * i);
}

clipc_status clipc_save_emit(const clipc_save_tensor *tensor, clipc_save_sink sink, void *context,
                             clipc_error *error)
{
    const size_t size = clipc_element_size(tensor->element);
    const uint64_t rows = tensor->rank ? tensor->shape[0] : 1;
    const size_t width = rows ? clipc_save_size(tensor) / size / (size_t)rows : 0;
    const size_t step =
        width ? clipc_min_size(clipc_max_size(BUFFER_VALUES / width, 1), (size_t)rows) : 1;
    float *values = clipc_calloc(step, clipc_max_size(width, 1) * sizeof(*values));
    uint8_t *bytes = clipc_calloc(step, clipc_max_size(width, 1) * size);
    clipc_status status =
        values && bytes ? CLIPC_OK : clipc_fail_memory(error, tensor->name, step * width);

    for (uint64_t row = 0; !status && row < rows; row += step) {
        const size_t count = clipc_min_size(step, (size_t)(rows - row));

        status = tensor->read(tensor->context, row, count, values, error);
        if (status)
            break;
        for (size_t i = 0; i < count * width; i++)
            store(tensor->element, values[i], bytes + i * size);
        status = sink(context, bytes, count * width * size, error);
    }
    free(values);
    free(bytes);
    return status;
}

clipc_status clipc_save_tensors(const char *path, const clipc_save_tensor *tensors, size_t count,
                                const char *config, clipc_error *error)
{
    const bool is_safetensors = ends_with(path, ".safetensors");
    clipc_atomic_file *file;
    clipc_status status;

    if (!is_safetensors && !ends_with(path, ".pt") && !ends_with(path, ".pth") &&
        !ends_with(path, ".bin"))
        return clipc_fail(
            error, CLIPC_ERROR_ARGUMENT,
            "%s: its ending does not tell the format; .safetensors, .clipc, .pt, .pth or "
            ".bin was expected",
            path);
    status = clipc_atomic_file_open(&file, path, error);
    if (status)
        return status;
    status = is_safetensors ? clipc_save_safetensors(file, tensors, count, config, error)
                            : clipc_save_torch(file, tensors, count, error);
    if (status) {
        clipc_atomic_file_abandon(file);
        return status;
    }
    return clipc_atomic_file_commit(file, error);
}
