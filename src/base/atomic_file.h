/* SPDX-License-Identifier: MIT */
/*
 * Files that appear under their name only when whole: written beside it under a temporary name,
 * flushed to the disk, renamed.
 */
#ifndef CLIPC_BASE_ATOMIC_FILE_H
#define CLIPC_BASE_ATOMIC_FILE_H

#include <clipc.h>

typedef struct clipc_atomic_file clipc_atomic_file;

/* Opens path + ".<process>.<n>.tmp" for writing, in the folder of path. */
clipc_status clipc_atomic_file_open(clipc_atomic_file **out, const char *path, clipc_error *error);

clipc_status clipc_atomic_file_write(clipc_atomic_file *file, const void *bytes, size_t size,
                                     clipc_error *error);

/*
 * Flushes and renames; file is closed and freed whatever happens, the temporary removed on failure.
 */
clipc_status clipc_atomic_file_commit(clipc_atomic_file *file, clipc_error *error);

/* Removes the temporary and frees; NULL does nothing. */
void clipc_atomic_file_abandon(clipc_atomic_file *file);

#endif
