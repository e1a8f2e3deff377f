/* SPDX-License-Identifier: MIT */
/* Reads a command line by its table of options, and prints the table. */
#include "cli/options.h"

#include "cli/command.h"
#include "cli/output.h"

#include <clipc.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const clipc_cli_choice clipc_cli_activations[] = {
    {"quickgelu", CLIPC_ACTIVATION_QUICKGELU},
    {"gelu", CLIPC_ACTIVATION_GELU},
    {NULL, 0},
};

const clipc_cli_choice clipc_cli_session_dtypes[] = {
    {"f32", CLIPC_DTYPE_F32},
    {"bf16", CLIPC_DTYPE_BF16},
    {"int8", CLIPC_DTYPE_INT8},
    {NULL, 0},
};

static const clipc_cli_choice towers[] = {
    {"image", CLIPC_TOWER_IMAGE},
    {"text", CLIPC_TOWER_TEXT},
    {NULL, 0},
};

const char *clipc_cli_choice_name(const clipc_cli_choice *choices, int value)
{
    for (; choices->name; choices++)
        if (choices->value == value)
            return choices->name;
    return "unknown";
}

#define COMMON(field) .offset = offsetof(clipc_cli_common, field)

static const clipc_cli_option common_options[] = {
    {.name = "model",
     .letter = 'm',
     .kind = CLIPC_CLI_TEXT,
     .value = "NAME|PATH",
     .help = "the model (default: $CLIPC_MODEL, else tiny)",
     COMMON(model),
     .group = CLIPC_CLI_WITH_MODEL},
    {.name = "activation",
     .kind = CLIPC_CLI_CHOICE,
     .value = "NAME",
     .help = "quickgelu or gelu, whatever the model says",
     COMMON(activation),
     .choices = clipc_cli_activations,
     .group = CLIPC_CLI_WITH_MODEL},
    {.name = "threads",
     .letter = 'j',
     .kind = CLIPC_CLI_COUNT,
     .value = "N",
     .help = "threads (default: all cores)",
     COMMON(threads),
     .minimum = 1,
     .maximum = 1024,
     .group = CLIPC_CLI_WITH_MODEL},
    {.name = "dtype",
     .kind = CLIPC_CLI_CHOICE,
     .value = "TYPE",
     .help = "how matrices are multiplied: f32, bf16, int8 (default: f32, or as MODEL is packed)",
     COMMON(dtype),
     .choices = clipc_cli_session_dtypes,
     .group = CLIPC_CLI_WITH_SESSION},
    {.name = "tower",
     .kind = CLIPC_CLI_CHOICE,
     .value = "NAME",
     .help = "load image or text alone (default: what is needed)",
     COMMON(tower),
     .choices = towers,
     .group = CLIPC_CLI_WITH_TOWER},
    {.name = "json",
     .kind = CLIPC_CLI_FLAG,
     .help = "one JSON object a line on stdout",
     COMMON(json),
     .group = CLIPC_CLI_WITH_ALWAYS},
    {.name = "quiet",
     .letter = 'q',
     .kind = CLIPC_CLI_FLAG,
     .help = "no progress and no remarks, errors only",
     COMMON(quiet),
     .group = CLIPC_CLI_WITH_ALWAYS},
    {.name = "help",
     .letter = 'h',
     .kind = CLIPC_CLI_FLAG,
     .help = "print this help",
     COMMON(help),
     .group = CLIPC_CLI_WITH_ALWAYS},
    {.name = NULL},
};

/* The state of one clipc_cli_parse. */
typedef struct parser {
    const clipc_cli_command *command;
    int argc;
    char **argv;
    int next; /* the first word not read yet */
    char *options;
} parser;

void clipc_cli_list_free(clipc_cli_list *list)
{
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

int clipc_cli_usage_error(const clipc_cli_command *command, const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    clipc_cli_error("%s: %s; see `clipc %s --help`", command->name, message, command->name);
    return CLIPC_CLI_USAGE;
}

/* By letter where that is not 0, else by the first `length` characters of name. */
static const clipc_cli_option *find_in(const clipc_cli_option *table, unsigned groups, char letter,
                                       const char *name, size_t length)
{
    for (const clipc_cli_option *option = table; option && option->name; option++) {
        if (option->group && !(option->group & groups))
            continue;
        if (letter ? option->letter == letter
                   : strlen(option->name) == length && !memcmp(option->name, name, length))
            return option;
    }
    return NULL;
}

static const clipc_cli_option *find_option(const clipc_cli_command *command, char letter,
                                           const char *name, size_t length)
{
    const clipc_cli_option *own = find_in(command->options, 0, letter, name, length);

    return own ? own
               : find_in(common_options, command->groups | CLIPC_CLI_WITH_ALWAYS, letter, name,
                         length);
}

static int set_count(const parser *p, const clipc_cli_option *option, const char *text)
{
    char *end;
    unsigned long long number;
    size_t *field = (size_t *)(void *)(p->options + option->offset);

    errno = 0;
    number = strtoull(text, &end, 10);
    /* strtoull takes a sign and leading blanks; a count has neither. */
    if (*text < '0' || *text > '9' || *end || errno || number < option->minimum ||
        number > option->maximum)
        return clipc_cli_usage_error(p->command,
                                     "--%s wants a whole number from %zu to %zu, not %s",
                                     option->name, option->minimum, option->maximum, text);
    *field = (size_t)number;
    return CLIPC_CLI_GO_ON;
}

static int set_seconds(const parser *p, const clipc_cli_option *option, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    double *field = (double *)(void *)(p->options + option->offset);

    if (end == text || *end || !(number > 0.0 && number <= 86400.0))
        return clipc_cli_usage_error(p->command, "--%s wants seconds above 0, not %s", option->name,
                                     text);
    *field = number;
    return CLIPC_CLI_GO_ON;
}

static int set_choice(const parser *p, const clipc_cli_option *option, const char *text)
{
    char names[256] = "";
    size_t used = 0;

    for (const clipc_cli_choice *choice = option->choices; choice->name; choice++) {
        if (!strcmp(choice->name, text)) {
            *(int *)(void *)(p->options + option->offset) = choice->value;
            return CLIPC_CLI_GO_ON;
        }
        if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
                                     choice->name);
    }
    return clipc_cli_usage_error(p->command, "--%s wants one of %s, not %s", option->name, names,
                                 text);
}

static int add_to_list(const parser *p, const clipc_cli_option *option, const char *text)
{
    clipc_cli_list *list = (clipc_cli_list *)(void *)(p->options + option->offset);

    /* Each item takes a word of argv at least, so one array of argc is enough. */
    if (!list->items)
        list->items = calloc((size_t)p->argc, sizeof(*list->items));
    if (!list->items)
        return clipc_cli_out_of_memory();
    list->items[list->count].option = option;
    list->items[list->count].value = text;
    list->count++;
    return CLIPC_CLI_GO_ON;
}

/* value is NULL for a flag. */
static int set_option(const parser *p, const clipc_cli_option *option, const char *value)
{
    switch (option->kind) {
    case CLIPC_CLI_FLAG: *(bool *)(void *)(p->options + option->offset) = true; break;
    case CLIPC_CLI_TEXT: *(const char **)(void *)(p->options + option->offset) = value; break;
    case CLIPC_CLI_COUNT: return set_count(p, option, value);
    case CLIPC_CLI_SECONDS: return set_seconds(p, option, value);
    case CLIPC_CLI_CHOICE: return set_choice(p, option, value);
    case CLIPC_CLI_LIST: return add_to_list(p, option, value);
    }
    return CLIPC_CLI_GO_ON;
}

/* word: "--name", "--name=value". */
static int parse_long(parser *p, const char *word)
{
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    const clipc_cli_option *option = find_option(p->command, 0, name, length);
    const char *value = name[length] ? name + length + 1 : NULL;

    if (!option)
        return clipc_cli_usage_error(p->command, "unknown option --%.*s", (int)length, name);
    if (option->kind == CLIPC_CLI_FLAG && value)
        return clipc_cli_usage_error(p->command, "--%s takes no value", option->name);
    if (option->kind != CLIPC_CLI_FLAG && !value) {
        if (p->next == p->argc)
            return clipc_cli_usage_error(p->command, "--%s needs a value", option->name);
        value = p->argv[p->next++];
    }
    return set_option(p, option, value);
}

/* word: "-qj4", "-q", "-j" (its value is the next word). */
static int parse_short(parser *p, const char *word)
{
    int code = CLIPC_CLI_GO_ON;

    for (const char *letter = word + 1; *letter && code == CLIPC_CLI_GO_ON; letter++) {
        const clipc_cli_option *option = find_option(p->command, *letter, NULL, 0);

        if (!option)
            return clipc_cli_usage_error(p->command, "unknown option -%c", *letter);
        if (option->kind == CLIPC_CLI_FLAG) {
            code = set_option(p, option, NULL);
            continue;
        }
        if (letter[1])
            return set_option(p, option, letter + 1);
        if (p->next == p->argc)
            return clipc_cli_usage_error(p->command, "-%c needs a value", *letter);
        return set_option(p, option, p->argv[p->next++]);
    }
    return code;
}

int clipc_cli_parse(const clipc_cli_command *command, int argc, char **argv, void *options)
{
    parser p = {command, argc, argv, 0, options};
    clipc_cli_common *common = options;
    bool only_operands = false;
    int code = CLIPC_CLI_GO_ON;

    common->dtype = CLIPC_DTYPE_AUTO;
    /* Operands move to the front of argv, over words already read. */
    common->operands = argv;
    while (p.next < argc && code == CLIPC_CLI_GO_ON) {
        char *word = argv[p.next++];

        if (only_operands || word[0] != '-' || !word[1])
            argv[common->operand_count++] = word;
        else if (!strcmp(word, "--"))
            only_operands = true;
        else
            code = word[1] == '-' ? parse_long(&p, word) : parse_short(&p, word);
        if (common->help) {
            clipc_cli_print_help(command, stdout);
            return CLIPC_CLI_DONE;
        }
    }
    return code;
}

static void print_table(const clipc_cli_option *table, unsigned groups, FILE *stream)
{
    for (const clipc_cli_option *option = table; option && option->name; option++) {
        char left[64];
        char letter[8] = "    ";

        if (option->group && !(option->group & groups))
            continue;
        if (option->letter)
            snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        fprintf(stream, "  %-26s  %s\n", left, option->help);
    }
}

void clipc_cli_print_options(const clipc_cli_command *command, FILE *stream)
{
    print_table(command->options, 0, stream);
    print_table(common_options, command->groups | CLIPC_CLI_WITH_ALWAYS, stream);
}
