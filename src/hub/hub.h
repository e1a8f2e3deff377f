/* SPDX-License-Identifier: MIT */
/*
 * Known models and their cache, inside: what the files of this folder need of each other.
 *
 *     clipc_pull -> name, folder, path (known_models.c, cache.c)
 *                -> clipc_pull_file: lock, fetch into PATH.part, verify, rename
 */
#ifndef CLIPC_HUB_HUB_H
#define CLIPC_HUB_HUB_H

#include <clipc.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIPC_SHA256_HEX_SIZE 65 /* 64 digits and a NUL */

/* ------------------------------------------------------------------------------------------- */
/* Names and paths */

/* The known model of that name; NULL with CLIPC_ERROR_NOT_FOUND and a list of the names if none. */
const clipc_known_model *clipc_known_model_find(const char *name, clipc_error *error);

/* Makes the folders that lead to path, as mkdir -p does; path itself is not made. */
clipc_status clipc_make_folders(const char *path, clipc_error *error);

/* The part of path after its last slash. */
const char *clipc_base_name(const char *path);

/* ------------------------------------------------------------------------------------------- */
/* Progress */

/* How far a pull is, and whom to tell. */
typedef struct clipc_progress {
    clipc_pull_progress_fn function; /* may be NULL */
    void *data;
    uint64_t received; /* bytes */
    uint64_t total;    /* 0 when unknown */
    int64_t last;      /* when function was last called, in milliseconds */
} clipc_progress;

/* Calls the function at most ten times a second. True: stop. */
bool clipc_progress_report(clipc_progress *progress);

/* Sleeps while reporting. True: stop. */
bool clipc_progress_wait(clipc_progress *progress, unsigned milliseconds);

/* ------------------------------------------------------------------------------------------- */
/* One puller at a time */

typedef struct clipc_lock {
    char *path; /* owned */
    int descriptor;
} clipc_lock;

/* Waits until no other thread or process holds the lock of that name, then holds it. */
clipc_status clipc_lock_open(clipc_lock *lock, const char *path, clipc_progress *progress,
                             clipc_error *error);
/* Gives it up and removes its file. */
void clipc_lock_close(clipc_lock *lock);

/* ------------------------------------------------------------------------------------------- */
/* Contents */

/* The SHA-256 of the whole of an open file, in lower-case digits; its position is not used. */
clipc_status clipc_sha256_file(int descriptor, const char *source, clipc_progress *progress,
                               char hex[CLIPC_SHA256_HEX_SIZE], clipc_error *error);

/* A file being received. progress->received is its size. */
typedef struct clipc_part {
    const char *source; /* names what is fetched in messages; not owned */
    const char *path;   /* names the file itself in messages; not owned */
    clipc_progress *progress;
    int descriptor;
} clipc_part;

/* Appends; CLIPC_ERROR_LIMIT beyond any model's size, CLIPC_ERROR_CANCELLED as the caller says. */
clipc_status clipc_part_append(clipc_part *part, const void *bytes, size_t size,
                               clipc_error *error);
/* Empties it. */
clipc_status clipc_part_restart(clipc_part *part, clipc_error *error);

/* ------------------------------------------------------------------------------------------- */
/* Sources: both leave in the part what arrived, also on failure. */

/* http:// or https://, by libcurl: goes on where the part ends, tries again after brief faults. */
clipc_status clipc_fetch_http(clipc_part *part, const char *url, clipc_error *error);

/* file:///path or file://localhost/path, from its beginning. */
clipc_status clipc_fetch_local(clipc_part *part, const char *url, clipc_error *error);

/* ------------------------------------------------------------------------------------------- */

/*
 * Fetches url to path unless a file with that sum (64 hex digits) is there. The folder of path must
 * exist. Only progress is read from options.
 */
clipc_status clipc_pull_file(const char *url, const char *sha256, const char *path,
                             const clipc_pull_options *options, clipc_error *error);

#endif
