/* SPDX-License-Identifier: MIT */
/* Asks the terminal and the environment what can be shown. */
#include "cli/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t clipc_cli_terminal_columns(FILE *stream)
{
    struct winsize size;

    if (ioctl(fileno(stream), TIOCGWINSZ, &size) || !size.ws_col)
        return 80;
    return size.ws_col;
}

bool clipc_cli_terminal_colors(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

bool clipc_cli_terminal_utf8(void)
{
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}
