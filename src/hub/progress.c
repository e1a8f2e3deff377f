/* SPDX-License-Identifier: MIT */
/* How far a pull is: told to the caller now and then, who may ask to stop. */
#include "hub/hub.h"

#include <time.h>

enum { REPORT_INTERVAL_MS = 100 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool clipc_progress_report(clipc_progress *progress)
{
    int64_t now = now_ms();

    if (!progress->function || now - progress->last < REPORT_INTERVAL_MS)
        return false;
    progress->last = now;
    return progress->function(progress->data, progress->received, progress->total);
}

bool clipc_progress_wait(clipc_progress *progress, unsigned milliseconds)
{
    int64_t end = now_ms() + milliseconds, left;

    while ((left = end - now_ms()) > 0) {
        long nap = (long)(left < REPORT_INTERVAL_MS ? left : REPORT_INTERVAL_MS);
        struct timespec pause = {.tv_sec = 0, .tv_nsec = nap * 1000000};

        nanosleep(&pause, NULL);
        if (clipc_progress_report(progress))
            return true;
    }
    return false;
}
