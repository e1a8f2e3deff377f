/* SPDX-License-Identifier: MIT */
/* Messages to the caller's log callback, the library's only voice besides clipc_error. */
#ifndef CLIPC_BASE_LOG_H
#define CLIPC_BASE_LOG_H

#include <clipc.h>

typedef struct clipc_log {
    clipc_log_fn function; /* NULL: silent */
    void *data;
} clipc_log;

/* Formats one line (cut at 511 bytes) and hands it to the callback. */
void clipc_log_write(const clipc_log *log, clipc_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
