/* SPDX-License-Identifier: MIT */
/* Looking up fields of a TIFF directory (TIFF 6.0, section 2, and BigTIFF), in either byte order.
 */
#include "image/tiff_tags.h"

#include <string.h>

#define TYPE_SHORT 3u
#define TYPE_LONG 4u
#define BIG_VERSION 43u

typedef struct tiff_bytes {
    const uint8_t *bytes;
    size_t size;
    bool is_big_endian;
} tiff_bytes;

/* n bytes as a number; 0 outside the block. */
static uint64_t read_at(const tiff_bytes *block, uint64_t offset, size_t n)
{
    uint64_t value = 0;

    if (offset > block->size || n > block->size - offset)
        return 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)block->bytes[offset + i] << 8 * (block->is_big_endian ? n - 1 - i : i);
    return value;
}

static void read_field(const tiff_bytes *block, uint64_t field, size_t word, clipc_tiff_field *out)
{
    const uint64_t value_at = field + 4 + word;
    size_t bytes;

    *out = (clipc_tiff_field){
        .type = (unsigned)read_at(block, field + 2, 2),
        .count = read_at(block, field + 4, word),
    };
    bytes = out->type == TYPE_SHORT ? 2 : out->type == TYPE_LONG ? 4 : 0;
    if (bytes && out->count <= word / bytes)
        out->value = (uint32_t)read_at(block, value_at, bytes);
}

bool clipc_tiff_find(const uint8_t *bytes, size_t size, unsigned tag, clipc_tiff_field *out)
{
    tiff_bytes block = {bytes, size, false};
    uint64_t directory, fields, first;
    size_t word, field_size; /* of counts and offsets; of a field */
    bool is_big;

    if (size < 8 || (memcmp(bytes, "II", 2) != 0 && memcmp(bytes, "MM", 2) != 0))
        return false;
    block.is_big_endian = bytes[0] == 'M';
    is_big = read_at(&block, 2, 2) == BIG_VERSION;
    word = is_big ? 8 : 4;
    field_size = 4 + 2 * word;
    directory = read_at(&block, word, word);
    if (directory >= size)
        return false;
    fields = read_at(&block, directory, is_big ? 8 : 2);
    first = directory + (is_big ? 8 : 2);
    for (uint64_t i = 0; i < fields && i < size / field_size; i++)
        if (read_at(&block, first + i * field_size, 2) == tag) {
            read_field(&block, first + i * field_size, word, out);
            return true;
        }
    return false;
}
