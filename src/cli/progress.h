/* SPDX-License-Identifier: MIT */
/* One line on stderr that says how far the work is; nothing where stderr is not a terminal. */
#ifndef CLIPC_CLI_PROGRESS_H
#define CLIPC_CLI_PROGRESS_H

#include "cli/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct clipc_cli_progress {
    const char *what; /* stands before the bar */
    bool bytes;       /* counts bytes: shown in MB */
    bool shown;       /* false: every call does nothing */
    bool drawn;       /* the line is on the screen now */
    bool started;
    uint64_t first; /* where the first update stood: a resumed transfer is no speed */
    struct timespec start, last;
} clipc_cli_progress;

void clipc_cli_progress_begin(clipc_cli_progress *progress, const clipc_cli_common *common,
                              const char *what, bool bytes);

/* total 0: unknown. Draws ten times a second at most. */
void clipc_cli_progress_update(clipc_cli_progress *progress, uint64_t done, uint64_t total);

/* Takes the line off the screen: before another line on stderr or stdout, and at the end. */
void clipc_cli_progress_clear(clipc_cli_progress *progress);

#endif
