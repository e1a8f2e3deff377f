/* SPDX-License-Identifier: MIT */
/* `clipc help`, and the printing of help for all commands. */
#include "cli/command.h"
#include "cli/output.h"

#include <string.h>

void clipc_cli_print_overview(FILE *stream)
{
    fputs("clipc - CLIP in C: pictures and words in one space\n\n"
          "usage: clipc COMMAND [options]\n"
          "       clipc --version\n\ncommands:\n",
          stream);
    for (const clipc_cli_command *const *command = clipc_cli_commands(); *command; command++)
        fprintf(stream, "  %-11s %s\n", (*command)->name, (*command)->summary);
    fputs("\n`clipc COMMAND --help` tells more.\n\nexample:\n"
          "  clipc classify boat.png \"a sailing boat\" \"a red apple\"\n",
          stream);
}

/* Prints each line of text after prefix. */
static void print_lines(FILE *stream, const char *text, const char *first, const char *prefix)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        fprintf(stream, "%s%.*s\n", first, (int)length, text);
        text += length + (text[length] == '\n');
        first = prefix;
    }
}

void clipc_cli_print_help(const clipc_cli_command *command, FILE *stream)
{
    char first[64], next[64];

    snprintf(first, sizeof(first), "usage: clipc %s ", command->name);
    snprintf(next, sizeof(next), "       clipc %s ", command->name);
    fprintf(stream, "clipc %s - %s\n\n", command->name, command->summary);
    print_lines(stream, command->usage, first, next);
    if (command->notes) {
        fputc('\n', stream);
        print_lines(stream, command->notes, "", "");
    }
    fputs("\noptions:\n", stream);
    clipc_cli_print_options(command, stream);
    fputs("\nexamples:\n", stream);
    print_lines(stream, command->examples, "  ", "  ");
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    clipc_cli_common options = {0};
    const clipc_cli_command *command;
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (options.operand_count > 1)
        return clipc_cli_usage_error(self, "one command at a time");
    if (!options.operand_count) {
        clipc_cli_print_overview(stdout);
        return CLIPC_CLI_DONE;
    }
    command = clipc_cli_find_command(options.operands[0]);
    if (!command)
        return clipc_cli_usage_error(self, "unknown command %s", options.operands[0]);
    clipc_cli_print_help(command, stdout);
    return CLIPC_CLI_DONE;
}

const clipc_cli_command clipc_cli_help = {
    .name = "help",
    .summary = "what a command does",
    .usage = "[COMMAND]",
    .examples = "clipc help\n"
                "clipc help classify",
    .run = run,
};
