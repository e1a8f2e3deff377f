/* SPDX-License-Identifier: MIT */
/* Finding the configuration files beside a checkpoint; config_json.c reads them. */
#include "base/file_map.h"
#include "model/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A configuration file is a page or two. */
#define LARGEST_FILE ((size_t)1 << 20)

static clipc_status apply_file(clipc_config *config, const char *path, clipc_error *error)
{
    char *json;
    size_t size;
    clipc_status status = clipc_file_read(path, LARGEST_FILE, &json, &size, error);

    if (status)
        return status;
    status = clipc_config_apply_json(config, json, size, path, error);
    free(json);
    return status;
}

clipc_status clipc_config_apply_files(clipc_config *config, const char *path, clipc_error *error)
{
    static const char *const names[] = {"open_clip_config.json", "config.json",
                                        "preprocessor_config.json"};
    const char *slash = strrchr(path, '/');
    struct stat facts;
    char file[4096];
    size_t folder;

    folder = stat(path, &facts) == 0 && S_ISDIR(facts.st_mode) ? strlen(path)
             : slash                                           ? (size_t)(slash - path)
                                                               : 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        clipc_status status;

        if (folder + strlen(names[i]) + 2 > sizeof(file))
            return CLIPC_OK;
        snprintf(file, sizeof(file), "%.*s%s%s", (int)folder, path,
                 folder == 0 && !slash ? "" : "/", names[i]);
        if (access(file, F_OK) != 0)
            continue;
        status = apply_file(config, file, error);
        if (status)
            return status;
    }
    return CLIPC_OK;
}
