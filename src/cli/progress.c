/* SPDX-License-Identifier: MIT */
/* Draws the progress line. */
#include "cli/progress.h"

#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) + 1e-9 * (double)(to->tv_nsec - from->tv_nsec);
}

void clipc_cli_progress_begin(clipc_cli_progress *progress, const clipc_cli_common *common,
                              const char *what, bool bytes)
{
    memset(progress, 0, sizeof(*progress));
    progress->what = what;
    progress->bytes = bytes;
    progress->shown = !common->quiet && !common->json && isatty(STDERR_FILENO);
    clock_gettime(CLOCK_MONOTONIC, &progress->start);
}

static void draw(const clipc_cli_progress *progress, uint64_t done, uint64_t total, double seconds)
{
    double unit = progress->bytes ? 1e-6 : 1.0;
    double rate = seconds > 0.0 ? unit * (double)(done - progress->first) / seconds : 0.0;
    char line[256];
    size_t columns = clipc_cli_terminal_columns(stderr);

    if (total) {
        char bar[BAR_CELLS + 1];
        size_t filled = (size_t)((double)BAR_CELLS * (double)done / (double)total);

        memset(bar, '.', BAR_CELLS);
        memset(bar, '#', filled < BAR_CELLS ? filled : BAR_CELLS);
        bar[BAR_CELLS] = '\0';
        snprintf(line, sizeof(line), "%.80s [%s] %.0f/%.0f%s  %.1f%s/s", progress->what, bar,
                 unit * (double)done, unit * (double)total, progress->bytes ? " MB" : "", rate,
                 progress->bytes ? " MB" : "");
    } else {
        snprintf(line, sizeof(line), "%.80s %.0f%s  %.1f%s/s", progress->what, unit * (double)done,
                 progress->bytes ? " MB" : "", rate, progress->bytes ? " MB" : "");
    }
    /* One column short, as some terminals wrap when the last is filled. */
    fprintf(stderr, "\r%.*s\033[K", columns > 1 ? (int)columns - 1 : 1, line);
    fflush(stderr);
}

void clipc_cli_progress_update(clipc_cli_progress *progress, uint64_t done, uint64_t total)
{
    struct timespec now;

    if (!progress->shown)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    /* A transfer that started anew stands before where it stood. */
    if (!progress->started || done < progress->first) {
        progress->started = true;
        progress->first = done;
        progress->start = now;
    }
    /* Work that is over at once gets no line. */
    if (progress->drawn ? seconds_between(&progress->last, &now) < 0.1 && done != total
                        : seconds_between(&progress->start, &now) < 0.3)
        return;
    draw(progress, done, total, seconds_between(&progress->start, &now));
    progress->last = now;
    progress->drawn = true;
}

void clipc_cli_progress_clear(clipc_cli_progress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    progress->drawn = false;
}
