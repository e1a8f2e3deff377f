/* SPDX-License-Identifier: MIT */
/* `clipc embed`: texts and pictures to embeddings, as lines or as a .npy file. */
#include "cli/command.h"
#include "cli/encode.h"
#include "cli/interrupt.h"
#include "cli/npy.h"
#include "cli/open.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

typedef struct embed_options {
    clipc_cli_common common;
    clipc_cli_list texts; /* --text and --texts */
    const char *output;
    bool raw;
    bool exif;
    bool fast_decode;
    bool truncate;
} embed_options;

static const clipc_cli_option embed_table[] = {
    {.name = "text",
     .kind = CLIPC_CLI_LIST,
     .value = "TEXT",
     .help = "embed this text; may be given many times",
     .offset = offsetof(embed_options, texts)},
    {.name = "texts",
     .kind = CLIPC_CLI_LIST,
     .value = "FILE",
     .help = "embed each line of FILE, - for standard input",
     .offset = offsetof(embed_options, texts)},
    {.name = "output",
     .letter = 'o',
     .kind = CLIPC_CLI_TEXT,
     .value = "OUT.npy",
     .help = "write float32 (rows, embed_dim) here, not to stdout",
     .offset = offsetof(embed_options, output)},
    {.name = "raw",
     .kind = CLIPC_CLI_FLAG,
     .help = "as the encoder gives them, not normalised",
     .offset = offsetof(embed_options, raw)},
    {.name = "exif",
     .kind = CLIPC_CLI_FLAG,
     .help = "turn pictures as their EXIF orientation says",
     .offset = offsetof(embed_options, exif)},
    {.name = "fast-decode",
     .kind = CLIPC_CLI_FLAG,
     .help = "decode large JPEGs at a fraction; not exact",
     .offset = offsetof(embed_options, fast_decode)},
    {.name = "truncate",
     .kind = CLIPC_CLI_FLAG,
     .help = "cut texts that are too long",
     .offset = offsetof(embed_options, truncate)},
    {.name = NULL},
};

/* One run of the command. */
typedef struct embed_job {
    const embed_options *options;
    clipc_cli_texts texts;
    clipc_cli_encoder encoder;
    clipc_cli_progress progress;
    clipc_cli_npy *npy; /* NULL without -o */
    float *rows;        /* [the larger batch][embed_dim] */
    size_t done, total;
    bool some_failed;
} embed_job;

/* One embedding on stdout: a JSON object, or the source and the values with blanks between. */
static int print_row(const embed_job *job, const char *kind, const char *source, size_t size,
                     const float *row)
{
    size_t width = job->encoder.info.embed_dim;
    clipc_cli_json json;

    if (job->options->common.json) {
        clipc_cli_json_begin(&json);
        clipc_cli_json_text(&json, "kind", kind);
        clipc_cli_json_bytes(&json, "source", source, size);
        clipc_cli_json_reals(&json, "embedding", row, width);
        return clipc_cli_json_print(&json);
    }
    clipc_cli_print_text(stdout, source, size);
    for (size_t i = 0; i < width; i++)
        printf("%c%.9g", i ? ' ' : '\t', (double)row[i]);
    putchar('\n');
    return ferror(stdout) ? CLIPC_CLI_FAILED : CLIPC_CLI_DONE;
}

/*
 * Hands out the rows of a batch: texts where they are not NULL, else pictures. code is what
 * encoding it returned.
 */
static int finish_batch(embed_job *job, const clipc_cli_text *texts, char *const *paths, size_t n,
                        const bool *good, int code)
{
    size_t width = job->encoder.info.embed_dim;

    if (code > CLIPC_CLI_INPUT)
        return code;
    job->some_failed = job->some_failed || code;
    code = CLIPC_CLI_DONE;
    if (!job->options->raw)
        clipc_normalize(job->rows, n, width);
    if (job->npy)
        code = clipc_cli_npy_write(job->npy, job->rows, n * width);
    for (size_t i = 0; i < n && !code; i++) {
        if (!good[i] || (job->npy && !job->options->common.json))
            continue;
        code = texts ? print_row(job, "text", texts[i].bytes, texts[i].size, job->rows + i * width)
                     : print_row(job, "image", paths[i], strlen(paths[i]), job->rows + i * width);
    }
    if (!code && clipc_cli_output_failed())
        code = CLIPC_CLI_FAILED;
    job->done += n;
    clipc_cli_progress_update(&job->progress, job->done, job->total);
    return clipc_cli_interrupted() ? CLIPC_CLI_INTERRUPTED : code;
}

static int embed_texts(embed_job *job)
{
    bool good[CLIPC_CLI_TEXT_BATCH];
    int code = CLIPC_CLI_DONE;

    for (size_t from = 0; from < job->texts.count && !code; from += CLIPC_CLI_TEXT_BATCH) {
        const clipc_cli_text *texts = job->texts.items + from;
        size_t left = job->texts.count - from;
        size_t n = left < CLIPC_CLI_TEXT_BATCH ? left : CLIPC_CLI_TEXT_BATCH;

        code = clipc_cli_encode_texts(&job->encoder, texts, n, job->rows, good);
        code = finish_batch(job, texts, NULL, n, good, code);
    }
    return code;
}

static int embed_images(embed_job *job)
{
    const clipc_cli_common *common = &job->options->common;
    bool good[CLIPC_CLI_IMAGE_BATCH];
    int code = CLIPC_CLI_DONE;

    for (size_t from = 0; from < common->operand_count && !code; from += CLIPC_CLI_IMAGE_BATCH) {
        char *const *paths = common->operands + from;
        size_t left = common->operand_count - from;
        size_t n = left < CLIPC_CLI_IMAGE_BATCH ? left : CLIPC_CLI_IMAGE_BATCH;

        code =
            clipc_cli_encode_images(&job->encoder, (const char *const *)paths, n, job->rows, good);
        code = finish_batch(job, NULL, paths, n, good, code);
    }
    return code;
}

/* The texts in the order of the command line. */
static int gather_texts(embed_job *job)
{
    int code = CLIPC_CLI_DONE;

    for (size_t i = 0; i < job->options->texts.count && !code; i++) {
        const clipc_cli_list_item *item = &job->options->texts.items[i];

        code = strcmp(item->option->name, "texts")
                   ? clipc_cli_texts_add(&job->texts, item->value)
                   : clipc_cli_texts_add_file(&job->texts, item->value, false);
    }
    job->total = job->texts.count + job->options->common.operand_count;
    return code;
}

/* The towers that the inputs need: --tower, where it is given, has to be enough. */
static int choose_towers(const embed_job *job, unsigned *towers)
{
    const unsigned only = (unsigned)job->options->common.tower;

    *towers = (job->options->common.operand_count ? CLIPC_TOWER_IMAGE : 0u) |
              (job->texts.count ? CLIPC_TOWER_TEXT : 0u);
    if (only && (*towers & ~only))
        return clipc_cli_usage_error(&clipc_cli_embed, "--tower: %s need the other one",
                                     only == CLIPC_TOWER_IMAGE ? "texts" : "pictures");
    return CLIPC_CLI_DONE;
}

static int open_job(embed_job *job, clipc_model **model)
{
    const clipc_cli_common *common = &job->options->common;
    clipc_cli_encoder *encoder = &job->encoder;
    unsigned towers;
    size_t shape[2];
    int code = choose_towers(job, &towers);

    if (!code)
        code = clipc_cli_open_model(model, clipc_cli_model_name(common), common, towers);
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
    job->rows = calloc(CLIPC_CLI_TEXT_BATCH, encoder->info.embed_dim * sizeof(*job->rows));
    if (!job->rows)
        return clipc_cli_out_of_memory();
    if (!job->options->output)
        return CLIPC_CLI_DONE;
    shape[0] = job->total;
    shape[1] = encoder->info.embed_dim;
    return clipc_cli_npy_open(&job->npy, job->options->output, shape, 2);
}

static int embed_all(embed_job *job)
{
    clipc_model *model = NULL;
    int code = gather_texts(job);

    clipc_cli_progress_begin(&job->progress, &job->options->common, "embed", false);
    if (!code)
        code = open_job(job, &model);
    clipc_cli_progress_update(&job->progress, 0, job->total);
    if (!code)
        code = embed_texts(job);
    if (!code)
        code = embed_images(job);
    clipc_cli_progress_clear(&job->progress);
    if (!code && job->npy) {
        code = clipc_cli_npy_commit(job->npy);
        job->npy = NULL;
    }
    clipc_cli_npy_abandon(job->npy);
    free(job->rows);
    clipc_session_close(job->encoder.session);
    clipc_model_close(model);
    clipc_cli_texts_free(&job->texts);
    return code ? code : job->some_failed ? CLIPC_CLI_INPUT : CLIPC_CLI_DONE;
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    embed_options options = {0};
    embed_job job = {.options = &options};
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code == CLIPC_CLI_GO_ON) {
        if (options.texts.count || options.common.operand_count)
            code = embed_all(&job);
        else
            code = clipc_cli_usage_error(self, "neither text nor picture given");
    }
    clipc_cli_list_free(&options.texts);
    return code;
}

const clipc_cli_command clipc_cli_embed = {
    .name = "embed",
    .summary = "texts and pictures to embeddings",
    .usage = "[--text TEXT]... [--texts FILE] [IMAGE]... [-o OUT.npy] [--raw]",
    .notes =
        "Rows: first the texts, in the order of --text and --texts on the command line, then\n"
        "the pictures in order. Embeddings have length 1 unless --raw. An input that fails is\n"
        "reported and the rest is done; in OUT.npy its row is zeros, elsewhere it has no line.\n"
        "Without -o and --json a line holds the source, a tab, and the values. Where all inputs "
        "are\n"
        "of one kind, only the tower that encodes them is loaded.",
    .examples = "clipc embed --text \"a red apple\" boat.png\n"
                "clipc embed --texts captions.txt pictures/*.jpg -o rows.npy\n"
                "clipc embed --json --raw boat.png",
    .groups = CLIPC_CLI_WITH_MODEL | CLIPC_CLI_WITH_SESSION | CLIPC_CLI_WITH_TOWER,
    .options = embed_table,
    .run = run,
};
