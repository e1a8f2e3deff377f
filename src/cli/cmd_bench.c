/* SPDX-License-Identifier: MIT */
/* `clipc bench`: how fast one stage is on this machine, by repeating it. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "cli/bench_kernels.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/open.h"
#include "cli/output.h"
#include "cli/profile.h"

#include <clipc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { PICTURE_WIDTH = 640, PICTURE_HEIGHT = 480, MIN_RUNS = 3, MAX_RUNS = 1 << 20 };
enum { CAPTION_SIZE = 256 };

/* Prompts begin alike, as a classifier's do, and no two of the first thousand are the same. */
static const char prompt_beginning[] = "a photo of a";
/* A caption is a template of ImageNet with one label in it, and another after it. */
static const char caption_end[] = "with a %s in the background";

typedef struct bench_options {
    clipc_cli_common common;
    int what;
    size_t batch;
    double seconds;
    bool profile;
} bench_options;

/* train has a name already, and no code yet. */
enum {
    BENCH_IMAGE,
    BENCH_TEXT,
    BENCH_PREPROCESS,
    BENCH_TOKENIZE,
    BENCH_LOAD,
    BENCH_TRAIN,
    BENCH_KERNELS,
};

static const clipc_cli_choice stages[] = {
    {"image", BENCH_IMAGE},
    {"text", BENCH_TEXT},
    {"preprocess", BENCH_PREPROCESS},
    {"tokenize", BENCH_TOKENIZE},
    {"load", BENCH_LOAD},
    {"train", BENCH_TRAIN},
    {"kernels", BENCH_KERNELS},
    {NULL, 0},
};

static const clipc_cli_option bench_table[] = {
    {.name = "what",
     .kind = CLIPC_CLI_CHOICE,
     .value = "STAGE",
     .help = "image (default), text, preprocess, tokenize, load, kernels",
     .offset = offsetof(bench_options, what),
     .choices = stages},
    {.name = "batch",
     .kind = CLIPC_CLI_COUNT,
     .value = "N",
     .help = "items at once (default: 1)",
     .offset = offsetof(bench_options, batch),
     .minimum = 1,
     .maximum = 1 << 20},
    {.name = "seconds",
     .kind = CLIPC_CLI_SECONDS,
     .value = "S",
     .help = "how long to repeat it (default: 2)",
     .offset = offsetof(bench_options, seconds)},
    {.name = "profile",
     .kind = CLIPC_CLI_FLAG,
     .help = "image, text: where the time goes, op by op",
     .offset = offsetof(bench_options, profile)},
    {.name = NULL},
};

/* What one repetition works on; only what its stage needs is set. */
typedef struct bench_job {
    const bench_options *options;
    clipc_model *model;
    clipc_session *session;
    clipc_model_info info;
    clipc_image *image;
    const char **texts; /* [batch] */
    char *captions;     /* [batch][CAPTION_SIZE] */
    int32_t *ids;       /* [batch][context_length] */
    float *pixels;      /* [batch][3][S][S]; preprocess: one picture */
    float *out;         /* [batch][embed_dim] */
    double flops;       /* of one repetition; 0: not counted */
    clipc_cli_profile profile;
} bench_job;

/* What the repetitions took. */
typedef struct bench_times {
    double *ms; /* [MAX_RUNS]; in ascending order at the end */
    size_t runs;
} bench_times;

/* How many the stage runs on. */
static size_t thread_count(const bench_options *options)
{
    cpu_set_t set;

    if (options->what == BENCH_PREPROCESS)
        return 1;
    if (options->common.threads)
        return options->common.threads;
    return sched_getaffinity(0, sizeof(set), &set) ? 1 : (size_t)CPU_COUNT(&set);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static int prepare_image(bench_job *job)
{
    size_t side = job->info.image_size, batch = job->options->batch;
    size_t pixels = 3 * side * side;
    uint32_t state = 1;

    job->pixels = calloc(batch, pixels * sizeof(*job->pixels));
    job->out = calloc(batch, job->info.embed_dim * sizeof(*job->out));
    if (!job->pixels || !job->out)
        return clipc_cli_out_of_memory();
    /* Noise in the range that normalised pictures have. */
    for (size_t i = 0; i < batch * pixels; i++) {
        state = state * 1664525u + 1013904223u;
        job->pixels[i] = (float)(state >> 8) * (4.0f / 16777216.0f) - 2.0f;
    }
    return clipc_cli_open_session(&job->session, job->model, &job->options->common);
}

/* "a photo of a LABEL" with the labels of ImageNet. */
static clipc_status make_prompt(const bench_job *job, size_t index, clipc_error *error)
{
    const char *const *labels;
    size_t count = clipc_class_set("imagenet", &labels), context = job->info.context_length;
    char prompt[256];

    snprintf(prompt, sizeof(prompt), "%s %s", prompt_beginning, labels[index % count]);
    return clipc_tokenize(job->model, prompt, job->ids + index * context, context,
                          CLIPC_TOKENIZE_TRUNCATE, error);
}

static int prepare_text(bench_job *job)
{
    size_t context = job->info.context_length, batch = job->options->batch;
    clipc_error error;

    job->ids = calloc(batch, context * sizeof(*job->ids));
    job->out = calloc(batch, job->info.embed_dim * sizeof(*job->out));
    if (!job->ids || !job->out)
        return clipc_cli_out_of_memory();
    for (size_t i = 0; i < batch; i++) {
        if (make_prompt(job, i, &error)) {
            clipc_cli_report(&error);
            return CLIPC_CLI_FAILED;
        }
    }
    return clipc_cli_open_session(&job->session, job->model, &job->options->common);
}

static int prepare_preprocess(bench_job *job)
{
    size_t side = job->info.image_size;
    size_t bytes = (size_t)3 * PICTURE_WIDTH * PICTURE_HEIGHT;
    uint8_t *rgb = malloc(bytes);
    clipc_status status;
    clipc_error error;

    job->pixels = calloc(3 * side, side * sizeof(*job->pixels));
    if (!rgb || !job->pixels) {
        free(rgb);
        return clipc_cli_out_of_memory();
    }
    for (size_t i = 0; i < bytes; i++)
        rgb[i] = (uint8_t)(i * 2654435761u >> 13);
    status = clipc_image_from_rgb(&job->image, rgb, PICTURE_WIDTH, PICTURE_HEIGHT,
                                  (size_t)3 * PICTURE_WIDTH, &error);
    free(rgb);
    if (!status)
        return CLIPC_CLI_DONE;
    clipc_cli_report(&error);
    return CLIPC_CLI_FAILED;
}

/* No two of the first 80,000 are the same; they have 17 tokens on average. */
static void make_caption(char *caption, size_t index)
{
    const char *const *templates, *const *labels;
    const size_t template_count = clipc_template_set("imagenet", &templates);
    const size_t label_count = clipc_class_set("imagenet", &labels);
    const char *template = templates[index % template_count], *hole = strstr(template, "{}");
    const char *label = labels[index / template_count % label_count];
    const size_t other = (index * 7919 + index / label_count) % label_count;
    int length = snprintf(caption, CAPTION_SIZE, "%.*s%s%s ", (int)(hole - template), template,
                          label, hole + 2);

    snprintf(caption + length, CAPTION_SIZE - (size_t)length, caption_end, labels[other]);
}

static int prepare_tokenize(bench_job *job)
{
    size_t batch = job->options->batch;

    job->texts = calloc(batch, sizeof(*job->texts));
    job->captions = calloc(batch, CAPTION_SIZE);
    job->ids = calloc(batch, job->info.context_length * sizeof(*job->ids));
    if (!job->texts || !job->captions || !job->ids)
        return clipc_cli_out_of_memory();
    for (size_t i = 0; i < batch; i++) {
        make_caption(job->captions + i * CAPTION_SIZE, i);
        job->texts[i] = job->captions + i * CAPTION_SIZE;
    }
    return CLIPC_CLI_DONE;
}

/* The tower that a stage runs; 0: none. */
static unsigned tower_of(int stage)
{
    switch (stage) {
    case BENCH_IMAGE: return CLIPC_TOWER_IMAGE;
    case BENCH_TEXT: return CLIPC_TOWER_TEXT;
    default: return 0;
    }
}

static int prepare(bench_job *job)
{
    const clipc_cli_common *common = &job->options->common;
    int code;

    /* The whole of load is in the repetition. */
    if (job->options->what == BENCH_LOAD)
        return CLIPC_CLI_DONE;
    code = tower_of(job->options->what)
               ? clipc_cli_open_model(&job->model, clipc_cli_model_name(common), common,
                                      tower_of(job->options->what))
               : clipc_cli_open_description(&job->model, clipc_cli_model_name(common), common);
    if (code)
        return code;
    clipc_model_get_info(job->model, &job->info);
    switch (job->options->what) {
    case BENCH_TEXT: return prepare_text(job);
    case BENCH_PREPROCESS: return prepare_preprocess(job);
    case BENCH_TOKENIZE: return prepare_tokenize(job);
    default: return prepare_image(job);
    }
}

/* The stage once, over the whole batch. */
static clipc_status repeat_once(bench_job *job, clipc_error *error)
{
    size_t batch = job->options->batch;
    clipc_status status = CLIPC_OK;

    switch (job->options->what) {
    case BENCH_TEXT: return clipc_encode_tokens(job->session, job->ids, batch, job->out, error);
    case BENCH_PREPROCESS:
        for (size_t i = 0; i < batch && !status; i++)
            status = clipc_preprocess(job->model, job->image, job->pixels, error);
        return status;
    case BENCH_TOKENIZE:
        return clipc_tokenize_batch(job->model, job->texts, batch, job->ids,
                                    job->info.context_length, CLIPC_TOKENIZE_TRUNCATE,
                                    (unsigned)job->options->common.threads, NULL, error);
    default: return clipc_encode_pixels(job->session, job->pixels, batch, job->out, error);
    }
}

static int repeat_load(bench_job *job)
{
    const clipc_cli_common *common = &job->options->common;

    for (size_t i = 0; i < job->options->batch; i++) {
        clipc_model *model = NULL;
        int code = clipc_cli_open_model(&model, clipc_cli_model_name(common), common,
                                        (unsigned)common->tower);

        if (code)
            return code;
        clipc_model_get_info(model, &job->info);
        clipc_model_close(model);
    }
    return CLIPC_CLI_DONE;
}

static int timed(bench_job *job, double *ms)
{
    double start = now_ms();
    clipc_error error;
    int code = CLIPC_CLI_DONE;

    if (job->options->what == BENCH_LOAD) {
        code = repeat_load(job);
    } else if (repeat_once(job, &error)) {
        clipc_cli_report(&error);
        code = CLIPC_CLI_FAILED;
    }
    *ms = now_ms() - start;
    return clipc_cli_interrupted() ? CLIPC_CLI_INTERRUPTED : code;
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Once untimed: memory is touched, buffers are planned, operations counted. */
static int warm_up(bench_job *job)
{
    double ms;
    int code;

    if (!job->session)
        return timed(job, &ms);
    clipc_session_profile(job->session, clipc_cli_profile_add, &job->profile);
    code = timed(job, &ms);
    job->flops = job->profile.flops;
    clipc_cli_profile_clear(&job->profile);
    if (!job->options->profile)
        clipc_session_profile(job->session, NULL, NULL);
    return code;
}

static int measure(bench_job *job, bench_times *times)
{
    int code = warm_up(job);
    double end = now_ms() + 1e3 * job->options->seconds;

    while (!code && times->runs < MAX_RUNS && (times->runs < MIN_RUNS || now_ms() < end))
        code = timed(job, &times->ms[times->runs++]);
    qsort(times->ms, times->runs, sizeof(*times->ms), compare_times);
    return code;
}

static double median_of(const bench_times *times)
{
    const double *middle = times->ms + times->runs / 2;

    return times->runs % 2 ? middle[0] : 0.5 * (middle[-1] + middle[0]);
}

static int print_profile(bench_job *job, const bench_times *times)
{
    double ms = 0.0;

    for (size_t i = 0; i < times->runs; i++)
        ms += times->ms[i];
    return clipc_cli_profile_print(&job->profile, times->runs, 1e-3 * ms,
                                   job->options->common.json);
}

static int print_result(const bench_job *job, double median)
{
    const bench_options *options = job->options;
    const char *what = clipc_cli_choice_name(stages, options->what);
    const char *dtype = clipc_cli_choice_name(clipc_cli_session_dtypes, (int)job->info.dtype);
    double rate = 1e3 * (double)options->batch / median;
    struct rusage usage = {0};
    double peak_mb;
    clipc_cli_json json;

    getrusage(RUSAGE_SELF, &usage);
    peak_mb = (double)usage.ru_maxrss / 1024.0;
    if (!options->common.json) {
        printf("%s: batch %zu, %s, %zu threads: %.3f ms (median), %.1f a second", what,
               options->batch, dtype, thread_count(options), median, rate);
        if (job->flops > 0.0)
            printf(", %.1f GFLOP/s", 1e-6 * job->flops / median);
        printf(", peak memory %.0f MB\n", peak_mb);
        return CLIPC_CLI_DONE;
    }
    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "what", what);
    clipc_cli_json_count(&json, "batch", options->batch);
    clipc_cli_json_text(&json, "dtype", dtype);
    clipc_cli_json_count(&json, "threads", thread_count(options));
    clipc_cli_json_real(&json, "median_ms", median);
    clipc_cli_json_real(&json, "items_per_s", rate);
    if (job->flops > 0.0)
        clipc_cli_json_real(&json, "gflops", 1e-6 * job->flops / median);
    else
        clipc_cli_json_null(&json, "gflops");
    clipc_cli_json_real(&json, "peak_rss_mb", peak_mb);
    return clipc_cli_json_print(&json);
}

static int bench(bench_job *job)
{
    bench_times times = {.ms = malloc(MAX_RUNS * sizeof(*times.ms))};
    int code = times.ms ? prepare(job) : clipc_cli_out_of_memory();

    if (!code)
        code = measure(job, &times);
    if (!code)
        code = print_result(job, median_of(&times));
    if (!code && job->options->profile)
        code = print_profile(job, &times);
    free(times.ms);
    return code;
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    bench_options options = {.what = BENCH_IMAGE, .batch = 1, .seconds = 2.0};
    bench_job job = {.options = &options};
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (options.common.operand_count)
        return clipc_cli_usage_error(self, "takes no operand");
    if (options.what == BENCH_TRAIN)
        return clipc_cli_usage_error(self, "--what train: this build has none");
    if (options.common.tower && options.what != BENCH_LOAD &&
        (unsigned)options.common.tower != tower_of(options.what))
        return clipc_cli_usage_error(self, "--tower: %s does not run that one",
                                     clipc_cli_choice_name(stages, options.what));
    if (options.profile && options.what != BENCH_IMAGE && options.what != BENCH_TEXT)
        return clipc_cli_usage_error(self, "--profile: %s has no ops, image and text have",
                                     clipc_cli_choice_name(stages, options.what));
    if (options.what == BENCH_KERNELS)
        return clipc_cli_bench_kernels(options.common.json);
    code = bench(&job);
    clipc_cli_profile_clear(&job.profile);
    free(job.out);
    free(job.pixels);
    free(job.ids);
    free(job.captions);
    free(job.texts);
    clipc_image_close(job.image);
    clipc_session_close(job.session);
    clipc_model_close(job.model);
    return code;
}

const clipc_cli_command clipc_cli_bench = {
    .name = "bench",
    .summary = "speed on this machine",
    .usage = "[--what image|text|preprocess|tokenize|load|kernels] [--batch N] [--seconds S] "
             "[--profile]",
    .notes =
        "Encoders run on noise and on prompts such as \"a photo of a goldfish\", preprocess on a\n"
        "picture of 640x480 in memory, tokenize on captions of about 17 tokens, each another.\n"
        "GFLOP/s count what is computed, a multiply-add as two. With --profile a row for each op\n"
        "and shape follows (the output's shape, then the terms of a product's sums): milliseconds\n"
        "of a repetition, and the bytes that operands and output have. kernels prints the matrix\n"
        "kernels of every CPU level up to the one in use, on one thread, each beside what its\n"
        "arithmetic alone reaches here.",
    .examples = "clipc bench\n"
                "clipc bench -m ViT-B/32 --what image --batch 8 --json\n"
                "clipc bench -m ViT-B/32 --profile\n"
                "clipc bench --what tokenize --batch 1000 -j 1",
    .groups = CLIPC_CLI_WITH_MODEL | CLIPC_CLI_WITH_SESSION | CLIPC_CLI_WITH_TOWER,
    .options = bench_table,
    .run = run,
};
