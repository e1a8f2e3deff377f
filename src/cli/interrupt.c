/* SPDX-License-Identifier: MIT */
/* Signal handling of the command; the flag below is its only global state. */
#include "cli/interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    sigemptyset(&action.sa_mask);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(number, &action, NULL);
}

void clipc_cli_interrupt_install(void)
{
    /* No SA_RESTART: a read that waits for the user has to return. */
    int once = (int)SA_RESETHAND;

    handle(SIGINT, on_signal, once);
    handle(SIGTERM, on_signal, once);
    handle(SIGPIPE, SIG_IGN, 0);
}

bool clipc_cli_interrupted(void)
{
    return interrupted != 0;
}
