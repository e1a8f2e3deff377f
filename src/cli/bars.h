/* SPDX-License-Identifier: MIT */
/* The probabilities of one picture for people: sorted, with bars. */
#ifndef CLIPC_CLI_BARS_H
#define CLIPC_CLI_BARS_H

#include <stddef.h>

typedef struct clipc_cli_rank {
    float prob;
    size_t label; /* its position */
} clipc_cli_rank;

/*
 * Prints the `top` likeliest of n labels on stdout, top being at most n. ranks: [n] is scratch.
 * Blocks where the locale is UTF-8, '#' elsewhere; colours on a terminal only.
 */
void clipc_cli_print_bars(const char *const *labels, const float *probs, size_t n, size_t top,
                          clipc_cli_rank *ranks);

#endif
