/* SPDX-License-Identifier: MIT */
/* Tensors in the form in which they are used -> .clipc: prefix, JSON header, pages of data. */
#include "base/atomic_file.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "checkpoint/packed.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Data are dealt with in pieces of this size, after each of which may be cancelled. */
#define PIECE ((size_t)1 << 20)

typedef struct writer {
    const char *path;
    const clipc_packed_source *tensors;
    size_t count;
    size_t *offsets;     /* [count], from the beginning of the data */
    uint32_t *checksums; /* [count] */
    clipc_atomic_file *file;
    uint64_t done, total;
    clipc_packed_progress_fn progress;
    void *progress_data;
    clipc_error *error;
} writer;

/* --- Places and checksums --- */

static void lay_out(writer *w)
{
    size_t end = 0;

    for (size_t i = 0; i < w->count; i++) {
        const clipc_packed_source *tensor = &w->tensors[i];

        if (!tensor->packed.data)
            continue;
        w->offsets[i] = clipc_round_up(end, tensor->begins_section ? CLIPC_PACKED_PAGE
                                                                   : CLIPC_PACKED_ALIGNMENT);
        end = w->offsets[i] + tensor->packed.bytes;
        w->total += 2 * (uint64_t)tensor->packed.bytes;
    }
}

static clipc_status advance(writer *w, size_t bytes)
{
    w->done += bytes;
    /* Halves: everything passes twice, but the caller counts bytes of the file. */
    if (w->progress && w->progress(w->progress_data, w->done / 2, w->total / 2))
        return clipc_fail(w->error, CLIPC_ERROR_CANCELLED, "%s: cancelled", w->path);
    return CLIPC_OK;
}

/* Hands a tensor's data on in pieces: into the file, or (sum: not NULL) into its checksum. */
static clipc_status pass(writer *w, const clipc_packed_tensor *packed, uint32_t *sum)
{
    clipc_status status = CLIPC_OK;

    for (size_t at = 0; !status && at < packed->bytes; at += PIECE) {
        const size_t size = clipc_min_size(PIECE, packed->bytes - at);

        if (sum)
            *sum = (uint32_t)crc32_z(*sum, packed->data + at, size);
        else
            status = clipc_atomic_file_write(w->file, packed->data + at, size, w->error);
        if (!status)
            status = advance(w, size);
    }
    return status;
}

/* --- The header --- */

/* Whole numbers as they are: cJSON writes large doubles in exponents. */
static bool add_integer(cJSON *object, const char *name, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    return cJSON_AddRawToObject(object, name, digits);
}

static bool add_shape(cJSON *item, const clipc_packed_source *tensor)
{
    cJSON *shape = cJSON_AddArrayToObject(item, "shape");
    bool is_made = shape;

    for (uint32_t i = 0; is_made && i < tensor->rank; i++)
        is_made = cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensor->shape[i]));
    return is_made;
}

/* Nine digits: a float32 read back is the same. */
static bool add_value(cJSON *item, float value)
{
    char digits[32];

    snprintf(digits, sizeof(digits), "%.9g", (double)value);
    return cJSON_AddRawToObject(item, "value", digits);
}

static bool add_tensor(cJSON *list, const clipc_packed_source *tensor, size_t offset,
                       uint32_t checksum)
{
    const clipc_packed_tensor *packed = &tensor->packed;
    cJSON *item = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(list, item) || !cJSON_AddStringToObject(item, "name", tensor->name) ||
        !cJSON_AddStringToObject(item, "role", packed->role) || !add_shape(item, tensor) ||
        !cJSON_AddStringToObject(item, "form", clipc_packed_form_name(packed->form)))
        return false;
    if (packed->form == CLIPC_PACKED_INLINE)
        return add_value(item, tensor->value);
    if ((packed->form == CLIPC_PACKED_PANELS || packed->form == CLIPC_PACKED_WINOGRAD) &&
        !cJSON_AddStringToObject(item, "dtype", clipc_packed_dtype_name(packed->dtype)))
        return false;
    return !packed->data ||
           (add_integer(item, "offset", offset) && add_integer(item, "bytes", packed->bytes) &&
            add_integer(item, "crc32", checksum));
}

static bool add_tokenizer(cJSON *root, const clipc_packed_header *header)
{
    cJSON *tokenizer = cJSON_AddObjectToObject(root, "tokenizer");

    return tokenizer && cJSON_AddStringToObject(tokenizer, "name", header->tokenizer) &&
           add_integer(tokenizer, "vocab_size", header->vocab_size) &&
           add_integer(tokenizer, "context_length", header->context_length) &&
           cJSON_AddStringToObject(tokenizer, "merges_sha256", header->merges_sha256);
}

static bool add_layout(cJSON *panels, clipc_dtype dtype, const clipc_panel_layout *layout)
{
    cJSON *object;

    if (layout->columns == 0)
        return true;
    object = cJSON_AddObjectToObject(panels, clipc_packed_dtype_name(dtype));
    return object && add_integer(object, "columns", layout->columns) &&
           add_integer(object, "depth_step", layout->depth_step) &&
           add_integer(object, "depth_group", layout->depth_group) &&
           add_integer(object, "header", layout->header) &&
           cJSON_AddBoolToObject(object, "column_sums", layout->has_column_sums);
}

static bool add_panels(cJSON *root, const clipc_packed_header *header)
{
    cJSON *panels = cJSON_AddObjectToObject(root, "panels");
    bool is_made = panels;

    for (int dtype = 0; is_made && dtype <= CLIPC_DTYPE_INT8; dtype++)
        is_made = add_layout(panels, (clipc_dtype)dtype, &header->panels[dtype]);
    return is_made;
}

static bool add_tensors(cJSON *root, const writer *w)
{
    cJSON *list = cJSON_AddArrayToObject(root, "tensors");
    bool is_made = list;

    for (size_t i = 0; is_made && i < w->count; i++)
        is_made = add_tensor(list, &w->tensors[i], w->offsets[i], w->checksums[i]);
    return is_made;
}

/* free(); NULL when out of memory. */
static char *make_header(const writer *w, const clipc_packed_header *header)
{
    cJSON *root = cJSON_CreateObject();
    char *json = NULL;

    if (root && cJSON_AddStringToObject(root, "writer", "clipc " CLIPC_VERSION_STRING) &&
        cJSON_AddRawToObject(root, "config", header->config) && add_tokenizer(root, header) &&
        cJSON_AddStringToObject(root, "dtype", clipc_packed_dtype_name(header->dtype)) &&
        cJSON_AddStringToObject(root, "cpu", header->cpu) && add_panels(root, header) &&
        add_tensors(root, w))
        json = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return json;
}

/* --- The file --- */

static clipc_status write_prefix(writer *w, const char *json, size_t size)
{
    uint8_t prefix[CLIPC_PACKED_PREFIX] = CLIPC_PACKED_MAGIC;
    const uint64_t fields[] = {CLIPC_PACKED_VERSION, crc32_z(0, (const uint8_t *)json, size), size};
    size_t at = sizeof(CLIPC_PACKED_MAGIC) - 1;

    for (size_t i = 0; i < 3; i++)
        for (size_t byte = 0; byte < (i < 2 ? 4 : 8); byte++)
            prefix[at++] = (uint8_t)(fields[i] >> 8 * byte);
    return clipc_atomic_file_write(w->file, prefix, sizeof(prefix), w->error);
}

static clipc_status write_zeros(writer *w, size_t count)
{
    static const uint8_t zeros[4096];
    clipc_status status = CLIPC_OK;

    for (size_t put = 0; !status && count > 0; count -= put) {
        put = clipc_min_size(count, sizeof(zeros));
        status = clipc_atomic_file_write(w->file, zeros, put, w->error);
    }
    return status;
}

static clipc_status write_file(writer *w, const char *json)
{
    const size_t size = strlen(json), start = CLIPC_PACKED_PREFIX + size;
    size_t end = 0;
    clipc_status status = write_prefix(w, json, size);

    if (!status)
        status = clipc_atomic_file_write(w->file, json, size, w->error);
    if (!status)
        status = write_zeros(w, clipc_round_up(start, CLIPC_PACKED_PAGE) - start);
    for (size_t i = 0; !status && i < w->count; i++) {
        const clipc_packed_tensor *packed = &w->tensors[i].packed;

        if (!packed->data)
            continue;
        status = write_zeros(w, w->offsets[i] - end);
        if (!status)
            status = pass(w, packed, NULL);
        end = w->offsets[i] + packed->bytes;
    }
    return status;
}

static clipc_status save(writer *w, const clipc_packed_header *header)
{
    char *json;
    clipc_status status = CLIPC_OK;

    lay_out(w);
    for (size_t i = 0; !status && i < w->count; i++)
        status = pass(w, &w->tensors[i].packed, &w->checksums[i]);
    if (status)
        return status;
    json = make_header(w, header);
    if (!json)
        return clipc_fail_memory(w->error, w->path, w->count);
    status = clipc_atomic_file_open(&w->file, w->path, w->error);
    if (!status) {
        status = write_file(w, json);
        if (status)
            clipc_atomic_file_abandon(w->file);
        else
            status = clipc_atomic_file_commit(w->file, w->error);
    }
    cJSON_free(json);
    return status;
}

clipc_status clipc_save_packed(const char *path, const clipc_packed_header *header,
                               const clipc_packed_source *tensors, size_t count,
                               clipc_packed_progress_fn progress, void *progress_data,
                               clipc_error *error)
{
    writer w = {
        .path = path,
        .tensors = tensors,
        .count = count,
        .offsets = clipc_calloc(count, sizeof(*w.offsets)),
        .checksums = clipc_calloc(count, sizeof(*w.checksums)),
        .progress = progress,
        .progress_data = progress_data,
        .error = error,
    };
    clipc_status status = w.offsets && w.checksums
                              ? save(&w, header)
                              : clipc_fail_memory(error, path, count * sizeof(*w.offsets));

    free(w.offsets);
    free(w.checksums);
    return status;
}
