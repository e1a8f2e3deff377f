/* SPDX-License-Identifier: MIT */
/* Tensors -> safetensors: header length, JSON header, the data in the same order. */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "checkpoint/contents.h"
#include "checkpoint/save.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_ALIGNMENT 8

static const char *element_name(clipc_element element)
{
    switch (element) {
    case CLIPC_ELEMENT_F16: return "F16";
    case CLIPC_ELEMENT_BF16: return "BF16";
    case CLIPC_ELEMENT_I64: return "I64";
    default: return "F32";
    }
}

/* Whole numbers as they are: cJSON writes large doubles in exponents. */
static bool add_integer(cJSON *array, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    return cJSON_AddItemToArray(array, cJSON_CreateRaw(digits));
}

static bool add_tensor(cJSON *root, const clipc_save_tensor *tensor, uint64_t begin)
{
    cJSON *item = cJSON_AddObjectToObject(root, tensor->name);
    cJSON *shape, *range;

    if (!item || !cJSON_AddStringToObject(item, "dtype", element_name(tensor->element)))
        return false;
    shape = cJSON_AddArrayToObject(item, "shape");
    for (uint32_t i = 0; shape && i < tensor->rank; i++)
        if (!add_integer(shape, tensor->shape[i]))
            return false;
    range = cJSON_AddArrayToObject(item, "data_offsets");
    return shape && range && add_integer(range, begin) &&
           add_integer(range, begin + clipc_save_size(tensor));
}

static bool add_metadata(cJSON *root, const char *config)
{
    cJSON *metadata = cJSON_AddObjectToObject(root, "__metadata__");

    /* "pt" is what PyTorch's readers look for. */
    return metadata && cJSON_AddStringToObject(metadata, "format", "pt") &&
           (!config || cJSON_AddStringToObject(metadata, CLIPC_CONFIG_KEY, config));
}

/* The header, padded with spaces so that the data are aligned; NULL when out of memory. */
static char *make_header(const clipc_save_tensor *tensors, size_t count, const char *config,
                         size_t *size)
{
    cJSON *root = cJSON_CreateObject();
    bool is_made = root && add_metadata(root, config);
    uint64_t begin = 0;
    char *json, *header = NULL;

    for (size_t i = 0; is_made && i < count; i++) {
        is_made = add_tensor(root, &tensors[i], begin);
        begin += clipc_save_size(&tensors[i]);
    }
    json = is_made ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    if (json) {
        *size = clipc_round_up(strlen(json), HEADER_ALIGNMENT);
        header = clipc_calloc(*size + 1, 1);
    }
    if (header)
        snprintf(header, *size + 1, "%-*s", (int)*size, json);
    cJSON_free(json);
    return header;
}

static clipc_status write_bytes(void *file, const void *bytes, size_t size, clipc_error *error)
{
    return clipc_atomic_file_write(file, bytes, size, error);
}

clipc_status clipc_save_safetensors(clipc_atomic_file *file, const clipc_save_tensor *tensors,
                                    size_t count, const char *config, clipc_error *error)
{
    size_t size = 0;
    char *header = make_header(tensors, count, config, &size);
    uint8_t length[8];
    clipc_status status;

    if (!header)
        return clipc_fail_memory(error, "safetensors header", size);
    for (size_t i = 0; i < sizeof(length); i++)
        length[i] = (uint8_t)((uint64_t)size >> 8 * i);
    status = clipc_atomic_file_write(file, length, sizeof(length), error);
    if (!status)
        status = clipc_atomic_file_write(file, header, size, error);
    free(header);
    for (size_t i = 0; !status && i < count; i++)
        status = clipc_save_emit(&tensors[i], write_bytes, file, error);
    return status;
}
