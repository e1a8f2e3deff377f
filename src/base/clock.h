/* SPDX-License-Identifier: MIT */
/* The time that only moves forward, for measuring. */
#ifndef CLIPC_BASE_CLOCK_H
#define CLIPC_BASE_CLOCK_H

#include <time.h>

/* Seconds since some moment before. */
static inline double clipc_seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
