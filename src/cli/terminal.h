/* SPDX-License-Identifier: MIT */
/* What the terminal can show. */
#ifndef CLIPC_CLI_TERMINAL_H
#define CLIPC_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns of the terminal behind stream; 80 when it is none. */
size_t clipc_cli_terminal_columns(FILE *stream);

/* Whether stream is a terminal on which colours are wanted (NO_COLOR and TERM=dumb say no). */
bool clipc_cli_terminal_colors(FILE *stream);

/* Whether the locale's characters are UTF-8. */
bool clipc_cli_terminal_utf8(void);

#endif
