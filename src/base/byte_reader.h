/* SPDX-License-Identifier: MIT */
/*
 * Little-endian fields out of untrusted bytes. Reading past the end yields zeros and sets `failed`,
 * so that a parser reads a whole record and checks once.
 */
#ifndef CLIPC_BASE_BYTE_READER_H
#define CLIPC_BASE_BYTE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct clipc_byte_reader {
    const uint8_t *bytes;
    size_t size;
    size_t position; /* at most size */
    bool failed;
} clipc_byte_reader;

static inline clipc_byte_reader clipc_byte_reader_over(const uint8_t *bytes, size_t size)
{
    return (clipc_byte_reader){.bytes = bytes, .size = size};
}

/* The next n bytes, or NULL with `failed` set when fewer are left. */
static inline const uint8_t *clipc_read_bytes(clipc_byte_reader *reader, size_t n)
{
    const uint8_t *start = reader->bytes + reader->position;

    if (reader->failed || n > reader->size - reader->position) {
        reader->failed = true;
        return NULL;
    }
    reader->position += n;
    return start;
}

/* An unsigned little-endian integer of n (1 to 8) bytes. */
static inline uint64_t clipc_read_uint(clipc_byte_reader *reader, size_t n)
{
    const uint8_t *bytes = clipc_read_bytes(reader, n);
    uint64_t value = 0;

    if (!bytes)
        return 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static inline uint8_t clipc_read_u8(clipc_byte_reader *reader)
{
    return (uint8_t)clipc_read_uint(reader, 1);
}

static inline uint16_t clipc_read_u16(clipc_byte_reader *reader)
{
    return (uint16_t)clipc_read_uint(reader, 2);
}

static inline uint32_t clipc_read_u32(clipc_byte_reader *reader)
{
    return (uint32_t)clipc_read_uint(reader, 4);
}

static inline uint64_t clipc_read_u64(clipc_byte_reader *reader)
{
    return clipc_read_uint(reader, 8);
}

/* Moves to an absolute position; past the end sets `failed`. */
static inline void clipc_reader_seek(clipc_byte_reader *reader, size_t position)
{
    if (position > reader->size)
        reader->failed = true;
    else
        reader->position = position;
}

#endif
