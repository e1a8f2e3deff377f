/* SPDX-License-Identifier: MIT */
/*
 * safetensors -> tensors: eight bytes of header length, a JSON header, the data. As the format
 * demands, the tensors must cover the data without gaps or overlaps.
 */
#include "base/json.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "checkpoint/contents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The format's own limit is 100 MB. CLIP's largest has 120 kB; JSON takes forty times its size. */
#define LARGEST_HEADER ((size_t)4 << 20)
#define LARGEST_EXACT 9007199254740992.0 /* 2^53: JSON numbers are doubles */

static const struct {
    const char *name;
    clipc_element element;
} element_names[] = {
    {"F32", CLIPC_ELEMENT_F32},   {"F16", CLIPC_ELEMENT_F16}, {"BF16", CLIPC_ELEMENT_BF16},
    {"F64", CLIPC_ELEMENT_F64},   {"I8", CLIPC_ELEMENT_I8},   {"U8", CLIPC_ELEMENT_U8},
    {"I16", CLIPC_ELEMENT_I16},   {"I32", CLIPC_ELEMENT_I32}, {"I64", CLIPC_ELEMENT_I64},
    {"BOOL", CLIPC_ELEMENT_BOOL},
};

typedef struct reader {
    clipc_contents *contents;
    const uint8_t *data; /* after the header */
    size_t data_size;
    const char *source;
    clipc_error *error;
} reader;

static clipc_status refuse(const reader *in, const char *tensor, const char *what)
{
    return clipc_fail(in->error, CLIPC_ERROR_FORMAT, "%s: tensor %s: %s", in->source, tensor, what);
}

static bool read_integer(const cJSON *item, uint64_t *out)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0) || item->valuedouble > LARGEST_EXACT)
        return false;
    *out = (uint64_t)item->valuedouble;
    return (double)*out == item->valuedouble;
}

static bool read_element(const cJSON *item, clipc_element *out)
{
    if (!cJSON_IsString(item))
        return false;
    for (size_t i = 0; i < sizeof(element_names) / sizeof(element_names[0]); i++)
        if (strcmp(item->valuestring, element_names[i].name) == 0) {
            *out = element_names[i].element;
            return true;
        }
    return false;
}

static bool read_shape(const cJSON *list, clipc_stored_tensor *tensor)
{
    const cJSON *item;

    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list)
    {
        if (tensor->rank == CLIPC_TENSOR_MAX_RANK ||
            !read_integer(item, &tensor->shape[tensor->rank]))
            return false;
        tensor->rank++;
    }
    return true;
}

static bool read_range(const cJSON *list, uint64_t *begin, uint64_t *end)
{
    return cJSON_IsArray(list) && cJSON_GetArraySize(list) == 2 &&
           read_integer(list->child, begin) && read_integer(list->child->next, end);
}

static void set_row_major(clipc_stored_tensor *tensor)
{
    uint64_t stride = 1;

    for (uint32_t i = tensor->rank; i > 0; i--) {
        tensor->stride[i - 1] = stride;
        stride *= tensor->shape[i - 1];
    }
}

static clipc_status add_tensor(const reader *in, const cJSON *item)
{
    clipc_stored_tensor tensor = {0};
    uint64_t begin, end;
    size_t bytes;

    if (!read_element(cJSON_GetObjectItemCaseSensitive(item, "dtype"), &tensor.element))
        return refuse(in, item->string, "its dtype is missing or none that CLIP has");
    if (!read_shape(cJSON_GetObjectItemCaseSensitive(item, "shape"), &tensor))
        return refuse(in, item->string, "its shape is no list of up to 8 extents");
    if (!read_range(cJSON_GetObjectItemCaseSensitive(item, "data_offsets"), &begin, &end) ||
        begin > end || end > in->data_size)
        return refuse(in, item->string, "its data_offsets lie outside the file");
    if (!clipc_product_size(tensor.shape, tensor.rank, &bytes) ||
        !clipc_mul_size(bytes, clipc_element_size(tensor.element), &bytes) || bytes != end - begin)
        return refuse(in, item->string, "its shape does not fill its data_offsets");
    set_row_major(&tensor);
    tensor.data = in->data + begin;
    tensor.name = clipc_contents_text(in->contents, item->string, strlen(item->string));
    if (!tensor.name)
        return clipc_fail_memory(in->error, in->source, strlen(item->string));
    return clipc_contents_add(in->contents, &tensor, in->source, in->error);
}

/* The configuration that clipc keeps in the header's free-form part. */
static clipc_status take_metadata(const reader *in, const cJSON *metadata)
{
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(metadata, CLIPC_CONFIG_KEY);

    if (!cJSON_IsString(config))
        return CLIPC_OK;
    in->contents->config =
        clipc_contents_text(in->contents, config->valuestring, strlen(config->valuestring));
    return in->contents->config ? CLIPC_OK : clipc_fail_memory(in->error, in->source, 0);
}

static size_t bytes_of(const clipc_stored_tensor *tensor)
{
    size_t count = 1;

    clipc_product_size(tensor->shape, tensor->rank, &count); /* checked when it was added */
    return count * clipc_element_size(tensor->element);
}

static int by_place(const void *a, const void *b)
{
    const clipc_stored_tensor *left = a, *right = b;
    const size_t left_size = bytes_of(left), right_size = bytes_of(right);

    if (left->data != right->data)
        return left->data < right->data ? -1 : 1;
    return (left_size > right_size) - (left_size < right_size);
}

static clipc_status check_cover(const reader *in, size_t first)
{
    const size_t count = in->contents->count - first;
    clipc_stored_tensor *tensors = count ? in->contents->tensors + first : NULL;
    const uint8_t *expected = in->data;

    if (count)
        qsort(tensors, count, sizeof(*tensors), by_place);
    for (size_t i = 0; i < count; i++) {
        if (tensors[i].data != expected)
            return refuse(in, tensors[i].name, "its data overlaps another's, or leaves a gap");
        expected += bytes_of(&tensors[i]);
    }
    if (expected != in->data + in->data_size)
        return clipc_fail(in->error, CLIPC_ERROR_FORMAT,
                          "%s: its tensors take %zu bytes, but %zu follow its header", in->source,
                          (size_t)(expected - in->data), in->data_size);
    return CLIPC_OK;
}

static clipc_status read_header(const reader *in, const cJSON *root)
{
    const size_t first = in->contents->count;
    const cJSON *item;

    if (!cJSON_IsObject(root))
        return clipc_fail(in->error, CLIPC_ERROR_FORMAT,
                          "%s: its safetensors header is no JSON object", in->source);
    cJSON_ArrayForEach(item, root)
    {
        clipc_status status = strcmp(item->string, "__metadata__") == 0 ? take_metadata(in, item)
                                                                        : add_tensor(in, item);

        if (status)
            return status;
    }
    return check_cover(in, first);
}

clipc_status clipc_read_safetensors(clipc_contents *contents, const uint8_t *bytes, size_t size,
                                    const char *source, clipc_error *error)
{
    reader in = {.contents = contents, .source = source, .error = error};
    uint64_t header_size = 0;
    cJSON *root;
    clipc_status status;

    for (size_t i = 0; i < 8 && i < size; i++)
        header_size |= (uint64_t)bytes[i] << (8 * i);
    if (size < 8 || header_size > size - 8)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: its safetensors header has %llu bytes, the file only %zu", source,
                          (unsigned long long)header_size, size);
    if (header_size > LARGEST_HEADER)
        return clipc_fail(error, CLIPC_ERROR_LIMIT,
                          "%s: its safetensors header has %llu bytes, at most %zu are read", source,
                          (unsigned long long)header_size, LARGEST_HEADER);
    in.data = bytes + 8 + header_size;
    in.data_size = size - 8 - (size_t)header_size;
    status = clipc_json_parse(&root, bytes + 8, (size_t)header_size, source,
                              "its safetensors header", error);
    if (status)
        return status;
    contents->format = "safetensors";
    status = read_header(&in, root);
    cJSON_Delete(root);
    return status;
}
