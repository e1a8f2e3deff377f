/* SPDX-License-Identifier: MIT */
/* A whole file as read-only memory: mapped, so that only the pages that are touched are read. */
#ifndef CLIPC_BASE_FILE_MAP_H
#define CLIPC_BASE_FILE_MAP_H

#include <clipc.h>

typedef struct clipc_file_map {
    const uint8_t *bytes; /* size bytes; not NULL, even for an empty file */
    size_t size;
} clipc_file_map;

/*
 * Maps a regular file. Directories, pipes and devices are refused. The file must not shrink while
 * it is mapped, as with every mapped file.
 */
clipc_status clipc_file_map_open(clipc_file_map *map, const char *path, clipc_error *error);

/* Tells the system that [offset, offset + size) is not needed again: its pages leave our memory. */
void clipc_file_map_release(const clipc_file_map *map, size_t offset, size_t size);

void clipc_file_map_close(clipc_file_map *map);

/*
 * Reads a whole file, also a pipe, into memory with a NUL after its last byte; refuses more than
 * limit bytes. free(*bytes).
 */
clipc_status clipc_file_read(const char *path, size_t limit, char **bytes, size_t *size,
                             clipc_error *error);

#endif
