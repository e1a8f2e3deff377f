/* SPDX-License-Identifier: MIT */
/* The file or files behind a checkpoint: found, mapped, told apart by content, read by format. */
#ifndef CLIPC_CHECKPOINT_FILES_H
#define CLIPC_CHECKPOINT_FILES_H

#include "base/file_map.h"
#include "checkpoint/contents.h"

typedef struct clipc_checkpoint_files {
    char *source;         /* owned: what was opened, for messages */
    clipc_file_map *maps; /* [count]; none when the bytes are the caller's */
    size_t count, capacity;
} clipc_checkpoint_files;

/* Opens a path as clipc_checkpoint_open says. On failure the caller still closes. */
clipc_status clipc_checkpoint_files_open(clipc_checkpoint_files *files, clipc_contents *contents,
                                         const char *path, clipc_error *error);

/* Reads a file that is in memory already. */
clipc_status clipc_checkpoint_files_borrow(clipc_checkpoint_files *files, clipc_contents *contents,
                                           const char *source, const uint8_t *bytes, size_t size,
                                           clipc_error *error);

/* Lets the pages wholly inside [data, data + size) go. */
void clipc_checkpoint_files_release(const clipc_checkpoint_files *files, const uint8_t *data,
                                    size_t size);
void clipc_checkpoint_files_close(clipc_checkpoint_files *files);

#endif
