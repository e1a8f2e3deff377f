/* SPDX-License-Identifier: MIT */
/*
 * Fetching a known model into the cache. What arrives goes to PATH.part, which a later pull
 * continues; PATH appears by a rename when the sum is right, so no half file ever has that name.
 */
#include "base/memory.h"
#include "base/status.h"
#include "hub/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one pull is about. */
typedef struct pull_job {
    const char *url;
    const char *sha256;
    const char *path;   /* the final name */
    const char *source; /* its last component, for messages */
    char *part_path;    /* path.part; owned */
    clipc_progress progress;
} pull_job;

void clipc_pull_options_init(clipc_pull_options *options)
{
    *options = (clipc_pull_options){.size = sizeof(*options)};
}

/* Sets *there when path is a regular file with the right sum. */
static clipc_status look(pull_job *pull, bool *there, clipc_error *error)
{
    char sum[CLIPC_SHA256_HEX_SIZE];
    clipc_status status;
    struct stat facts;
    int descriptor;

    *there = false;
    if (stat(pull->path, &facts) != 0) {
        if (errno == ENOENT)
            return CLIPC_OK;
        return clipc_fail_errno(error, pull->path, "look at");
    }
    if (!S_ISREG(facts.st_mode))
        return clipc_fail(error, CLIPC_ERROR_IO, "%s: is in the way, expected a regular file",
                          pull->path);
    descriptor = open(pull->path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return clipc_fail_errno(error, pull->path, "open");
    status = clipc_sha256_file(descriptor, pull->source, &pull->progress, sum, error);
    close(descriptor);
    *there = !status && strcasecmp(sum, pull->sha256) == 0;
    return status;
}

static clipc_status fetch(clipc_part *part, const char *url, clipc_error *error)
{
    if (strncasecmp(url, "file://", 7) == 0)
        return clipc_fetch_local(part, url, error);
    if (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0)
        return clipc_fetch_http(part, url, error);
    return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                      "%s: cannot be fetched, expected http://, https:// or file://", url);
}

/*
 * Fetches and takes the sum. What an earlier pull left may be of another file, or damaged: a wrong
 * sum then means beginning anew, once.
 */
static clipc_status receive(pull_job *pull, clipc_part *part, clipc_error *error)
{
    for (bool resumed = pull->progress.received > 0;; resumed = false) {
        char sum[CLIPC_SHA256_HEX_SIZE];
        clipc_status status = fetch(part, pull->url, error);

        pull->progress.last = 0; /* so that the end is told, however short the way was */
        if (!status)
            status = clipc_sha256_file(part->descriptor, part->source, &pull->progress, sum, error);
        if (status || strcasecmp(sum, pull->sha256) == 0)
            return status;
        if (!resumed)
            return clipc_fail(error, CLIPC_ERROR_CHECKSUM, "%s: SHA-256 is %s, expected %s",
                              part->source, sum, pull->sha256);
        status = clipc_part_restart(part, error);
        if (status)
            return status;
    }
}

/*
 * On the disk before it gets its name. (Should a power cut undo the rename, the part is there again
 * and the next pull finds it whole.)
 */
static clipc_status give_name(pull_job *pull, int descriptor, clipc_error *error)
{
    if (fsync(descriptor) != 0)
        return clipc_fail_errno(error, pull->part_path, "flush");
    if (rename(pull->part_path, pull->path) != 0)
        return clipc_fail_errno(error, pull->path, "rename into place");
    return CLIPC_OK;
}

/* With the lock held. A part that failed is kept to be continued, unless it is wrong or empty. */
static clipc_status fetch_under_lock(pull_job *pull, clipc_error *error)
{
    clipc_part part = {
        .source = pull->source, .path = pull->part_path, .progress = &pull->progress};
    clipc_status status;
    struct stat facts;

    part.descriptor = open(pull->part_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (part.descriptor < 0)
        return clipc_fail_errno(error, pull->part_path, "create");
    if (fstat(part.descriptor, &facts) != 0) {
        status = clipc_fail_errno(error, pull->part_path, "look at");
    } else {
        pull->progress.received = (uint64_t)facts.st_size;
        status = receive(pull, &part, error);
        if (!status)
            status = give_name(pull, part.descriptor, error);
        if (status == CLIPC_ERROR_CHECKSUM || status == CLIPC_ERROR_LIMIT ||
            (status && pull->progress.received == 0))
            (void)unlink(pull->part_path);
    }
    close(part.descriptor);
    return status;
}

static clipc_status lock_and_fetch(pull_job *pull, const char *lock_path, clipc_error *error)
{
    clipc_lock lock;
    bool there = false;
    clipc_status status = clipc_lock_open(&lock, lock_path, &pull->progress, error);

    if (status)
        return status;
    status = look(pull, &there, error); /* the one we waited for may have fetched it */
    if (!status && !there)
        status = fetch_under_lock(pull, error);
    clipc_lock_close(&lock);
    return status;
}

clipc_status clipc_pull_file(const char *url, const char *sha256, const char *path,
                             const clipc_pull_options *options, clipc_error *error)
{
    size_t room = strlen(path) + sizeof(".part");
    pull_job pull = {.url = url, .sha256 = sha256, .path = path, .source = clipc_base_name(path)};
    char *lock_path;
    bool there;
    clipc_status status;

    pull.progress.function = options->progress;
    pull.progress.data = options->progress_data;
    status = look(&pull, &there, error); /* before the lock: the cache may be read-only */
    if (status || there)
        return status;
    pull.part_path = clipc_calloc(room, 1);
    lock_path = clipc_calloc(room, 1);
    if (!pull.part_path || !lock_path) {
        status = clipc_fail_memory(error, path, room);
    } else {
        snprintf(pull.part_path, room, "%s.part", path);
        snprintf(lock_path, room, "%s.lock", path);
        status = lock_and_fetch(&pull, lock_path, error);
    }
    free(pull.part_path);
    free(lock_path);
    return status;
}

/* The caller's options, which may be of an older version and shorter, or NULL. */
static clipc_status read_options(const clipc_pull_options *options, clipc_pull_options *out,
                                 clipc_error *error)
{
    clipc_pull_options_init(out);
    if (!options)
        return CLIPC_OK;
    if (options->size < sizeof(options->size) || options->size > sizeof(*out))
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "clipc_pull_options: size is %zu, expected %zu (clipc_pull_options_init)",
                          options->size, sizeof(*out));
    memcpy(out, options, options->size);
    return CLIPC_OK;
}

clipc_status clipc_pull(const char *name, const clipc_pull_options *options, clipc_error *error)
{
    const clipc_known_model *model;
    clipc_pull_options read;
    char path[PATH_MAX];
    clipc_status status;

    if (!name)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "clipc_pull: name is NULL");
    status = read_options(options, &read, error);
    if (status)
        return status;
    model = clipc_known_model_find(name, error);
    if (!model)
        return CLIPC_ERROR_NOT_FOUND;
    if (!model->url)
        return CLIPC_OK; /* built in */
    status = clipc_cache_path(name, read.cache_dir, path, sizeof(path), NULL, error);
    if (!status)
        status = clipc_make_folders(path, error);
    if (status)
        return status;
    return clipc_pull_file(read.url ? read.url : model->url, model->sha256, path, &read, error);
}
