/* SPDX-License-Identifier: MIT */
/*
 * One puller of a file at a time, among threads and processes: an advisory lock on a file beside
 * it, which the system releases when its holder dies.
 */
#include "base/memory.h"
#include "base/status.h"
#include "hub/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_MS = 100 };

/* flock, not fcntl's locks: those are the process's, so two threads would both get one. */
static clipc_status hold(int descriptor, const char *path, clipc_progress *progress,
                         clipc_error *error)
{
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return clipc_fail_errno(error, path, "lock");
        if (clipc_progress_wait(progress, RETRY_MS))
            return clipc_fail(error, CLIPC_ERROR_CANCELLED,
                              "%s: cancelled while another process was fetching the file", path);
    }
    return CLIPC_OK;
}

/* The holder before us removes the file on leaving; a lock on a removed file excludes nobody. */
static bool still_there(int descriptor, const char *path)
{
    struct stat ours, named;

    return fstat(descriptor, &ours) == 0 && stat(path, &named) == 0 &&
           ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static clipc_status open_and_hold(clipc_lock *lock, clipc_progress *progress, clipc_error *error)
{
    for (;;) {
        clipc_status status;

        lock->descriptor = open(lock->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (lock->descriptor < 0)
            return clipc_fail_errno(error, lock->path, "create");
        status = hold(lock->descriptor, lock->path, progress, error);
        if (!status && still_there(lock->descriptor, lock->path))
            return CLIPC_OK;
        close(lock->descriptor);
        if (status)
            return status;
    }
}

clipc_status clipc_lock_open(clipc_lock *lock, const char *path, clipc_progress *progress,
                             clipc_error *error)
{
    clipc_status status;

    lock->path = clipc_copy_text(path, strlen(path));
    if (!lock->path)
        return clipc_fail_memory(error, path, strlen(path) + 1);
    status = open_and_hold(lock, progress, error);
    if (status)
        free(lock->path);
    return status;
}

void clipc_lock_close(clipc_lock *lock)
{
    (void)unlink(lock->path); /* while it is held, so that nobody else's is removed */
    close(lock->descriptor);
    free(lock->path);
}
