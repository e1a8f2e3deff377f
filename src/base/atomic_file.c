/* SPDX-License-Identifier: MIT */
/*
 * Files that appear under their name only when whole: written beside it under a temporary name,
 * flushed to the disk, renamed.
 */
#include "base/atomic_file.h"

#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct clipc_atomic_file {
    int descriptor;
    char *path;      /* the final name */
    char *temporary; /* what is being written */
    size_t used;     /* bytes waiting in buffer */
    uint8_t buffer[1 << 16];
};

static void free_file(clipc_atomic_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    free(file->path);
    free(file->temporary);
    free(file);
}

/* Creates a new file beside path, with the mode that a plain open gives; its name to *temporary. */
static int create_beside(const char *path, char *temporary, size_t size)
{
    int descriptor = -1;

    for (unsigned attempt = 0; descriptor < 0 && attempt < 100; attempt++) {
        snprintf(temporary, size, "%s.%ld.%u.tmp", path, (long)getpid(), attempt);
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor < 0 && errno != EEXIST)
            break;
    }
    return descriptor;
}

clipc_status clipc_atomic_file_open(clipc_atomic_file **out, const char *path, clipc_error *error)
{
    clipc_atomic_file *file = clipc_calloc(1, sizeof(*file));
    size_t length = strlen(path), room = length + 48; /* two numbers, dots, "tmp" */
    clipc_status status;

    *out = NULL;
    if (!file)
        return clipc_fail_memory(error, path, sizeof(*file));
    file->descriptor = -1;
    file->path = clipc_copy_text(path, length);
    file->temporary = clipc_calloc(room, 1);
    if (!file->path || !file->temporary) {
        free_file(file);
        return clipc_fail_memory(error, path, room);
    }
    file->descriptor = create_beside(path, file->temporary, room);
    if (file->descriptor < 0) {
        status = clipc_fail_errno(error, path, "create");
        free_file(file);
        return status;
    }
    *out = file;
    return CLIPC_OK;
}

static clipc_status write_all(clipc_atomic_file *file, const uint8_t *bytes, size_t size,
                              clipc_error *error)
{
    while (size > 0) {
        ssize_t put = write(file->descriptor, bytes, size);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return clipc_fail_errno(error, file->path, "write");
        bytes += put;
        size -= (size_t)put;
    }
    return CLIPC_OK;
}

static clipc_status flush_buffer(clipc_atomic_file *file, clipc_error *error)
{
    size_t used = file->used;

    file->used = 0;
    return write_all(file, file->buffer, used, error);
}

clipc_status clipc_atomic_file_write(clipc_atomic_file *file, const void *bytes, size_t size,
                                     clipc_error *error)
{
    if (size == 0)
        return CLIPC_OK;
    if (size > sizeof(file->buffer) - file->used) {
        clipc_status status = flush_buffer(file, error);

        if (status)
            return status;
        if (size > sizeof(file->buffer))
            return write_all(file, bytes, size, error);
    }
    memcpy(file->buffer + file->used, bytes, size);
    file->used += size;
    return CLIPC_OK;
}

/* The rename itself must survive a power cut: its folder is flushed too, where that is possible. */
static void flush_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? clipc_copy_text(path, slash == path ? 1 : (size_t)(slash - path))
                         : clipc_copy_text(".", 1);
    int descriptor = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (descriptor >= 0) {
        (void)fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

static clipc_status finish(clipc_atomic_file *file, clipc_error *error)
{
    clipc_status status = flush_buffer(file, error);
    int descriptor = file->descriptor;

    if (status)
        return status;
    if (fsync(descriptor) != 0)
        return clipc_fail_errno(error, file->path, "flush");
    file->descriptor = -1;
    if (close(descriptor) != 0)
        return clipc_fail_errno(error, file->path, "close");
    if (rename(file->temporary, file->path) != 0)
        return clipc_fail_errno(error, file->path, "rename into place");
    flush_folder(file->path);
    return CLIPC_OK;
}

clipc_status clipc_atomic_file_commit(clipc_atomic_file *file, clipc_error *error)
{
    clipc_status status = finish(file, error);

    if (status)
        (void)unlink(file->temporary);
    free_file(file);
    return status;
}

void clipc_atomic_file_abandon(clipc_atomic_file *file)
{
    if (!file)
        return;
    (void)unlink(file->temporary);
    free_file(file);
}
