/* SPDX-License-Identifier: MIT */
/*
 * What the tests of src/checkpoint/ share: zip archives and pickles put together byte by byte, so
 * that each test can lie in the one field it is about, and what opening them must say.
 */
#ifndef CLIPC_TESTS_CHECKPOINT_BUILDER_H
#define CLIPC_TESTS_CHECKPOINT_BUILDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/byte_buffer.h"
#include "checkpoint/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define UNUSED __attribute__((unused))

/* --- Zip archives --- */

enum { MOST_ENTRIES = 8 };

/* An archive, and where its parts lie: tests patch fields at the offsets that APPNOTE.TXT gives. */
typedef struct zip_builder {
    clipc_byte_buffer bytes;
    const char *names[MOST_ENTRIES];
    size_t sizes[MOST_ENTRIES], stored[MOST_ENTRIES];
    uint32_t crcs[MOST_ENTRIES];
    unsigned methods[MOST_ENTRIES];
    size_t headers[MOST_ENTRIES]; /* of each entry's own header */
    size_t records[MOST_ENTRIES]; /* of each entry in the directory */
    size_t count, directory, end;
} zip_builder;

enum { /* offsets of fields */
       HEADER_METHOD = 8,
       HEADER_STORED_SIZE = 18,
       HEADER_NAME_LENGTH = 26,
       HEADER_SIZE = 30,
       RECORD_FLAGS = 8,
       RECORD_METHOD = 10,
       RECORD_CRC = 16,
       RECORD_STORED_SIZE = 20,
       RECORD_SIZE = 24,
       RECORD_NAME_LENGTH = 28,
       RECORD_EXTRA_LENGTH = 30,
       RECORD_OFFSET = 42,
       RECORD_LENGTH = 46,
       END_DISK = 4,
       END_ENTRIES = 10,
       END_DIRECTORY_SIZE = 12,
       END_DIRECTORY_OFFSET = 16,
       END_COMMENT_LENGTH = 20,
};

static UNUSED void patch(zip_builder *zip, size_t offset, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        zip->bytes.bytes[offset + i] = (uint8_t)(value >> 8 * i);
}

static UNUSED void zip_add_stored(zip_builder *zip, const char *name, const void *data,
                                  size_t stored_size, size_t size, uint32_t crc, unsigned method)
{
    clipc_byte_buffer *out = &zip->bytes;
    const size_t i = zip->count++;

    assert_true(i < MOST_ENTRIES);
    zip->names[i] = name;
    zip->sizes[i] = size;
    zip->stored[i] = stored_size;
    zip->crcs[i] = crc;
    zip->methods[i] = method;
    zip->headers[i] = out->size;
    clipc_buffer_append_uint(out, 0x04034B50, 4);
    clipc_buffer_append_uint(out, 20, 2 + 2); /* version, flags */
    clipc_buffer_append_uint(out, method, 2);
    clipc_buffer_append_uint(out, 0, 2 + 2); /* time, date */
    clipc_buffer_append_uint(out, crc, 4);
    clipc_buffer_append_uint(out, stored_size, 4);
    clipc_buffer_append_uint(out, size, 4);
    clipc_buffer_append_uint(out, strlen(name), 2);
    clipc_buffer_append_uint(out, 0, 2);
    clipc_buffer_append_text(out, name);
    clipc_buffer_append(out, data, stored_size);
}

static UNUSED void zip_add(zip_builder *zip, const char *name, const void *data, size_t size)
{
    zip_add_stored(zip, name, data, size, size, (uint32_t)crc32_z(0, data, size), 0);
}

static UNUSED void zip_add_text(zip_builder *zip, const char *name, const char *text)
{
    zip_add(zip, name, text, strlen(text));
}

static UNUSED void zip_add_deflated(zip_builder *zip, const char *name, const void *data,
                                    size_t size)
{
    const uLong bound = compressBound((uLong)size) + 32;
    uint8_t *packed = malloc(bound);
    z_stream stream = {0};

    assert_non_null(packed);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    stream.next_out = packed;
    stream.avail_out = (uInt)bound;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    zip_add_stored(zip, name, packed, stream.total_out, size, (uint32_t)crc32_z(0, data, size), 8);
    deflateEnd(&stream);
    free(packed);
}

static UNUSED void zip_finish(zip_builder *zip)
{
    clipc_byte_buffer *out = &zip->bytes;

    zip->directory = out->size;
    for (size_t i = 0; i < zip->count; i++) {
        zip->records[i] = out->size;
        clipc_buffer_append_uint(out, 0x02014B50, 4);
        clipc_buffer_append_uint(out, 20, 2);
        clipc_buffer_append_uint(out, 20, 2 + 2); /* version, flags */
        clipc_buffer_append_uint(out, zip->methods[i], 2);
        clipc_buffer_append_uint(out, 0, 2 + 2); /* time, date */
        clipc_buffer_append_uint(out, zip->crcs[i], 4);
        clipc_buffer_append_uint(out, zip->stored[i], 4);
        clipc_buffer_append_uint(out, zip->sizes[i], 4);
        clipc_buffer_append_uint(out, strlen(zip->names[i]), 2);
        clipc_buffer_append_uint(out, 0, 8); /* extra, comment, disk, inner attributes */
        clipc_buffer_append_uint(out, 0, 4); /* outer attributes */
        clipc_buffer_append_uint(out, zip->headers[i], 4);
        clipc_buffer_append_text(out, zip->names[i]);
    }
    zip->end = out->size;
    clipc_buffer_append_uint(out, 0x06054B50, 4);
    clipc_buffer_append_uint(out, 0, 4); /* disks */
    clipc_buffer_append_uint(out, zip->count, 2);
    clipc_buffer_append_uint(out, zip->count, 2);
    clipc_buffer_append_uint(out, zip->end - zip->directory, 4);
    clipc_buffer_append_uint(out, zip->directory, 4);
    clipc_buffer_append_uint(out, 0, 2); /* comment */
    assert_false(out->failed);
}

/* An archive as torch.save makes it: a pickle and one storage, "0". */
static UNUSED zip_builder torch_archive(const char *pickle, const void *storage, size_t size)
{
    zip_builder zip = {0};

    zip_add_text(&zip, "a/data.pkl", pickle);
    zip_add(&zip, "a/data/0", storage, size);
    zip_finish(&zip);
    return zip;
}

/* --- Pickles, in protocol 0, which has no NUL bytes --- */

#define PICKLED_STORAGE(type, count) "(Vstorage\nctorch\n" type "\nV0\nVcuda:0\nI" count "\ntQ"

/* offset, shape and strides as pickled integers: "I2\nI3\n". */
#define PICKLED_VIEW(storage, offset, shape, strides)                                              \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage "I" offset "\n(" shape "t(" strides             \
    "tI00\nccollections\nOrderedDict\n)RtR"

/* {"t": a view of a storage of `count` float32} */
#define PICKLED_STATE_DICT(count, offset, shape, strides)                                          \
    "}Vt\n" PICKLED_VIEW(PICKLED_STORAGE("FloatStorage", count), offset, shape, strides) "s."

/* --- Opening --- */

static const clipc_checkpoint_options test_limits = {.max_weight_bytes = (uint64_t)1 << 30};

/* A copy in a block of its own size, so that a sanitizer sees a read past the end. free(). */
static UNUSED uint8_t *exact_copy(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

static UNUSED void assert_message(const clipc_error *error, const char *source, const char *text)
{
    const size_t length = strlen(source);

    if (strncmp(error->message, source, length) != 0 || error->message[length] != ':' ||
        !strstr(error->message, text) || strchr(error->message, '\n'))
        fail_msg("message \"%s\", expected \"%s: ...%s...\"", error->message, source, text);
}

/* Opening must fail with this status and this text in the message. */
static UNUSED void assert_refused(const void *bytes, size_t size, clipc_status status,
                                  const char *text)
{
    uint8_t *exact = exact_copy(bytes, size);
    clipc_checkpoint *checkpoint;
    clipc_error error = {.code = CLIPC_OK};
    const clipc_status found =
        clipc_checkpoint_open_memory(&checkpoint, exact, size, "file", &test_limits, &error);

    if (found != status)
        fail_msg("status %d \"%s\", expected %d \"%s\"", found, error.message, status, text);
    assert_null(checkpoint);
    assert_int_equal(error.code, status);
    assert_message(&error, "file", text);
    free(exact);
}

/* The same for an archive, which is freed. */
static UNUSED void assert_zip_refused(zip_builder *zip, clipc_status status, const char *text)
{
    assert_refused(zip->bytes.bytes, zip->bytes.size, status, text);
    clipc_buffer_free(&zip->bytes);
}

/* Opens bytes, which outlive the result, and must not fail. */
static UNUSED clipc_checkpoint *open_bytes(const void *bytes, size_t size)
{
    clipc_checkpoint *checkpoint;
    clipc_error error;

    if (clipc_checkpoint_open_memory(&checkpoint, bytes, size, "file", &test_limits, &error))
        fail_msg("refused: %s", error.message);
    return checkpoint;
}

/* Reads every tensor whole; returns the sum, so that nothing is left out by the compiler. */
static UNUSED double read_all(const clipc_checkpoint *checkpoint)
{
    double sum = 0.0;

    for (size_t i = 0; i < clipc_checkpoint_count(checkpoint); i++) {
        const clipc_checkpoint_tensor *tensor = clipc_checkpoint_at(checkpoint, i);
        const uint64_t rows = tensor->rank ? tensor->shape[0] : 1;
        size_t count = 1;
        float *values;

        for (uint32_t axis = 0; axis < tensor->rank; axis++)
            count *= (size_t)tensor->shape[axis];
        values = malloc(count ? count * sizeof(*values) : 1);
        assert_non_null(values);
        clipc_checkpoint_read(checkpoint, tensor, 0, rows, values);
        for (size_t j = 0; j < count; j++)
            sum += (double)values[j];
        free(values);
        clipc_checkpoint_release(checkpoint, tensor);
    }
    return sum;
}

static UNUSED void assert_values(const clipc_checkpoint *checkpoint, const char *name,
                                 const float *expected, size_t count)
{
    const clipc_checkpoint_tensor *tensor = clipc_checkpoint_find(checkpoint, name);
    float *values = malloc(count * sizeof(*values) + 1);
    size_t found = 1;

    assert_non_null(values);
    if (!tensor)
        fail_msg("%s is missing", name);
    for (uint32_t axis = 0; axis < tensor->rank; axis++)
        found *= (size_t)tensor->shape[axis];
    assert_int_equal(found, count);
    clipc_checkpoint_read(checkpoint, tensor, 0, tensor->rank ? tensor->shape[0] : 1, values);
    for (size_t i = 0; i < count; i++)
        if (values[i] != expected[i])
            fail_msg("%s[%zu] is %g, expected %g", name, i, (double)values[i], (double)expected[i]);
    free(values);
}

#endif
