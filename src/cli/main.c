/* SPDX-License-Identifier: MIT */
/* The command `clipc`: finds the command that is named and runs it. */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"

#include <clipc.h>
#include <locale.h>
#include <string.h>

static const clipc_cli_command *const commands[] = {
    &clipc_cli_models,     &clipc_cli_pull,    &clipc_cli_info,     &clipc_cli_tokenize,
    &clipc_cli_preprocess, &clipc_cli_embed,   &clipc_cli_classify, &clipc_cli_convert,
    &clipc_cli_bench,      &clipc_cli_version, &clipc_cli_help,     NULL,
};

const clipc_cli_command *const *clipc_cli_commands(void)
{
    return commands;
}

const clipc_cli_command *clipc_cli_find_command(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

static int run(int argc, char **argv)
{
    const clipc_cli_command *command;

    if (argc < 2) {
        clipc_cli_print_overview(stderr);
        return CLIPC_CLI_USAGE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("clipc %s\n", CLIPC_VERSION_STRING);
        return CLIPC_CLI_DONE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        clipc_cli_print_overview(stdout);
        return CLIPC_CLI_DONE;
    }
    command = clipc_cli_find_command(argv[1]);
    if (!command) {
        clipc_cli_error("unknown %s %s; see `clipc --help`",
                        argv[1][0] == '-' ? "option" : "command", argv[1]);
        return CLIPC_CLI_USAGE;
    }
    return command->run(command, argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    int code, closing;

    /* Only what characters are: numbers keep their point. */
    setlocale(LC_CTYPE, "");
    clipc_cli_interrupt_install();
    code = run(argc, argv);
    closing = clipc_cli_output_close();
    return closing && code != CLIPC_CLI_INTERRUPTED ? closing : code;
}
