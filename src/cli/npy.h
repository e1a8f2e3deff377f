/* SPDX-License-Identifier: MIT */
/*
 * Writes float32 arrays as NumPy's .npy, rows as they come. The file appears under its name only
 * when whole: it is written beside it, flushed to the disk, renamed. A path that is a device or a
 * pipe is written to directly.
 */
#ifndef CLIPC_CLI_NPY_H
#define CLIPC_CLI_NPY_H

#include <stddef.h>

typedef struct clipc_cli_npy clipc_cli_npy;

enum { CLIPC_CLI_NPY_MAX_RANK = 4 };

/*
 * rank up to CLIPC_CLI_NPY_MAX_RANK. Functions with a result return an exit code, and have said
 * what was wrong; after a failure abandon the file.
 */
int clipc_cli_npy_open(clipc_cli_npy **out, const char *path, const size_t *shape, size_t rank);
int clipc_cli_npy_write(clipc_cli_npy *npy, const float *values, size_t count);

/* Gives the file its name; npy is freed whatever happens, and no temporary file stays. */
int clipc_cli_npy_commit(clipc_cli_npy *npy);

/* Removes what was written and frees; NULL does nothing. */
void clipc_cli_npy_abandon(clipc_cli_npy *npy);

#endif
