/* SPDX-License-Identifier: MIT */
/* `clipc classify`: how well each of some labels fits each of some pictures. */
#include "cli/bars.h"
#include "cli/command.h"
#include "cli/encode.h"
#include "cli/interrupt.h"
#include "cli/open.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

/* Labels shown where --top does not say how many. */
enum { SHOW_ALL_UP_TO = 10, SHOW_OF_MORE = 5 };

typedef struct classify_options {
    clipc_cli_common common;
    const char *labels;
    const char *classes;
    clipc_cli_list templates; /* --template and --templates */
    size_t top;               /* 0: not given */
    bool truncate;
    bool exif;
    bool fast_decode;
} classify_options;

static const clipc_cli_option classify_table[] = {
    {.name = "labels",
     .kind = CLIPC_CLI_TEXT,
     .value = "FILE",
     .help = "the labels, one a line, - for standard input",
     .offset = offsetof(classify_options, labels)},
    {.name = "classes",
     .kind = CLIPC_CLI_TEXT,
     .value = "NAME",
     .help = "a built-in list of labels, such as imagenet",
     .offset = offsetof(classify_options, classes)},
    {.name = "template",
     .kind = CLIPC_CLI_LIST,
     .value = "TEXT",
     .help = "a text with {} where the label goes; may be given many times",
     .offset = offsetof(classify_options, templates)},
    {.name = "templates",
     .kind = CLIPC_CLI_LIST,
     .value = "NAME",
     .help = "a built-in set of templates, such as imagenet",
     .offset = offsetof(classify_options, templates)},
    {.name = "top",
     .kind = CLIPC_CLI_COUNT,
     .value = "K",
     .help = "labels shown, without --json (default: all up to 10, else 5)",
     .offset = offsetof(classify_options, top),
     .minimum = 1,
     .maximum = 1 << 30},
    {.name = "truncate",
     .kind = CLIPC_CLI_FLAG,
     .help = "cut texts that are too long",
     .offset = offsetof(classify_options, truncate)},
    {.name = "exif",
     .kind = CLIPC_CLI_FLAG,
     .help = "turn pictures as their EXIF orientation says",
     .offset = offsetof(classify_options, exif)},
    {.name = "fast-decode",
     .kind = CLIPC_CLI_FLAG,
     .help = "decode large JPEGs at a fraction; not exact",
     .offset = offsetof(classify_options, fast_decode)},
    {.name = NULL},
};

/* One run of the command. */
typedef struct classify_job {
    const clipc_cli_command *command;
    const classify_options *options;
    clipc_cli_texts label_texts, template_texts;
    const char **labels, **templates;
    char *const *paths;
    size_t path_count;
    clipc_cli_encoder encoder;
    clipc_cli_progress progress;
    float *classes;        /* [labels][embed_dim] */
    float *rows;           /* [CLIPC_CLI_IMAGE_BATCH][embed_dim] */
    float *logits;         /* [CLIPC_CLI_IMAGE_BATCH][labels] */
    float *probs;          /* [labels] */
    clipc_cli_rank *ranks; /* [labels], scratch */
    bool some_failed;
    bool some_printed;
} classify_job;

/* Adds the built-in set `name` that `find` knows; names lists what there is. */
static int add_set(const classify_job *job, clipc_cli_texts *texts, const char *option,
                   const char *name, size_t (*find)(const char *, const char *const **),
                   const char *(*names)(size_t))
{
    const char *const *items = NULL;
    size_t count = find(name, &items);
    char known[400] = "";
    size_t used = 0;
    int code = CLIPC_CLI_DONE;

    for (size_t i = 0; i < count && !code; i++)
        code = clipc_cli_texts_add(texts, items[i]);
    if (count)
        return code;
    for (size_t i = 0; names(i) && used < sizeof(known); i++)
        used +=
            (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", names(i));
    return clipc_cli_usage_error(job->command, "--%s: %s is not one of %s", option, name, known);
}

static int gather_templates(classify_job *job)
{
    int code = CLIPC_CLI_DONE;

    for (size_t i = 0; i < job->options->templates.count && !code; i++) {
        const clipc_cli_list_item *item = &job->options->templates.items[i];

        if (!strcmp(item->option->name, "templates"))
            code = add_set(job, &job->template_texts, "templates", item->value, clipc_template_set,
                           clipc_template_set_name);
        else if (strstr(item->value, "{}"))
            code = clipc_cli_texts_add(&job->template_texts, item->value);
        else
            code = clipc_cli_usage_error(job->command, "--template: %s has no {} for the label",
                                         item->value);
    }
    return code;
}

/* Which words of the command line are pictures, and where the labels come from. */
static int gather_labels(classify_job *job)
{
    const classify_options *options = job->options;
    const clipc_cli_common *common = &options->common;
    int code = CLIPC_CLI_DONE;

    if (options->labels && options->classes)
        return clipc_cli_usage_error(job->command, "--labels and --classes exclude each other");
    if (!common->operand_count)
        return clipc_cli_usage_error(job->command, "no picture given");
    job->paths = common->operands;
    job->path_count = common->operand_count;
    if (options->labels) {
        code = clipc_cli_texts_add_file(&job->label_texts, options->labels, true);
        if (!code && !job->label_texts.count) {
            clipc_cli_error("%s: holds no label", options->labels);
            code = CLIPC_CLI_INPUT;
        }
    } else if (options->classes) {
        code = add_set(job, &job->label_texts, "classes", options->classes, clipc_class_set,
                       clipc_class_set_name);
    } else {
        job->path_count = 1;
        for (size_t i = 1; i < common->operand_count && !code; i++)
            code = clipc_cli_texts_add(&job->label_texts, common->operands[i]);
        if (!code && !job->label_texts.count)
            code = clipc_cli_usage_error(job->command, "no label given");
    }
    return code;
}

static int print_json(const classify_job *job, const char *path, const float *logits)
{
    size_t n = job->label_texts.count;
    clipc_cli_json json;

    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "image", path);
    clipc_cli_json_texts(&json, "labels", job->labels, n);
    clipc_cli_json_reals(&json, "logits", logits, n);
    clipc_cli_json_reals(&json, "probs", job->probs, n);
    return clipc_cli_json_print(&json);
}

static int print_result(classify_job *job, const char *path, const float *logits)
{
    size_t n = job->label_texts.count;
    size_t top = job->options->top ? job->options->top : n <= SHOW_ALL_UP_TO ? n : SHOW_OF_MORE;

    clipc_softmax(logits, 1, n, job->probs);
    if (job->options->common.json)
        return print_json(job, path, logits);
    if (job->some_printed)
        putchar('\n');
    job->some_printed = true;
    clipc_cli_print_text(stdout, path, strlen(path));
    putchar('\n');
    clipc_cli_print_bars(job->labels, job->probs, n, top < n ? top : n, job->ranks);
    return CLIPC_CLI_DONE;
}

static int classify_batch(classify_job *job, size_t from, size_t n)
{
    bool good[CLIPC_CLI_IMAGE_BATCH];
    size_t labels = job->label_texts.count;
    clipc_error error;
    int code = clipc_cli_encode_images(&job->encoder, (const char *const *)(job->paths + from), n,
                                       job->rows, good);

    if (code > CLIPC_CLI_INPUT)
        return code;
    job->some_failed = job->some_failed || code;
    clipc_cli_progress_clear(&job->progress);
    if (clipc_logits(job->encoder.model, job->rows, n, job->classes, labels, job->logits, &error)) {
        clipc_cli_report(&error);
        return CLIPC_CLI_FAILED;
    }
    code = CLIPC_CLI_DONE;
    for (size_t i = 0; i < n && !code; i++)
        if (good[i])
            code = print_result(job, job->paths[from + i], job->logits + i * labels);
    if (!code && clipc_cli_output_failed())
        code = CLIPC_CLI_FAILED;
    return code;
}

static int classify_images(classify_job *job)
{
    int code = CLIPC_CLI_DONE;

    clipc_cli_progress_update(&job->progress, 0, job->path_count);
    for (size_t from = 0; from < job->path_count && !code; from += CLIPC_CLI_IMAGE_BATCH) {
        size_t left = job->path_count - from;
        size_t n = left < CLIPC_CLI_IMAGE_BATCH ? left : CLIPC_CLI_IMAGE_BATCH;

        code = classify_batch(job, from, n);
        if (n < left)
            clipc_cli_progress_update(&job->progress, from + n, job->path_count);
        if (clipc_cli_interrupted())
            code = CLIPC_CLI_INTERRUPTED;
    }
    clipc_cli_progress_clear(&job->progress);
    return code;
}

static int encode_labels(classify_job *job)
{
    clipc_error error;

    if (!clipc_encode_classes(job->encoder.session, job->labels, job->label_texts.count,
                              job->templates, job->template_texts.count, job->encoder.text_flags,
                              job->classes, &error))
        return clipc_cli_interrupted() ? CLIPC_CLI_INTERRUPTED : CLIPC_CLI_DONE;
    clipc_cli_report(&error);
    return error.code == CLIPC_ERROR_TOO_LONG || error.code == CLIPC_ERROR_ENCODING
               ? CLIPC_CLI_INPUT
               : CLIPC_CLI_FAILED;
}

static int open_job(classify_job *job, clipc_model **model)
{
    const clipc_cli_common *common = &job->options->common;
    clipc_cli_encoder *encoder = &job->encoder;
    size_t labels = job->label_texts.count;
    int code = clipc_cli_open_model(model, clipc_cli_model_name(common), common, 0);

    if (code)
        return code;
    clipc_model_get_info(*model, &encoder->info);
    encoder->model = *model;
    encoder->progress = &job->progress;
    encoder->text_flags = job->options->truncate ? CLIPC_TOKENIZE_TRUNCATE : 0;
    clipc_image_options_init(&encoder->image_options);
    encoder->image_options.apply_exif = job->options->exif;
    encoder->image_options.fast_decode = job->options->fast_decode;
    code = clipc_cli_open_session(&encoder->session, *model, common);
    if (code)
        return code;
    job->classes = calloc(labels, encoder->info.embed_dim * sizeof(*job->classes));
    job->rows = calloc(CLIPC_CLI_IMAGE_BATCH, encoder->info.embed_dim * sizeof(*job->rows));
    job->logits = calloc(labels, CLIPC_CLI_IMAGE_BATCH * sizeof(*job->logits));
    job->probs = calloc(labels, sizeof(*job->probs));
    job->ranks = calloc(labels, sizeof(*job->ranks));
    if (!job->classes || !job->rows || !job->logits || !job->probs || !job->ranks)
        return clipc_cli_out_of_memory();
    return CLIPC_CLI_DONE;
}

static int classify_all(classify_job *job)
{
    clipc_model *model = NULL;
    int code = gather_labels(job);

    if (!code)
        code = gather_templates(job);
    if (!code)
        code = clipc_cli_texts_strings(&job->label_texts, &job->labels);
    if (!code)
        code = clipc_cli_texts_strings(&job->template_texts, &job->templates);
    if (!code)
        code = open_job(job, &model);
    if (!code)
        code = encode_labels(job);
    clipc_cli_progress_begin(&job->progress, &job->options->common, "classify", false);
    if (!code)
        code = classify_images(job);
    free(job->ranks);
    free(job->probs);
    free(job->logits);
    free(job->rows);
    free(job->classes);
    clipc_session_close(job->encoder.session);
    clipc_model_close(model);
    free(job->templates);
    free(job->labels);
    clipc_cli_texts_free(&job->template_texts);
    clipc_cli_texts_free(&job->label_texts);
    return code ? code : job->some_failed ? CLIPC_CLI_INPUT : CLIPC_CLI_DONE;
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    classify_options options = {0};
    classify_job job = {.command = self, .options = &options};
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code == CLIPC_CLI_GO_ON)
        code = classify_all(&job);
    clipc_cli_list_free(&options.templates);
    return code;
}

const clipc_cli_command clipc_cli_classify = {
    .name = "classify",
    .summary = "how well labels fit a picture",
    .usage = "IMAGE LABEL...\n"
             "--labels FILE [--template TEXT]... [--templates NAME] IMAGE...\n"
             "--classes NAME [--template TEXT]... [--templates NAME] IMAGE...",
    .notes =
        "Without a template the label itself is the text. With several, a class is the mean of\n"
        "its normalised embeddings, normalised again.",
    .examples = "clipc classify boat.png \"a sailing boat\" \"a red apple\"\n"
                "clipc classify --labels names.txt --template \"a drawing of a {}\" *.png\n"
                "clipc classify -m ViT-B/32 --classes imagenet --templates imagenet cat.jpg",
    .groups = CLIPC_CLI_WITH_MODEL | CLIPC_CLI_WITH_SESSION,
    .options = classify_table,
    .run = run,
};
