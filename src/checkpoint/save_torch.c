/* SPDX-License-Identifier: MIT */
/*
 * Tensors -> what torch.save writes for a state dict: a zip archive with data.pkl and data/0, 1,
 * ...
 */
#include "base/status.h"
#include "checkpoint/save.h"
#include "checkpoint/zip_writer.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "archive/"

/* --- The pickle (protocol 2) --- */

static void pickle_text(clipc_byte_buffer *out, const char *text)
{
    clipc_buffer_append_byte(out, 'X');
    clipc_buffer_append_uint(out, strlen(text), 4);
    clipc_buffer_append_text(out, text);
}

static void pickle_integer(clipc_byte_buffer *out, uint64_t value)
{
    if (value <= INT32_MAX) {
        clipc_buffer_append_byte(out, 'J');
        clipc_buffer_append_uint(out, value, 4);
        return;
    }
    clipc_buffer_append_byte(out, 0x8A); /* nine bytes, so that the sign is plus */
    clipc_buffer_append_byte(out, 9);
    clipc_buffer_append_uint(out, value, 8);
    clipc_buffer_append_byte(out, 0);
}

static void pickle_tuple(clipc_byte_buffer *out, const uint64_t *values, uint32_t count)
{
    clipc_buffer_append_byte(out, '(');
    for (uint32_t i = 0; i < count; i++)
        pickle_integer(out, values[i]);
    clipc_buffer_append_byte(out, 't');
}

static const char *storage_type(clipc_element element)
{
    switch (element) {
    case CLIPC_ELEMENT_F16: return "HalfStorage";
    case CLIPC_ELEMENT_BF16: return "BFloat16Storage";
    case CLIPC_ELEMENT_I64: return "LongStorage";
    default: return "FloatStorage";
    }
}

static void pickle_global(clipc_byte_buffer *out, const char *module, const char *name)
{
    clipc_buffer_append_byte(out, 'c');
    clipc_buffer_append_text(out, module);
    clipc_buffer_append_byte(out, '\n');
    clipc_buffer_append_text(out, name);
    clipc_buffer_append_byte(out, '\n');
}

static void pickle_ordered_dict(clipc_byte_buffer *out)
{
    pickle_global(out, "collections", "OrderedDict");
    clipc_buffer_append_text(out, ")R");
}

/* _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()) */
static void pickle_tensor(clipc_byte_buffer *out, const clipc_save_tensor *tensor, size_t index)
{
    uint64_t strides[CLIPC_TENSOR_MAX_RANK], count = 1;
    char key[24];

    for (uint32_t i = tensor->rank; i > 0; i--) {
        strides[i - 1] = count;
        count *= tensor->shape[i - 1];
    }
    snprintf(key, sizeof(key), "%zu", index);
    pickle_global(out, "torch._utils", "_rebuild_tensor_v2");
    clipc_buffer_append_text(out, "((");
    pickle_text(out, "storage");
    pickle_global(out, "torch", storage_type(tensor->element));
    pickle_text(out, key);
    pickle_text(out, "cpu");
    pickle_integer(out, count);
    clipc_buffer_append_text(out, "tQ");
    pickle_integer(out, 0);
    pickle_tuple(out, tensor->shape, tensor->rank);
    pickle_tuple(out, strides, tensor->rank);
    clipc_buffer_append_byte(out, 0x89); /* False */
    pickle_ordered_dict(out);
    clipc_buffer_append_text(out, "tR");
}

static void pickle_state_dict(clipc_byte_buffer *out, const clipc_save_tensor *tensors,
                              size_t count)
{
    clipc_buffer_append_byte(out, 0x80);
    clipc_buffer_append_byte(out, 2);
    pickle_ordered_dict(out);
    clipc_buffer_append_byte(out, '(');
    for (size_t i = 0; i < count; i++) {
        pickle_text(out, tensors[i].name);
        pickle_tensor(out, &tensors[i], i);
    }
    clipc_buffer_append_text(out, "u.");
}

/* --- The archive --- */

static clipc_status write_record(clipc_zip_writer *zip, const char *name, const void *bytes,
                                 size_t size, clipc_error *error)
{
    clipc_status status = clipc_zip_writer_begin(zip, name, size, error);

    if (!status)
        status = clipc_zip_writer_write(zip, bytes, size, error);
    return status ? status : clipc_zip_writer_end(zip, error);
}

static clipc_status write_to_zip(void *zip, const void *bytes, size_t size, clipc_error *error)
{
    return clipc_zip_writer_write(zip, bytes, size, error);
}

static clipc_status write_tensor(clipc_zip_writer *zip, const clipc_save_tensor *tensor,
                                 size_t index, clipc_error *error)
{
    char name[48];
    clipc_status status;

    snprintf(name, sizeof(name), PREFIX "data/%zu", index);
    status = clipc_zip_writer_begin(zip, name, clipc_save_size(tensor), error);
    if (!status)
        status = clipc_save_emit(tensor, write_to_zip, zip, error);
    return status ? status : clipc_zip_writer_end(zip, error);
}

static clipc_status write_archive(clipc_zip_writer *zip, const clipc_save_tensor *tensors,
                                  size_t count, clipc_error *error)
{
    clipc_byte_buffer pickle = {0};
    clipc_status status;

    pickle_state_dict(&pickle, tensors, count);
    status = pickle.failed ? clipc_fail_memory(error, "state dict", pickle.size)
                           : write_record(zip, PREFIX "data.pkl", pickle.bytes, pickle.size, error);
    clipc_buffer_free(&pickle);
    if (!status)
        status = write_record(zip, PREFIX "byteorder", "little", 6, error);
    for (size_t i = 0; !status && i < count; i++)
        status = write_tensor(zip, &tensors[i], i, error);
    if (!status)
        status = write_record(zip, PREFIX "version", "3\n", 2, error);
    return status ? status : clipc_zip_writer_finish(zip, error);
}

clipc_status clipc_save_torch(clipc_atomic_file *file, const clipc_save_tensor *tensors,
                              size_t count, clipc_error *error)
{
    clipc_zip_writer zip = {.file = file};
    clipc_status status = write_archive(&zip, tensors, count, error);

    clipc_zip_writer_free(&zip);
    return status;
}
