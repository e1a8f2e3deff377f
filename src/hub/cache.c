/* SPDX-License-Identifier: MIT */
/* Where fetched models are kept: the folder and file names of the Python original. */
#include "base/memory.h"
#include "base/status.h"
#include "hub/hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *clipc_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* An environment variable; NULL also when it is empty, which by custom means unset. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* The cache folder as two strings to be joined; NULL when nothing says where it is. */
static const char *cache_folder(const char *cache_dir, const char **below)
{
    const char *folder;

    *below = "";
    if (cache_dir)
        return cache_dir;
    folder = environment("CLIPC_CACHE");
    if (folder)
        return folder;
    folder = environment("XDG_CACHE_HOME");
    *below = "/clip";
    if (folder && folder[0] == '/') /* its specification says to ignore a relative one */
        return folder;
    *below = "/.cache/clip";
    return environment("HOME");
}

clipc_status clipc_cache_path(const char *name, const char *cache_dir, char *out, size_t out_size,
                              bool *cached, clipc_error *error)
{
    const clipc_known_model *model;
    const char *folder, *below;
    struct stat facts;
    int length;

    if (!name || !out || (cache_dir && !*cache_dir))
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "clipc_cache_path: a name, a folder or a buffer is missing");
    model = clipc_known_model_find(name, error);
    if (!model)
        return CLIPC_ERROR_NOT_FOUND;
    if (!model->url)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "%s: is built in and has no file in the cache", name);
    folder = cache_folder(cache_dir, &below);
    if (!folder)
        return clipc_fail(error, CLIPC_ERROR_NOT_FOUND,
                          "cache: no folder, expected one in CLIPC_CACHE, XDG_CACHE_HOME or HOME");
    length = snprintf(NULL, 0, "%s%s/%s", folder, below, clipc_base_name(model->url));
    if (length < 0 || (size_t)length >= out_size)
        return clipc_fail(error, CLIPC_ERROR_LIMIT,
                          "%s: its path has %d bytes and a NUL, expected at most %zu", name, length,
                          out_size);
    snprintf(out, out_size, "%s%s/%s", folder, below, clipc_base_name(model->url));
    if (cached)
        *cached = stat(out, &facts) == 0 && S_ISREG(facts.st_mode);
    return CLIPC_OK;
}

static bool is_folder(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

clipc_status clipc_make_folders(const char *path, clipc_error *error)
{
    char *folder = clipc_copy_text(path, strlen(path));
    clipc_status status = CLIPC_OK;

    if (!folder)
        return clipc_fail_memory(error, path, strlen(path) + 1);
    for (char *slash = strchr(folder + (*folder == '/'), '/'); slash && !status;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        /* Only what is missing is made: asking for an existing folder may be refused. */
        if (!is_folder(folder) && mkdir(folder, 0777) != 0 && !is_folder(folder))
            status = clipc_fail_errno(error, folder, "make this folder of the cache");
        *slash = '/';
    }
    free(folder);
    return status;
}
