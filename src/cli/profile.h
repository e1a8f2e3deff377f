/* SPDX-License-Identifier: MIT */
/* Where a session's time goes: what its ops took, added up by op and shape, as a table. */
#ifndef CLIPC_CLI_PROFILE_H
#define CLIPC_CLI_PROFILE_H

#include <clipc.h>
#include <stdbool.h>
#include <stddef.h>

/* All zero: nothing seen yet. */
typedef struct clipc_cli_profile {
    struct clipc_cli_profile_row *rows;
    size_t count, capacity;
    double flops; /* of all ops seen */
    bool failed;  /* memory was short */
} clipc_cli_profile;

/* A clipc_profile_fn; data is the profile. */
void clipc_cli_profile_add(void *data, const clipc_profile_op *op);

/*
 * Prints a row, or a JSON object a line, for each op and shape, what took longest first: means of
 * `runs` repetitions, which took `seconds` in all; last, what of that was spent between ops.
 * Returns an exit code.
 */
int clipc_cli_profile_print(clipc_cli_profile *profile, size_t runs, double seconds, bool json);

/* Back to nothing seen. */
void clipc_cli_profile_clear(clipc_cli_profile *profile);

#endif
