/* SPDX-License-Identifier: MIT */
/* Filling a clipc_error: the one way every part of the library reports what went wrong. */
#ifndef CLIPC_BASE_STATUS_H
#define CLIPC_BASE_STATUS_H

#include <clipc.h>

#include <stdarg.h>

/*
 * Writes code and message ("SOURCE: what is wrong, what was expected") into error, which may be
 * NULL, and returns code, so that failing is one statement: return clipc_fail(error, ...).
 * Control characters in the message become '?', as names come from untrusted files.
 */
clipc_status clipc_fail(clipc_error *error, clipc_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* clipc_fail for an allocation of `bytes` bytes for `purpose`. */
clipc_status clipc_fail_memory(clipc_error *error, const char *purpose, size_t bytes);

/* clipc_fail with CLIPC_ERROR_IO and the text of errno: "SOURCE: cannot VERB: No such file". */
clipc_status clipc_fail_errno(clipc_error *error, const char *source, const char *verb);

#endif
