/* SPDX-License-Identifier: MIT */
/*
 * What a command of `clipc` is. Each cmd_*.c defines one; main.c lists them and runs the one named.
 */
#ifndef CLIPC_CLI_COMMAND_H
#define CLIPC_CLI_COMMAND_H

#include "cli/options.h"

#include <stdio.h>

/* Exit codes of the process; part of the interface, so never renumbered. */
enum {
    CLIPC_CLI_DONE = 0,
    CLIPC_CLI_INPUT = 1,  /* some input failed, the rest was done */
    CLIPC_CLI_USAGE = 2,  /* the command line is wrong */
    CLIPC_CLI_FAILED = 3, /* the model or the environment failed */
    CLIPC_CLI_INTERRUPTED = 130,
};

typedef struct clipc_cli_command {
    const char *name;
    const char *summary;             /* one line, no full stop */
    const char *usage;               /* lines, what follows "clipc NAME" in each */
    const char *notes;               /* paragraphs of at most 100 columns, or NULL */
    const char *examples;            /* whole command lines */
    unsigned groups;                 /* CLIPC_CLI_WITH_*: the common options it takes */
    const clipc_cli_option *options; /* its own, up to one without a name; may be NULL */
    /* Returns the exit code. argv holds what follows the command's name; it is permuted. */
    int (*run)(const struct clipc_cli_command *self, int argc, char **argv);
} clipc_cli_command;

extern const clipc_cli_command clipc_cli_models;
extern const clipc_cli_command clipc_cli_pull;
extern const clipc_cli_command clipc_cli_info;
extern const clipc_cli_command clipc_cli_tokenize;
extern const clipc_cli_command clipc_cli_preprocess;
extern const clipc_cli_command clipc_cli_embed;
extern const clipc_cli_command clipc_cli_classify;
extern const clipc_cli_command clipc_cli_convert;
extern const clipc_cli_command clipc_cli_bench;
extern const clipc_cli_command clipc_cli_version;
extern const clipc_cli_command clipc_cli_help;

/* All commands in the order of the overview, up to a NULL. */
const clipc_cli_command *const *clipc_cli_commands(void);

/* NULL when there is none of that name. */
const clipc_cli_command *clipc_cli_find_command(const char *name);

/* What `clipc --help` prints, and what `clipc COMMAND --help` prints. */
void clipc_cli_print_overview(FILE *stream);
void clipc_cli_print_help(const clipc_cli_command *command, FILE *stream);

#endif
