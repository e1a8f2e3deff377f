/* SPDX-License-Identifier: MIT */
/* Encoding pictures: pixels, decoded pictures or files, in batches that fit in memory. */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "image/preprocess.h"
#include "model/session.h"
#include "model/towers.h"

#include <stdlib.h>
#include <string.h>

/* Batches are as large as this much memory for intermediates allows. */
#define BLOCK_BUDGET ((size_t)256 << 20)
#define LARGEST_BATCH ((size_t)32)

enum slot {
    SLOT_PIXELS,
    SLOT_EMBEDDINGS,
};

/* Records the image tower for a batch of n, unless that is what was recorded last. */
static clipc_status record(clipc_session *session, size_t n, clipc_error *error)
{
    const clipc_config *config = &session->model->config;
    const clipc_shape shape = {.rank = 4, .extent = {n, 3, config->image_size, config->image_size}};
    clipc_program *program = &session->image_program;
    clipc_value embeddings;
    clipc_status status;

    if (session->image_program_batch == n)
        return CLIPC_OK;
    session->image_program_batch = 0;
    clipc_program_free(program);
    clipc_program_init(program, &session->model->parameters);
    embeddings =
        clipc_record_image_tower(program, config, clipc_program_bind(program, SLOT_PIXELS, &shape));
    clipc_program_output(program, embeddings, SLOT_EMBEDDINGS);
    status = clipc_program_plan(program, session->model->kernels, error);
    if (!status)
        session->image_program_batch = n;
    return status;
}

/*
 * The number of pictures encoded at once: the option's, or what the budget allows. The first step
 * of encoding, so that it also fails where there is no image tower.
 */
static clipc_status choose_batch(clipc_session *session, clipc_error *error)
{
    clipc_status status = clipc_model_require(session->model, CLIPC_TOWER_IMAGE, "pictures", error);

    if (status || session->image_batch)
        return status;
    if (session->max_batch) {
        session->image_batch = session->max_batch;
        return CLIPC_OK;
    }
    status = record(session, 1, error);
    if (status)
        return status;
    session->image_batch = clipc_max_size(BLOCK_BUDGET / session->image_program.block_bytes, 1);
    session->image_batch = clipc_min_size(session->image_batch, LARGEST_BATCH);
    return CLIPC_OK;
}

static clipc_status encode_batch(clipc_session *session, const float *pixels, size_t n, float *out,
                                 clipc_error *error)
{
    clipc_run run;
    clipc_status status = record(session, n, error);

    if (!status)
        status = clipc_session_prepare(session, &session->image_program, &run, error);
    if (status)
        return status;
    run.bindings[SLOT_PIXELS] = (void *)(uintptr_t)pixels;
    run.bindings[SLOT_EMBEDDINGS] = out;
    clipc_program_run(&run);
    return CLIPC_OK;
}

static size_t pixel_count(const clipc_model *model)
{
    return 3 * model->config.image_size * model->config.image_size;
}

clipc_status clipc_encode_pixels(clipc_session *session, const float *pixels, size_t n, float *out,
                                 clipc_error *error)
{
    const size_t picture = pixel_count(session->model), dim = session->model->config.embed_dim;
    clipc_status status = choose_batch(session, error);

    for (size_t i = 0; i < n && !status; i += session->image_batch)
        status = encode_batch(session, pixels + i * picture,
                              clipc_min_size(session->image_batch, n - i), out + i * dim, error);
    return status;
}

static clipc_preprocess_config preprocess_config(const clipc_model *model)
{
    clipc_preprocess_config config = {.image_size = (uint32_t)model->config.image_size};

    memcpy(config.mean, model->config.mean, sizeof(config.mean));
    memcpy(config.std, model->config.std, sizeof(config.std));
    return config;
}

clipc_status clipc_preprocess(const clipc_model *model, const clipc_image *image, float *out,
                              clipc_error *error)
{
    const clipc_preprocess_config config = preprocess_config(model);

    return clipc_preprocess_pixels(image, &config, out, error);
}

clipc_status clipc_preprocess_file(const clipc_model *model, const char *path,
                                   const clipc_image_options *options, float *out,
                                   clipc_error *error)
{
    const clipc_preprocess_config config = preprocess_config(model);

    return clipc_preprocess_path(path, options, &config, out, error);
}

/* --- Pictures and files: a batch is preprocessed while the one before it is encoded --- */

typedef struct picture_batch {
    size_t first, count; /* among the caller's pictures */
    float *pixels;       /* [picture_job.batch][3][S][S] */
    clipc_error *errors; /* [picture_job.batch]; code CLIPC_OK for a picture that is fine */
} picture_batch;

typedef struct picture_job {
    clipc_session *session;
    const clipc_image *const *images; /* [n], or NULL: */
    const char *const *paths;         /* [n] */
    size_t n;
    const clipc_image_options *options;
    float *out;           /* [n][embed_dim] */
    clipc_error *errors;  /* [n], or NULL */
    clipc_error earliest; /* of any picture */
    size_t batch;         /* most pictures in one */
    picture_batch batches[2];
    /* The step under way; NULL where there is nothing to read or to encode. */
    picture_batch *reading;
    const picture_batch *encoding;
    clipc_status status; /* of encoding */
    clipc_error *error;
} picture_job;

static clipc_status read_picture(const picture_job *job, size_t index, float *pixels,
                                 clipc_error *error)
{
    const clipc_model *model = job->session->model;

    if (job->images)
        return clipc_preprocess(model, job->images[index], pixels, error);
    return clipc_preprocess_file(model, job->paths[index], job->options, pixels, error);
}

/* Moves the good pictures of a batch to its front; returns how many there are. */
static size_t close_gaps(const picture_batch *batch, size_t picture)
{
    size_t good = 0;

    for (size_t i = 0; i < batch->count; i++) {
        if (batch->errors[i].code != CLIPC_OK)
            continue;
        if (good != i)
            memcpy(batch->pixels + good * picture, batch->pixels + i * picture,
                   picture * sizeof(*batch->pixels));
        good++;
    }
    return good;
}

/* Moves the embeddings of the good pictures back to their rows, zeros to the others. */
static void open_gaps(const picture_batch *batch, size_t good, size_t dim, float *out)
{
    for (size_t i = batch->count; i-- > 0;) {
        if (batch->errors[i].code != CLIPC_OK) {
            memset(out + i * dim, 0, dim * sizeof(*out));
            continue;
        }
        good--;
        if (good != i)
            memcpy(out + i * dim, out + good * dim, dim * sizeof(*out));
    }
}

static clipc_status encode_pictures(const picture_job *job, const picture_batch *batch)
{
    const clipc_model *model = job->session->model;
    const size_t dim = model->config.embed_dim;
    const size_t good = close_gaps(batch, pixel_count(model));
    float *out = job->out + batch->first * dim;
    clipc_status status = CLIPC_OK;

    if (good)
        status = encode_batch(job->session, batch->pixels, good, out, job->error);
    if (!status)
        open_gaps(batch, good, dim, out);
    return status;
}

/* Task 0 encodes, each of the others reads a picture. */
static void run_task(void *context, size_t task, unsigned worker)
{
    picture_job *job = context;
    picture_batch *reading = job->reading;

    (void)worker;
    if (task > 0) {
        const size_t i = task - 1;

        reading->errors[i] = (clipc_error){.code = CLIPC_OK};
        read_picture(job, reading->first + i,
                     reading->pixels + i * pixel_count(job->session->model), &reading->errors[i]);
    } else if (job->encoding) {
        job->status = encode_pictures(job, job->encoding);
    }
}

/* Copies a batch's errors out and keeps the first of all. */
static void report(picture_job *job, const picture_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (job->errors)
            job->errors[batch->first + i] = batch->errors[i];
        if (batch->errors[i].code != CLIPC_OK && job->earliest.code == CLIPC_OK)
            job->earliest = batch->errors[i];
    }
}

/*
 * Encoding works on the session's threads, so what is read at the same time needs others. The
 * system divides the cores between them: neither waits for the other before the step ends.
 */
static clipc_status run_step(picture_job *job)
{
    clipc_session *session = job->session;
    clipc_threads *threads = job->encoding ? session->readers : session->threads;
    clipc_status status = CLIPC_OK;

    if (job->encoding && job->reading && !threads) {
        status = clipc_threads_open(&session->readers, clipc_threads_count(session->threads),
                                    job->error);
        threads = session->readers;
    }
    if (status)
        return status;
    job->status = CLIPC_OK;
    clipc_threads_run(threads, 1 + (job->reading ? job->reading->count : 0), run_task, job);
    if (job->reading)
        report(job, job->reading);
    return job->status;
}

static clipc_status run_steps(picture_job *job)
{
    size_t first = 0;
    clipc_status status = CLIPC_OK;

    for (size_t step = 0; !status && (first < job->n || job->reading); step++) {
        job->encoding = job->reading;
        job->reading = first < job->n ? &job->batches[step % 2] : NULL;
        if (job->reading) {
            job->reading->first = first;
            job->reading->count = clipc_min_size(job->batch, job->n - first);
            first += job->reading->count;
        }
        status = run_step(job);
    }
    if (status || job->earliest.code == CLIPC_OK)
        return status;
    return clipc_fail(job->error, job->earliest.code, "%s", job->earliest.message);
}

static bool allocate(picture_job *job)
{
    const size_t count = job->n > job->batch ? 2 : 1;
    size_t floats;

    if (!clipc_mul_size(job->batch, pixel_count(job->session->model), &floats))
        return false;
    for (size_t i = 0; i < count; i++) {
        job->batches[i].pixels = clipc_alloc_aligned(floats, sizeof(float));
        job->batches[i].errors = clipc_calloc(job->batch, sizeof(clipc_error));
        if (!job->batches[i].pixels || !job->batches[i].errors)
            return false;
    }
    return true;
}

/* Two batches are in memory at once: each is half of what is encoded at once without reading. */
static clipc_status run_job(picture_job *job)
{
    clipc_session *session = job->session;
    clipc_status status = choose_batch(session, job->error);

    if (status || job->n == 0)
        return status;
    job->batch = clipc_min_size(clipc_max_size(session->image_batch / 2, 1), job->n);
    status = allocate(job) ? run_steps(job)
                           : clipc_fail_memory(job->error, "pictures",
                                               job->batch * pixel_count(session->model));
    for (size_t i = 0; i < 2; i++) {
        free(job->batches[i].pixels);
        free(job->batches[i].errors);
    }
    return status;
}

clipc_status clipc_encode_images(clipc_session *session, const clipc_image *const *images, size_t n,
                                 float *out, clipc_error *error)
{
    picture_job job = {.session = session, .images = images, .n = n, .out = out, .error = error};

    return run_job(&job);
}

clipc_status clipc_encode_image_files(clipc_session *session, const char *const *paths, size_t n,
                                      const clipc_image_options *options, float *out,
                                      clipc_error *errors, clipc_error *error)
{
    picture_job job = {
        .session = session,
        .paths = paths,
        .n = n,
        .options = options,
        .out = out,
        .errors = errors,
        .error = error,
    };

    return run_job(&job);
}
