/* SPDX-License-Identifier: MIT */
/* A zip archive of stored entries, written front to back; data aligned as PyTorch aligns them. */
#ifndef CLIPC_CHECKPOINT_ZIP_WRITER_H
#define CLIPC_CHECKPOINT_ZIP_WRITER_H

#include "base/atomic_file.h"
#include "base/byte_buffer.h"

/* Zero it but for `file`; clipc_zip_writer_free at the end. */
typedef struct clipc_zip_writer {
    clipc_atomic_file *file;
    uint64_t position;
    clipc_byte_buffer directory;
    uint64_t entries;
    /* The open entry. */
    const char *name;
    uint64_t size, header_position;
    uint32_t crc; /* of what has been written of it */
} clipc_zip_writer;

/* Opens an entry of `size` bytes, which clipc_zip_writer_write then brings. name outlives it. */
clipc_status clipc_zip_writer_begin(clipc_zip_writer *zip, const char *name, uint64_t size,
                                    clipc_error *error);
clipc_status clipc_zip_writer_write(clipc_zip_writer *zip, const void *bytes, size_t size,
                                    clipc_error *error);
clipc_status clipc_zip_writer_end(clipc_zip_writer *zip, clipc_error *error);
/* Writes the directory. */
clipc_status clipc_zip_writer_finish(clipc_zip_writer *zip, clipc_error *error);
void clipc_zip_writer_free(clipc_zip_writer *zip);

#endif
