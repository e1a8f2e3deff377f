/* SPDX-License-Identifier: MIT */
/* torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...) read as a description. */
#include "checkpoint/storage.h"

#include "base/sizes.h"
#include "base/status.h"

#include <string.h>

static const struct {
    const char *name;
    clipc_element element;
} storage_types[] = {
    {"torch.FloatStorage", CLIPC_ELEMENT_F32},     {"torch.HalfStorage", CLIPC_ELEMENT_F16},
    {"torch.BFloat16Storage", CLIPC_ELEMENT_BF16}, {"torch.DoubleStorage", CLIPC_ELEMENT_F64},
    {"torch.CharStorage", CLIPC_ELEMENT_I8},       {"torch.ByteStorage", CLIPC_ELEMENT_U8},
    {"torch.ShortStorage", CLIPC_ELEMENT_I16},     {"torch.IntStorage", CLIPC_ELEMENT_I32},
    {"torch.LongStorage", CLIPC_ELEMENT_I64},      {"torch.BoolStorage", CLIPC_ELEMENT_BOOL},
};

static bool storage_element(const clipc_pickle_value *type, clipc_element *out)
{
    for (size_t i = 0; i < sizeof(storage_types) / sizeof(storage_types[0]); i++)
        if (clipc_pickle_is_global(type, storage_types[i].name)) {
            *out = storage_types[i].element;
            return true;
        }
    return false;
}

bool clipc_storage_from_value(const clipc_pickle_value *value, clipc_storage *out)
{
    const clipc_pickle_value *id, *key, *count;

    if (!value || value->kind != CLIPC_PICKLE_PERSISTENT)
        return false;
    id = value->items[0];
    /*
     * A sixth item, in the oldest files, tells of a view of another storage: None in state dicts.
     */
    if (id->kind != CLIPC_PICKLE_TUPLE || id->count < 5 || id->count > 6 ||
        (id->count == 6 && id->items[5]->kind != CLIPC_PICKLE_NONE) ||
        !clipc_pickle_is_text(id->items[0], "storage") ||
        !storage_element(id->items[1], &out->element))
        return false;
    key = id->items[2];
    count = id->items[4];
    if (key->kind != CLIPC_PICKLE_TEXT || count->kind != CLIPC_PICKLE_INTEGER || count->integer < 0)
        return false;
    out->key = key->text.bytes;
    out->key_length = key->text.length;
    out->count = (uint64_t)count->integer;
    return true;
}

/* Steps from a parameter to its tensor: _rebuild_parameter(data, requires_grad, hooks). */
static const clipc_pickle_value *rebuild_call(const clipc_pickle_value *value)
{
    for (int wrapped = 0; wrapped < 2; wrapped++) {
        const clipc_pickle_value *arguments;

        if (!value || value->kind != CLIPC_PICKLE_OBJECT)
            return NULL;
        arguments = value->items[1];
        if (clipc_pickle_is_global(value->items[0], "torch._utils._rebuild_tensor_v2") ||
            clipc_pickle_is_global(value->items[0], "torch._utils._rebuild_tensor"))
            return value;
        if (!clipc_pickle_is_global(value->items[0], "torch._utils._rebuild_parameter") ||
            arguments->count < 1)
            return NULL;
        value = arguments->items[0];
    }
    return NULL;
}

bool clipc_is_tensor_value(const clipc_pickle_value *value)
{
    return rebuild_call(value) != NULL;
}

/* A tuple of whole numbers that are not negative. */
static bool read_extents(const clipc_pickle_value *tuple, uint64_t *out, uint32_t *count)
{
    if (tuple->kind != CLIPC_PICKLE_TUPLE || tuple->count > CLIPC_TENSOR_MAX_RANK)
        return false;
    for (size_t i = 0; i < tuple->count; i++) {
        if (tuple->items[i]->kind != CLIPC_PICKLE_INTEGER || tuple->items[i]->integer < 0)
            return false;
        out[i] = (uint64_t)tuple->items[i]->integer;
    }
    *count = (uint32_t)tuple->count;
    return true;
}

/*
 * Whether every element of the view lies in a storage of `count` elements. A view with more
 * elements than its storage (strides of zero) is refused too: its memory would not be bounded by
 * the file.
 */
static bool is_inside(const clipc_stored_tensor *tensor, uint64_t offset, uint64_t count)
{
    uint64_t last = offset;
    size_t elements;

    if (!clipc_product_size(tensor->shape, tensor->rank, &elements) || elements > count)
        return false;
    if (elements == 0)
        return offset <= count;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        uint64_t reach;

        if (__builtin_mul_overflow(tensor->shape[i] - 1, tensor->stride[i], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return false;
    }
    return last < count;
}

clipc_status clipc_add_tensor_value(clipc_contents *contents, const clipc_pickle_value *value,
                                    const char *name, const clipc_storage_source *storages,
                                    const char *source, clipc_error *error)
{
    const clipc_pickle_value *arguments = rebuild_call(value)->items[1];
    clipc_stored_tensor tensor = {.name = name};
    clipc_storage storage;
    const uint8_t *bytes;
    uint64_t size = 0, offset, needed;
    uint32_t strides;

    if (arguments->count < 4 || !clipc_storage_from_value(arguments->items[0], &storage) ||
        arguments->items[1]->kind != CLIPC_PICKLE_INTEGER || arguments->items[1]->integer < 0 ||
        !read_extents(arguments->items[2], tensor.shape, &tensor.rank) ||
        !read_extents(arguments->items[3], tensor.stride, &strides) || strides != tensor.rank)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: tensor %s is not described as PyTorch does", source, name);
    tensor.element = storage.element;
    offset = (uint64_t)arguments->items[1]->integer;
    bytes = storages->find(storages->context, &storage, &size);
    if (!bytes)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: the file does not hold the data of tensor %s, or packed", source,
                          name);
    if (__builtin_mul_overflow(storage.count, clipc_element_size(storage.element), &needed) ||
        needed > size || !is_inside(&tensor, offset, storage.count))
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: tensor %s reaches outside its %llu bytes",
                          source, name, (unsigned long long)size);
    tensor.data = bytes + offset * clipc_element_size(storage.element);
    return clipc_contents_add(contents, &tensor, source, error);
}
