/* SPDX-License-Identifier: MIT */
/*
 * A folder of a test's own, as setup and teardown of cmocka: made before it, removed with all that
 * is in it.
 */
#ifndef CLIPC_TESTS_TEMPORARY_FOLDER_H
#define CLIPC_TESTS_TEMPORARY_FOLDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[64];

static inline bool make_folder_in(const char *parent)
{
    snprintf(folder, sizeof(folder), "%s/clipc-test-XXXXXX", parent);
    return mkdtemp(folder) != NULL;
}

static inline int make_folder(void **state)
{
    (void)state;
    return make_folder_in("/tmp") ? 0 : -1;
}

/* In memory where that is possible: for what writes many files and waits for the disk each time. */
static inline int make_folder_in_memory(void **state)
{
    return make_folder_in("/dev/shm") ? 0 : make_folder(state);
}

static inline int remove_folder(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

#endif
