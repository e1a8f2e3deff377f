/* SPDX-License-Identifier: MIT */
/*
 * A growing run of bytes. A failed append is remembered, so that a writer checks once, at its end.
 */
#ifndef CLIPC_BASE_BYTE_BUFFER_H
#define CLIPC_BASE_BYTE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct clipc_byte_buffer {
    uint8_t *bytes; /* owned; NULL while empty */
    size_t size;
    size_t capacity;
    bool failed; /* out of memory: size and bytes are those before the failed append */
} clipc_byte_buffer;

void clipc_buffer_append(clipc_byte_buffer *buffer, const void *bytes, size_t size);
void clipc_buffer_append_byte(clipc_byte_buffer *buffer, uint8_t byte);
void clipc_buffer_append_text(clipc_byte_buffer *buffer, const char *text);
/* An unsigned little-endian integer of n (1 to 8) bytes. */
void clipc_buffer_append_uint(clipc_byte_buffer *buffer, uint64_t value, size_t n);
/* Empties it but keeps its memory for the next use; clears `failed`. */
void clipc_buffer_clear(clipc_byte_buffer *buffer);
void clipc_buffer_free(clipc_byte_buffer *buffer);

#endif
