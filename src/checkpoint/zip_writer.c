/* SPDX-License-Identifier: MIT */
/* Writing zip archives: PKWARE's APPNOTE.TXT, sections 4.3-4.5; zip64 where sizes ask for it. */
#include "checkpoint/zip_writer.h"

#include "base/sizes.h"
#include "base/status.h"

#include <string.h>
#include <zlib.h>

#define ALIGNMENT 64
#define LOCAL_SIZE 30
#define VERSION 45
#define SUM_FOLLOWS 8u
#define ZIP64_EXTRA 1
#define PADDING_EXTRA 0x4246 /* "FB", as PyTorch's writer marks its padding */

static uint64_t low_32(uint64_t value)
{
    return value < UINT32_MAX ? value : UINT32_MAX;
}

static clipc_status put(clipc_zip_writer *zip, const void *bytes, size_t size, clipc_error *error)
{
    zip->position += size;
    return clipc_atomic_file_write(zip->file, bytes, size, error);
}

static clipc_status put_buffer(clipc_zip_writer *zip, clipc_byte_buffer *buffer, clipc_error *error)
{
    clipc_status status = buffer->failed ? clipc_fail_memory(error, "zip archive", buffer->size)
                                         : put(zip, buffer->bytes, buffer->size, error);

    clipc_buffer_free(buffer);
    return status;
}

/*
 * The part of an entry's header that stands in the directory, too. The sum is not known before the
 * data have gone by: it stands after them and in the directory, as in PyTorch's own files.
 */
static void append_facts(clipc_byte_buffer *out, const char *name, uint64_t size, uint32_t crc,
                         size_t extra)
{
    clipc_buffer_append_uint(out, VERSION, 2);
    clipc_buffer_append_uint(out, SUM_FOLLOWS, 2);
    clipc_buffer_append_uint(out, 0, 2 + 2); /* method: stored; time */
    clipc_buffer_append_uint(out, 0x21, 2);  /* 1980-01-01 */
    clipc_buffer_append_uint(out, crc, 4);
    clipc_buffer_append_uint(out, low_32(size), 4);
    clipc_buffer_append_uint(out, low_32(size), 4);
    clipc_buffer_append_uint(out, strlen(name), 2);
    clipc_buffer_append_uint(out, extra, 2);
}

/* Sizes and offset that do not fit in 32 bits. */
static void append_zip64(clipc_byte_buffer *out, uint64_t size, uint64_t offset, bool has_offset)
{
    clipc_byte_buffer fields = {0};

    if (size >= UINT32_MAX) {
        clipc_buffer_append_uint(&fields, size, 8);
        clipc_buffer_append_uint(&fields, size, 8);
    }
    if (has_offset && offset >= UINT32_MAX)
        clipc_buffer_append_uint(&fields, offset, 8);
    if (fields.size) {
        clipc_buffer_append_uint(out, ZIP64_EXTRA, 2);
        clipc_buffer_append_uint(out, fields.size, 2);
        clipc_buffer_append(out, fields.bytes, fields.size);
    }
    out->failed |= fields.failed;
    clipc_buffer_free(&fields);
}

static void append_directory_entry(clipc_zip_writer *zip)
{
    clipc_byte_buffer *out = &zip->directory, extra = {0};

    append_zip64(&extra, zip->size, zip->header_position, true);
    clipc_buffer_append_uint(out, 0x02014B50, 4);
    clipc_buffer_append_uint(out, VERSION, 2);
    append_facts(out, zip->name, zip->size, zip->crc, extra.size);
    clipc_buffer_append_uint(out, 0, 2 + 2 + 2); /* comment, disk, attributes */
    clipc_buffer_append_uint(out, 0, 4);
    clipc_buffer_append_uint(out, low_32(zip->header_position), 4);
    clipc_buffer_append_text(out, zip->name);
    clipc_buffer_append(out, extra.bytes, extra.size);
    out->failed |= extra.failed;
    clipc_buffer_free(&extra);
}

clipc_status clipc_zip_writer_begin(clipc_zip_writer *zip, const char *name, uint64_t size,
                                    clipc_error *error)
{
    clipc_byte_buffer header = {0}, extra = {0};
    size_t padding;

    zip->name = name;
    zip->size = size;
    zip->header_position = zip->position;
    zip->crc = (uint32_t)crc32_z(0, NULL, 0);
    append_zip64(&extra, size, 0, false);
    padding = (size_t)(zip->position + LOCAL_SIZE + strlen(name) + extra.size + 4) % ALIGNMENT;
    padding = (ALIGNMENT - padding) % ALIGNMENT;
    clipc_buffer_append_uint(&extra, PADDING_EXTRA, 2);
    clipc_buffer_append_uint(&extra, padding, 2);
    for (size_t i = 0; i < padding; i++)
        clipc_buffer_append_byte(&extra, 'Z');
    clipc_buffer_append_uint(&header, 0x04034B50, 4);
    append_facts(&header, name, size, 0, extra.size);
    clipc_buffer_append_text(&header, name);
    clipc_buffer_append(&header, extra.bytes, extra.size);
    header.failed |= extra.failed;
    clipc_buffer_free(&extra);
    return put_buffer(zip, &header, error);
}

clipc_status clipc_zip_writer_write(clipc_zip_writer *zip, const void *bytes, size_t size,
                                    clipc_error *error)
{
    zip->crc = (uint32_t)crc32_z(zip->crc, bytes, size);
    return put(zip, bytes, size, error);
}

clipc_status clipc_zip_writer_end(clipc_zip_writer *zip, clipc_error *error)
{
    const size_t width = zip->size >= UINT32_MAX ? 8 : 4;
    clipc_byte_buffer descriptor = {0};

    append_directory_entry(zip);
    zip->entries++;
    clipc_buffer_append_uint(&descriptor, 0x08074B50, 4);
    clipc_buffer_append_uint(&descriptor, zip->crc, 4);
    clipc_buffer_append_uint(&descriptor, zip->size, width);
    clipc_buffer_append_uint(&descriptor, zip->size, width);
    return put_buffer(zip, &descriptor, error);
}

clipc_status clipc_zip_writer_finish(clipc_zip_writer *zip, clipc_error *error)
{
    const uint64_t start = zip->position, size = zip->directory.size;
    const bool is_64 = start >= UINT32_MAX || size >= UINT32_MAX || zip->entries >= UINT16_MAX;
    const uint64_t entries = is_64 ? UINT16_MAX : zip->entries;
    clipc_byte_buffer end = {0};
    clipc_status status = put_buffer(zip, &zip->directory, error);

    if (status)
        return status;
    if (is_64) {
        clipc_buffer_append_uint(&end, 0x06064B50, 4);
        clipc_buffer_append_uint(&end, 44, 8);
        clipc_buffer_append_uint(&end, VERSION, 2);
        clipc_buffer_append_uint(&end, VERSION, 2);
        clipc_buffer_append_uint(&end, 0, 8); /* disks */
        clipc_buffer_append_uint(&end, zip->entries, 8);
        clipc_buffer_append_uint(&end, zip->entries, 8);
        clipc_buffer_append_uint(&end, size, 8);
        clipc_buffer_append_uint(&end, start, 8);
        clipc_buffer_append_uint(&end, 0x07064B50, 4);
        clipc_buffer_append_uint(&end, 0, 4);
        clipc_buffer_append_uint(&end, start + size, 8);
        clipc_buffer_append_uint(&end, 1, 4);
    }
    clipc_buffer_append_uint(&end, 0x06054B50, 4);
    clipc_buffer_append_uint(&end, 0, 4); /* disks */
    clipc_buffer_append_uint(&end, entries, 2);
    clipc_buffer_append_uint(&end, entries, 2);
    clipc_buffer_append_uint(&end, is_64 ? UINT32_MAX : size, 4);
    clipc_buffer_append_uint(&end, is_64 ? UINT32_MAX : start, 4);
    clipc_buffer_append_uint(&end, 0, 2);
    return put_buffer(zip, &end, error);
}

void clipc_zip_writer_free(clipc_zip_writer *zip)
{
    clipc_buffer_free(&zip->directory);
}
