/* SPDX-License-Identifier: MIT */
/*
 * The zip archives in which PyTorch keeps its files. Format: PKWARE's APPNOTE.TXT, sections
 * 4.3-4.5.
 */
#include "checkpoint/zip.h"

#include "base/byte_reader.h"
#include "base/sizes.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LOCAL_SIGNATURE 0x04034B50u
#define ENTRY_SIGNATURE 0x02014B50u
#define END_SIGNATURE 0x06054B50u
#define END64_SIGNATURE 0x06064B50u
#define LOCATOR64_SIGNATURE 0x07064B50u

#define END_SIZE 22
#define LOCATOR64_SIZE 20
#define LOCAL_SIZE 30
#define ENTRY_SIZE 46
#define LONGEST_COMMENT 65535

#define ZIP64_EXTRA 1
#define FLAG_ENCRYPTED 1u
#define FLAG_DESCRIPTOR 8u
#define METHOD_STORED 0
#define METHOD_DEFLATED 8

typedef struct directory_place {
    uint64_t entries, size, offset;
} directory_place;

/* What is being read, for messages. */
typedef struct archive {
    const uint8_t *bytes;
    size_t size;
    const char *source;
    clipc_error *error;
} archive;

static clipc_status damaged(const archive *in, const char *what)
{
    return clipc_fail(in->error, CLIPC_ERROR_FORMAT, "%s: damaged zip archive: %s", in->source,
                      what);
}

/* --- The end record --- */

/* The end record is the file's last; it ends in a comment, usually empty. */
static clipc_status find_end(const archive *in, size_t *position)
{
    const size_t limit = clipc_min_size(in->size, END_SIZE + LONGEST_COMMENT);

    for (size_t back = END_SIZE; back <= limit; back++) {
        clipc_byte_reader reader = clipc_byte_reader_over(in->bytes, in->size);

        clipc_reader_seek(&reader, in->size - back);
        if (clipc_read_u32(&reader) != END_SIGNATURE)
            continue;
        clipc_reader_seek(&reader, in->size - back + END_SIZE - 2);
        if (clipc_read_u16(&reader) == back - END_SIZE) {
            *position = in->size - back;
            return CLIPC_OK;
        }
    }
    return damaged(in, "no end record, it may be truncated");
}

static clipc_status read_end64(const archive *in, size_t end, directory_place *out)
{
    clipc_byte_reader reader = clipc_byte_reader_over(in->bytes, end);
    uint64_t position;

    if (end < LOCATOR64_SIZE)
        return damaged(in, "its zip64 record is missing");
    clipc_reader_seek(&reader, end - LOCATOR64_SIZE);
    if (clipc_read_u32(&reader) != LOCATOR64_SIGNATURE || clipc_read_u32(&reader) != 0)
        return damaged(in, "its zip64 record is missing");
    position = clipc_read_u64(&reader);
    if (position > end)
        return damaged(in, "its zip64 record lies outside");
    clipc_reader_seek(&reader, (size_t)position);
    if (clipc_read_u32(&reader) != END64_SIGNATURE)
        return damaged(in, "its zip64 record is missing");
    clipc_read_bytes(&reader, 8 + 2 + 2); /* record size, versions */
    if (clipc_read_u32(&reader) != 0 || clipc_read_u32(&reader) != 0)
        return damaged(in, "it is one part of several");
    clipc_read_u64(&reader); /* entries on this disk: equals the next */
    out->entries = clipc_read_u64(&reader);
    out->size = clipc_read_u64(&reader);
    out->offset = clipc_read_u64(&reader);
    return reader.failed ? damaged(in, "its zip64 record is cut short") : CLIPC_OK;
}

static clipc_status read_end(const archive *in, directory_place *out)
{
    clipc_byte_reader reader = clipc_byte_reader_over(in->bytes, in->size);
    size_t end = 0;
    clipc_status status = find_end(in, &end);

    if (status)
        return status;
    clipc_reader_seek(&reader, end + 4);
    if (clipc_read_u16(&reader) != 0 || clipc_read_u16(&reader) != 0)
        return damaged(in, "it is one part of several");
    clipc_read_u16(&reader); /* entries on this disk: equals the next */
    out->entries = clipc_read_u16(&reader);
    out->size = clipc_read_u32(&reader);
    out->offset = clipc_read_u32(&reader);
    if (out->entries == UINT16_MAX || out->size == UINT32_MAX || out->offset == UINT32_MAX)
        status = read_end64(in, end, out);
    if (status)
        return status;
    if (out->offset > end || out->size > end - out->offset)
        return damaged(in, "its directory lies outside");
    if (out->entries > out->size / ENTRY_SIZE)
        return damaged(in, "its directory is smaller than its number of entries says");
    return CLIPC_OK;
}

/* --- Entries --- */

/* Replaces those of size, stored size and offset that stand at their 32-bit maximum. */
static bool apply_zip64(const uint8_t *extra, size_t length, clipc_zip_entry *entry)
{
    clipc_byte_reader reader = clipc_byte_reader_over(extra, length);

    while (reader.size - reader.position >= 4) {
        const uint16_t id = clipc_read_u16(&reader);
        const uint16_t size = clipc_read_u16(&reader);
        const uint8_t *bytes = clipc_read_bytes(&reader, size);
        clipc_byte_reader field;

        if (!bytes)
            return false;
        if (id != ZIP64_EXTRA)
            continue;
        field = clipc_byte_reader_over(bytes, size);
        if (entry->size == UINT32_MAX)
            entry->size = clipc_read_u64(&field);
        if (entry->stored_size == UINT32_MAX)
            entry->stored_size = clipc_read_u64(&field);
        if (entry->header_offset == UINT32_MAX)
            entry->header_offset = clipc_read_u64(&field);
        return !field.failed;
    }
    return true;
}

/* The entry's own header must tell the same as the directory, and its bytes lie before that. */
static clipc_status locate(const archive *in, uint64_t limit, unsigned flags, unsigned method,
                           clipc_zip_entry *entry)
{
    clipc_byte_reader reader = clipc_byte_reader_over(in->bytes, (size_t)limit);
    const size_t name_length = strlen(entry->name);
    uint16_t local_method, local_name, local_extra;
    uint32_t stored_size;
    const uint8_t *name;

    if (entry->header_offset > limit)
        return damaged(in, "an entry lies outside");
    clipc_reader_seek(&reader, (size_t)entry->header_offset);
    if (clipc_read_u32(&reader) != LOCAL_SIGNATURE)
        return damaged(in, "an entry has no header");
    clipc_read_bytes(&reader, 2 + 2); /* version, flags */
    local_method = clipc_read_u16(&reader);
    clipc_read_bytes(&reader, 2 + 2 + 4); /* time, date, crc */
    stored_size = clipc_read_u32(&reader);
    clipc_read_u32(&reader);
    local_name = clipc_read_u16(&reader);
    local_extra = clipc_read_u16(&reader);
    name = clipc_read_bytes(&reader, local_name);
    clipc_read_bytes(&reader, local_extra);
    if (reader.failed || entry->stored_size > limit - reader.position)
        return damaged(in, "an entry lies outside");
    if (local_name != name_length || memcmp(name, entry->name, name_length) != 0 ||
        local_method != method)
        return damaged(in, "an entry's header contradicts the directory");
    if (!(flags & FLAG_DESCRIPTOR) && stored_size != UINT32_MAX &&
        stored_size != entry->stored_size)
        return damaged(in, "an entry's size contradicts the directory");
    entry->bytes = in->bytes + reader.position;
    return CLIPC_OK;
}

static clipc_status read_entry(const archive *in, clipc_byte_reader *reader, clipc_arena *arena,
                               uint64_t limit, clipc_zip_entry *entry)
{
    unsigned flags, method;
    uint16_t name_length, extra_length, comment_length;
    const uint8_t *name, *extra;
    char *copy;

    if (clipc_read_u32(reader) != ENTRY_SIGNATURE)
        return damaged(in, "its directory is cut short");
    clipc_read_bytes(reader, 2 + 2); /* versions */
    flags = clipc_read_u16(reader);
    method = clipc_read_u16(reader);
    clipc_read_bytes(reader, 2 + 2); /* time, date */
    entry->crc = clipc_read_u32(reader);
    entry->stored_size = clipc_read_u32(reader);
    entry->size = clipc_read_u32(reader);
    name_length = clipc_read_u16(reader);
    extra_length = clipc_read_u16(reader);
    comment_length = clipc_read_u16(reader);
    clipc_read_bytes(reader, 2 + 2 + 4); /* disk, attributes */
    entry->header_offset = clipc_read_u32(reader);
    name = clipc_read_bytes(reader, name_length);
    extra = clipc_read_bytes(reader, extra_length);
    clipc_read_bytes(reader, comment_length);
    if (reader->failed)
        return damaged(in, "its directory is cut short");
    if (memchr(name, '\0', name_length) || !apply_zip64(extra, extra_length, entry))
        return damaged(in, "a directory entry is malformed");
    if (flags & FLAG_ENCRYPTED || (method != METHOD_STORED && method != METHOD_DEFLATED))
        return clipc_fail(in->error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: the zip archive holds an entry that is encrypted or packed by "
                          "method %u, stored or deflated was expected",
                          in->source, method);
    entry->is_deflated = method == METHOD_DEFLATED;
    if (!entry->is_deflated && entry->size != entry->stored_size)
        return damaged(in, "a stored entry has two sizes");
    copy = clipc_arena_alloc(arena, (size_t)name_length + 1);
    if (!copy)
        return clipc_fail_memory(in->error, in->source, name_length);
    memcpy(copy, name, name_length);
    entry->name = copy;
    return locate(in, limit, flags, method, entry);
}

static int by_place(const void *a, const void *b)
{
    const clipc_zip_entry *left = a, *right = b;

    return (left->header_offset > right->header_offset) -
           (left->header_offset < right->header_offset);
}

static int by_name(const void *a, const void *b)
{
    const clipc_zip_entry *left = a, *right = b;

    return strcmp(left->name, right->name);
}

/* Entries that share bytes are how a small file pretends to be a huge one. */
static clipc_status check_entries(const archive *in, clipc_zip *zip)
{
    qsort(zip->entries, zip->count, sizeof(*zip->entries), by_place);
    for (size_t i = 1; i < zip->count; i++) {
        const clipc_zip_entry *before = &zip->entries[i - 1];
        const uint8_t *end = before->bytes + before->stored_size;

        if (end > in->bytes + zip->entries[i].header_offset)
            return damaged(in, "entries overlap");
    }
    qsort(zip->entries, zip->count, sizeof(*zip->entries), by_name);
    for (size_t i = 1; i < zip->count; i++)
        if (strcmp(zip->entries[i - 1].name, zip->entries[i].name) == 0)
            return damaged(in, "two entries have the same name");
    return CLIPC_OK;
}

clipc_status clipc_zip_open(clipc_zip *zip, clipc_arena *arena, const uint8_t *bytes, size_t size,
                            const char *source, clipc_error *error)
{
    const archive in = {bytes, size, source, error};
    clipc_byte_reader reader;
    directory_place directory = {0, 0, 0};
    clipc_status status = read_end(&in, &directory);
    size_t list_size;

    *zip = (clipc_zip){0};
    if (status)
        return status;
    if (!clipc_mul_size((size_t)directory.entries, sizeof(*zip->entries), &list_size) ||
        !(zip->entries = clipc_arena_alloc(arena, list_size)))
        return clipc_fail_memory(error, source, (size_t)directory.entries);
    zip->count = (size_t)directory.entries;
    reader = clipc_byte_reader_over(bytes + directory.offset, (size_t)directory.size);
    for (size_t i = 0; i < zip->count; i++) {
        status = read_entry(&in, &reader, arena, directory.offset, &zip->entries[i]);
        if (status)
            return status;
    }
    return check_entries(&in, zip);
}

const clipc_zip_entry *clipc_zip_find(const clipc_zip *zip, const char *name)
{
    const clipc_zip_entry key = {.name = name};

    if (zip->count == 0)
        return NULL;
    return bsearch(&key, zip->entries, zip->count, sizeof(*zip->entries), by_name);
}

/* --- Unpacking --- */

/* Inflates into exactly `size` bytes; anything else is a lie of the directory. */
static bool inflate_exactly(const uint8_t *packed, size_t packed_size, uint8_t *out, size_t size)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed,
                       .avail_in = (uInt)packed_size,
                       .next_out = out,
                       .avail_out = (uInt)size};
    bool whole;

    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == size;
    inflateEnd(&stream);
    return whole;
}

clipc_status clipc_zip_read(const clipc_zip_entry *entry, clipc_arena *arena, size_t limit,
                            const uint8_t **bytes, const char *source, clipc_error *error)
{
    uint8_t *unpacked;

    if (entry->size > limit || entry->stored_size > limit || limit > UINT32_MAX)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: %s has %llu bytes, at most %zu are read",
                          source, entry->name, (unsigned long long)entry->size, limit);
    *bytes = entry->bytes;
    if (entry->is_deflated) {
        unpacked = clipc_arena_alloc(arena, (size_t)entry->size);
        if (!unpacked)
            return clipc_fail_memory(error, source, (size_t)entry->size);
        if (!inflate_exactly(entry->bytes, (size_t)entry->stored_size, unpacked,
                             (size_t)entry->size))
            return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s does not unpack to its %llu bytes",
                              source, entry->name, (unsigned long long)entry->size);
        *bytes = unpacked;
    }
    if (crc32_z(0, *bytes, (size_t)entry->size) != entry->crc)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s is damaged: its CRC-32 is wrong",
                          source, entry->name);
    return CLIPC_OK;
}
