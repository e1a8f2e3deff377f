/* SPDX-License-Identifier: MIT */
/* `clipc tokenize`: texts to token ids, as the original's clip.tokenize gives them. */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/lines.h"
#include "cli/open.h"
#include "cli/output.h"

#include <clipc.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Positions of CLIP's own vocabulary, used when no model says another number. */
enum { CLIP_CONTEXT = 77 };

typedef struct tokenize_options {
    clipc_cli_common common;
    size_t context; /* 0: the model's */
    bool truncate;
    bool replace_invalid;
} tokenize_options;

static const clipc_cli_option tokenize_table[] = {
    {.name = "context",
     .kind = CLIPC_CLI_COUNT,
     .value = "N",
     .help = "positions of a text (default: the model's, else 77)",
     .offset = offsetof(tokenize_options, context),
     .minimum = 1,
     .maximum = 1 << 20},
    {.name = "truncate",
     .kind = CLIPC_CLI_FLAG,
     .help = "cut texts that are too long",
     .offset = offsetof(tokenize_options, truncate)},
    {.name = "replace-invalid",
     .kind = CLIPC_CLI_FLAG,
     .help = "take bytes that are not UTF-8 as U+FFFD",
     .offset = offsetof(tokenize_options, replace_invalid)},
    {.name = NULL},
};

/* One run of the command. */
typedef struct tokenize_job {
    const tokenize_options *options;
    clipc_model *model; /* NULL: CLIP's own vocabulary */
    size_t context;
    unsigned flags;
    int32_t *ids; /* [context] */
} tokenize_job;

static int print_tokens(const tokenize_job *job, const char *text, size_t size, size_t length)
{
    clipc_cli_json json;

    if (job->options->common.json) {
        clipc_cli_json_begin(&json);
        clipc_cli_json_bytes(&json, "text", text, size);
        clipc_cli_json_ids(&json, "tokens", job->ids, job->context);
        clipc_cli_json_count(&json, "length", length);
        return clipc_cli_json_print(&json);
    }
    for (size_t i = 0; i < length; i++)
        printf("%s%" PRId32, i ? " " : "", job->ids[i]);
    putchar('\n');
    return ferror(stdout) ? CLIPC_CLI_FAILED : CLIPC_CLI_DONE;
}

static int tokenize_text(const tokenize_job *job, const clipc_cli_text *text)
{
    clipc_error error;
    size_t length = 0;
    char name[256];

    if (!clipc_tokenize_bytes(job->model, text->bytes, text->size, job->ids, job->context,
                              job->flags, &length, &error))
        return print_tokens(job, text->bytes, text->size, length);
    clipc_cli_text_name(text, name, sizeof(name));
    clipc_cli_error("%s: %s", name, error.message);
    return error.code == CLIPC_ERROR_MEMORY ? CLIPC_CLI_FAILED : CLIPC_CLI_INPUT;
}

/* Each line as it comes, so that a pipe of any length can be tokenized. */
static int tokenize_stdin(const tokenize_job *job)
{
    clipc_cli_reader reader;
    bool more = true;
    int result = CLIPC_CLI_DONE;
    int code = clipc_cli_reader_open(&reader, "-");

    while (!code && more) {
        code = clipc_cli_reader_next(&reader, &more);
        if (!code && more) {
            clipc_cli_text text = {reader.line, reader.size, reader.name, reader.number};

            code = tokenize_text(job, &text);
        }
        /* A line that is no text is reported; the next may be one. */
        if (code == CLIPC_CLI_INPUT && more) {
            result = code;
            code = CLIPC_CLI_DONE;
        }
    }
    clipc_cli_reader_close(&reader);
    return code ? code : result;
}

static int tokenize_all(const tokenize_job *job)
{
    const clipc_cli_common *common = &job->options->common;
    int result = CLIPC_CLI_DONE;

    for (size_t i = 0; i < common->operand_count; i++) {
        char *word = common->operands[i];
        clipc_cli_text text = {word, strlen(word), NULL, i + 1};
        int code = strcmp(word, "-") ? tokenize_text(job, &text) : tokenize_stdin(job);

        if (code)
            result = code;
        if (clipc_cli_interrupted())
            return CLIPC_CLI_INTERRUPTED;
        if (code > CLIPC_CLI_INPUT)
            return code;
    }
    return result;
}

static int open_job(tokenize_job *job, const tokenize_options *options)
{
    const char *name = clipc_cli_model_name(&options->common);
    clipc_model_info info = {.context_length = CLIP_CONTEXT};

    memset(job, 0, sizeof(*job));
    job->options = options;
    if (options->truncate)
        job->flags |= CLIPC_TOKENIZE_TRUNCATE;
    if (options->replace_invalid)
        job->flags |= CLIPC_TOKENIZE_REPLACE_INVALID;
    if (name) {
        int code = clipc_cli_open_description(&job->model, name, &options->common);

        if (code)
            return code;
        clipc_model_get_info(job->model, &info);
    }
    job->context = options->context ? options->context : info.context_length;
    job->ids = calloc(job->context, sizeof(*job->ids));
    return job->ids ? CLIPC_CLI_DONE : clipc_cli_out_of_memory();
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    tokenize_options options = {0};
    tokenize_job job;
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (!options.common.operand_count)
        return clipc_cli_usage_error(self, "no text given");
    code = open_job(&job, &options);
    if (!code)
        code = tokenize_all(&job);
    free(job.ids);
    clipc_model_close(job.model);
    return code;
}

const clipc_cli_command clipc_cli_tokenize = {
    .name = "tokenize",
    .summary = "texts to token ids",
    .usage = "[--context N] [--truncate] TEXT...",
    .notes = "A TEXT of `-` reads standard input: each line, also an empty one, is a text. Where\n"
             "neither -m nor $CLIPC_MODEL names a model, the vocabulary is CLIP's own of 49,408\n"
             "tokens, and the ids are those of the original's clip.tokenize.",
    .examples = "clipc tokenize \"a photo of a dog\"\n"
                "clipc tokenize --json --truncate - < captions.txt",
    .groups = CLIPC_CLI_WITH_MODEL,
    .options = tokenize_table,
    .run = run,
};
