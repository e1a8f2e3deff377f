/* SPDX-License-Identifier: MIT */
/* A .clipc file in a test's hands: its bytes, and its header changed and summed up anew. */
#ifndef CLIPC_TESTS_CLIPC_FILE_H
#define CLIPC_TESTS_CLIPC_FILE_H

#include "base/file_map.h"
#include "checkpoint/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct clipc_file {
    uint8_t *bytes; /* owned */
    size_t size;
} clipc_file;

static inline void put_uint(uint8_t *out, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static inline size_t header_size(const clipc_file *file)
{
    size_t size = 0;

    for (size_t i = 8; i > 0; i--)
        size = size << 8 | file->bytes[CLIPC_PACKED_PREFIX - 9 + i];
    return size;
}

/* A file of this header, with the prefix it is due, and these data. free(bytes). */
static inline clipc_file make_clipc_file(const char *json, size_t json_size, const void *data,
                                         size_t data_size)
{
    const size_t start = (CLIPC_PACKED_PREFIX + json_size + CLIPC_PACKED_PAGE - 1) /
                         CLIPC_PACKED_PAGE * CLIPC_PACKED_PAGE;
    clipc_file file = {calloc(start + data_size, 1), start + data_size};

    if (!file.bytes)
        abort();
    memcpy(file.bytes, CLIPC_PACKED_MAGIC, sizeof(CLIPC_PACKED_MAGIC) - 1);
    put_uint(file.bytes + 8, CLIPC_PACKED_VERSION, 4);
    put_uint(file.bytes + 12, crc32_z(0, (const uint8_t *)json, json_size), 4);
    put_uint(file.bytes + 16, json_size, 8);
    memcpy(file.bytes + CLIPC_PACKED_PREFIX, json, json_size);
    if (data)
        memcpy(file.bytes + start, data, data_size);
    return file;
}

#endif
