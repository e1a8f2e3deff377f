/* SPDX-License-Identifier: MIT */
/*
 * Taking a caller's struct of options, whose first field is its size: a program built against an
 * older header passes a shorter struct, and what it lacks keeps its default.
 */
#ifndef CLIPC_BASE_OPTIONS_H
#define CLIPC_BASE_OPTIONS_H

#include "base/status.h"

#include <string.h>

/*
 * Overwrites the defaults (size bytes, filled by the struct's init function) with options, which
 * may be NULL. `what` names the struct in messages.
 */
static inline clipc_status clipc_options_take(void *defaults, size_t size, const void *options,
                                              const char *what, clipc_error *error)
{
    size_t given;

    if (!options)
        return CLIPC_OK;
    memcpy(&given, options, sizeof(given));
    if (given < sizeof(given) || given > size)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "%s: size is %zu, %zu was expected; call its init function first", what,
                          given, size);
    memcpy(defaults, options, given);
    return CLIPC_OK;
}

#endif
