/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C and SIGTERM: the first asks the work to stop at the next clean point, a second one kills.
 */
#ifndef CLIPC_CLI_INTERRUPT_H
#define CLIPC_CLI_INTERRUPT_H

#include <stdbool.h>

/* Also ignores SIGPIPE, so that writing to a closed pipe is an error and not the end. */
void clipc_cli_interrupt_install(void);

bool clipc_cli_interrupted(void);

#endif
