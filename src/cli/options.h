/* SPDX-License-Identifier: MIT */
/*
 * The command line as data: a table says what options a command takes and where in its struct each
 * value goes; one parser reads argv by it, one printer makes the help from it.
 */
#ifndef CLIPC_CLI_OPTIONS_H
#define CLIPC_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct clipc_cli_command;

/* Each kind names the type of the field that receives the value. */
typedef enum clipc_cli_option_kind {
    CLIPC_CLI_FLAG,    /* bool: set to true, takes no value */
    CLIPC_CLI_TEXT,    /* const char * */
    CLIPC_CLI_COUNT,   /* size_t, between minimum and maximum */
    CLIPC_CLI_SECONDS, /* double, above 0 and at most a day */
    CLIPC_CLI_CHOICE,  /* int: the value of one of `choices` */
    CLIPC_CLI_LIST,    /* clipc_cli_list: every occurrence, in order */
} clipc_cli_option_kind;

typedef struct clipc_cli_choice {
    const char *name; /* NULL ends the list */
    int value;
} clipc_cli_choice;

typedef struct clipc_cli_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 0: no short form */
    clipc_cli_option_kind kind;
    const char *value; /* what the help calls its value; NULL for a flag */
    const char *help;
    size_t offset;                   /* of the field in the command's struct */
    size_t minimum, maximum;         /* COUNT */
    const clipc_cli_choice *choices; /* CHOICE */
    unsigned group;                  /* common options: the CLIPC_CLI_WITH_ they belong to */
} clipc_cli_option;

/*
 * Several options may share one list, which keeps the order between them. The items point into
 * argv; the array is freed by clipc_cli_list_free.
 */
typedef struct clipc_cli_list_item {
    const clipc_cli_option *option; /* which of them it was */
    const char *value;
} clipc_cli_list_item;

typedef struct clipc_cli_list {
    clipc_cli_list_item *items;
    size_t count;
} clipc_cli_list;

/* Accepts a list that is all zero. */
void clipc_cli_list_free(clipc_cli_list *list);

/* Which common options a command takes; --json, -q and -h all do. */
enum {
    CLIPC_CLI_WITH_MODEL = 1u << 0,   /* -m, --activation, -j */
    CLIPC_CLI_WITH_SESSION = 1u << 1, /* --dtype */
    CLIPC_CLI_WITH_TOWER = 1u << 2,   /* --tower */
    CLIPC_CLI_WITH_ALWAYS = 1u << 3,
};

/*
 * The options that mean the same everywhere, and the operands; the first field of each command's.
 */
typedef struct clipc_cli_common {
    const char *model; /* NULL when not given: see clipc_cli_model_name */
    size_t threads;    /* 0: all cores */
    int dtype;         /* clipc_dtype; AUTO when not given */
    int activation;    /* clipc_activation */
    int tower;         /* CLIPC_TOWER_*; 0: as needed */
    bool json;
    bool quiet;
    bool help;
    char **operands; /* the words that are not options, in order; inside argv */
    size_t operand_count;
} clipc_cli_common;

/* The names of clipc_activation, and of how matrices are multiplied. */
extern const clipc_cli_choice clipc_cli_activations[];
extern const clipc_cli_choice clipc_cli_session_dtypes[];

/* The name of a value; "unknown" for one that is not in the list. */
const char *clipc_cli_choice_name(const clipc_cli_choice *choices, int value);

enum { CLIPC_CLI_GO_ON = -1 };

/*
 * Reads argv into options, a struct that opens with a clipc_cli_common and holds the defaults.
 * Returns CLIPC_CLI_GO_ON, or the exit code to end with at once: help was asked for and printed, or
 * the command line is wrong and that was said. Lists are the caller's to free in every case.
 */
int clipc_cli_parse(const struct clipc_cli_command *command, int argc, char **argv, void *options);

/* Says what is wrong with the command line and where help is; returns CLIPC_CLI_USAGE. */
int clipc_cli_usage_error(const struct clipc_cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The table of options in a command's help: its own, then the common ones. */
void clipc_cli_print_options(const struct clipc_cli_command *command, FILE *stream);

#endif
