/* SPDX-License-Identifier: MIT */
/* `clipc bench --what kernels`: the speed of the matrix kernels beside the arithmetic's ceiling. */
#ifndef CLIPC_CLI_BENCH_KERNELS_H
#define CLIPC_CLI_BENCH_KERNELS_H

#include <stdbool.h>

/* Prints a row, or a JSON object a line, for each kernel and shape. Returns an exit code. */
int clipc_cli_bench_kernels(bool json);

#endif
