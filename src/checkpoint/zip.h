/* SPDX-License-Identifier: MIT */
/*
 * A zip archive in memory, read strictly: the central directory and the entries' own headers must
 * agree, and entries must neither overlap nor leave the file. Stored entries are pointers into it.
 */
#ifndef CLIPC_CHECKPOINT_ZIP_H
#define CLIPC_CHECKPOINT_ZIP_H

#include "base/arena.h"

#include <clipc.h>

typedef struct clipc_zip_entry {
    const char *name;     /* NUL-terminated, in the arena */
    const uint8_t *bytes; /* stored_size bytes of the archive */
    uint64_t stored_size;
    uint64_t size; /* once unpacked; the same where is_deflated is false */
    uint32_t crc;
    bool is_deflated;
    uint64_t header_offset; /* of its local header */
} clipc_zip_entry;

typedef struct clipc_zip {
    clipc_zip_entry *entries; /* by ascending name, in the arena */
    size_t count;
} clipc_zip;

/* Lists an archive; bytes must outlive zip. `source` names it in messages. */
clipc_status clipc_zip_open(clipc_zip *zip, clipc_arena *arena, const uint8_t *bytes, size_t size,
                            const char *source, clipc_error *error);

/* NULL when there is none of that name. */
const clipc_zip_entry *clipc_zip_find(const clipc_zip *zip, const char *name);

/*
 * The bytes of an entry, unpacked into the arena where it is deflated; refuses more than limit
 * bytes and a wrong CRC-32.
 */
clipc_status clipc_zip_read(const clipc_zip_entry *entry, clipc_arena *arena, size_t limit,
                            const uint8_t **bytes, const char *source, clipc_error *error);

#endif
