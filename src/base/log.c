/* SPDX-License-Identifier: MIT */
/* Messages to the caller's log callback, the library's only voice besides clipc_error. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void clipc_log_write(const clipc_log *log, clipc_log_level level, const char *format, ...)
{
    char line[512];
    va_list arguments;

    if (!log->function)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    log->function(log->data, level, line);
}
