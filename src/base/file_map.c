/* SPDX-License-Identifier: MIT */
/* A whole file as read-only memory: mapped, so that only the pages that are touched are read. */
#define _DEFAULT_SOURCE /* madvise: the posix_ one does nothing for DONTNEED in glibc */
#include "base/file_map.h"

#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t no_bytes[1];

static clipc_status map_descriptor(clipc_file_map *map, int descriptor, const char *path,
                                   clipc_error *error)
{
    struct stat facts;
    void *memory;

    if (fstat(descriptor, &facts) != 0)
        return clipc_fail_errno(error, path, "read its size");
    if (S_ISDIR(facts.st_mode))
        return clipc_fail(error, CLIPC_ERROR_IO, "%s: is a directory, a file was expected", path);
    if (!S_ISREG(facts.st_mode))
        return clipc_fail(error, CLIPC_ERROR_IO, "%s: is not a regular file", path);
    if (facts.st_size == 0)
        return CLIPC_OK;
    if ((uintmax_t)facts.st_size > SIZE_MAX / 2)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: too large to map", path);
    memory = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (memory == MAP_FAILED)
        return clipc_fail_errno(error, path, "map it");
    map->bytes = memory;
    map->size = (size_t)facts.st_size;
    return CLIPC_OK;
}

clipc_status clipc_file_map_open(clipc_file_map *map, const char *path, clipc_error *error)
{
    clipc_status status;
    int descriptor;

    map->bytes = no_bytes;
    map->size = 0;
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not make us wait */
    if (descriptor < 0)
        return clipc_fail_errno(error, path, "open");
    status = map_descriptor(map, descriptor, path, error);
    close(descriptor);
    return status;
}

void clipc_file_map_release(const clipc_file_map *map, size_t offset, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t first = (offset + page - 1) / page * page;
    const size_t end = (offset + size) / page * page;

    if (map->size == 0 || end <= first || end > map->size)
        return;
    madvise((void *)(uintptr_t)(map->bytes + first), end - first, MADV_DONTNEED);
}

void clipc_file_map_close(clipc_file_map *map)
{
    if (map->size)
        munmap((void *)(uintptr_t)map->bytes, map->size);
    map->bytes = no_bytes;
    map->size = 0;
}

static clipc_status read_descriptor(int descriptor, const char *path, size_t limit, char **bytes,
                                    size_t *size, clipc_error *error)
{
    size_t capacity = 0;

    for (;;) {
        ssize_t got;

        if (clipc_grow(bytes, &capacity, *size + 4096, 1) != 0)
            return clipc_fail_memory(error, path, *size + 4096);
        got = read(descriptor, *bytes + *size, capacity - *size - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return clipc_fail_errno(error, path, "read");
        *size += (size_t)got;
        (*bytes)[*size] = '\0';
        if (*size > limit)
            return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: larger than the limit of %zu bytes",
                              path, limit);
        if (got == 0)
            return CLIPC_OK;
    }
}

clipc_status clipc_file_read(const char *path, size_t limit, char **bytes, size_t *size,
                             clipc_error *error)
{
    clipc_status status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    *bytes = NULL;
    *size = 0;
    if (descriptor < 0)
        return clipc_fail_errno(error, path, "open");
    status = read_descriptor(descriptor, path, limit, bytes, size, error);
    close(descriptor);
    if (status) {
        free(*bytes);
        *bytes = NULL;
        *size = 0;
    }
    return status;
}
