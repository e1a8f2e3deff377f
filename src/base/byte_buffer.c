/* SPDX-License-Identifier: MIT */
/*
 * A growing run of bytes. A failed append is remembered, so that a writer checks once, at its end.
 */
#include "base/byte_buffer.h"

#include "base/memory.h"
#include "base/sizes.h"

#include <stdlib.h>
#include <string.h>

void clipc_buffer_append(clipc_byte_buffer *buffer, const void *bytes, size_t size)
{
    size_t needed;

    if (size == 0 || buffer->failed)
        return;
    if (!clipc_add_size(buffer->size, size, &needed) ||
        clipc_grow(&buffer->bytes, &buffer->capacity, needed, 1) != 0) {
        buffer->failed = true;
        return;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size = needed;
}

void clipc_buffer_append_byte(clipc_byte_buffer *buffer, uint8_t byte)
{
    clipc_buffer_append(buffer, &byte, 1);
}

void clipc_buffer_append_text(clipc_byte_buffer *buffer, const char *text)
{
    clipc_buffer_append(buffer, text, strlen(text));
}

void clipc_buffer_append_uint(clipc_byte_buffer *buffer, uint64_t value, size_t n)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    clipc_buffer_append(buffer, bytes, n);
}

void clipc_buffer_clear(clipc_byte_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

void clipc_buffer_free(clipc_byte_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (clipc_byte_buffer){0};
}
