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

/* --- Pictures and files: preprocessed in parallel, a batch at a time --- */

typedef struct picture_job {
    const clipc_model *model;
    const clipc_image *const *images; /* or NULL: */
    const char *const *paths;
    const clipc_image_options *options;
    float *pixels;       /* [batch][3][S][S] */
    clipc_error *errors; /* [batch]; code CLIPC_OK for a picture that is fine */
} picture_job;

static clipc_status read_picture(const picture_job *job, size_t index, clipc_error *error)
{
    float *pixels = job->pixels + index * pixel_count(job->model);

    if (job->images)
        return clipc_preprocess(job->model, job->images[index], pixels, error);
    return clipc_preprocess_file(job->model, job->paths[index], job->options, pixels, error);
}

static void read_task(void *context, size_t index, unsigned worker)
{
    const picture_job *job = context;

    (void)worker;
    job->errors[index] = (clipc_error){.code = CLIPC_OK};
    read_picture(job, index, &job->errors[index]);
}

/* Moves the good pictures of a batch to its front; returns how many there are. */
static size_t close_gaps(const picture_job *job, size_t n)
{
    const size_t picture = pixel_count(job->model);
    size_t good = 0;

    for (size_t i = 0; i < n; i++) {
        if (job->errors[i].code != CLIPC_OK)
            continue;
        if (good != i)
            memcpy(job->pixels + good * picture, job->pixels + i * picture,
                   picture * sizeof(*job->pixels));
        good++;
    }
    return good;
}

/* Moves the embeddings of the good pictures back to their rows, zeros to the others. */
static void open_gaps(const picture_job *job, size_t n, size_t good, size_t dim, float *out)
{
    for (size_t i = n; i-- > 0;) {
        if (job->errors[i].code != CLIPC_OK) {
            memset(out + i * dim, 0, dim * sizeof(*out));
            continue;
        }
        good--;
        if (good != i)
            memcpy(out + i * dim, out + good * dim, dim * sizeof(*out));
    }
}

static clipc_status encode_picture_batch(clipc_session *session, const picture_job *job, size_t n,
                                         float *out, clipc_error *error)
{
    const size_t dim = session->model->config.embed_dim;
    clipc_status status = CLIPC_OK;
    size_t good;

    clipc_threads_run(session->threads, n, read_task, (void *)(uintptr_t)job);
    good = close_gaps(job, n);
    if (good)
        status = encode_batch(session, job->pixels, good, out, error);
    if (status)
        return status;
    open_gaps(job, n, good, dim, out);
    return CLIPC_OK;
}

/* Copies a batch's errors out and keeps the first of all. */
static void report(const picture_job *job, size_t first, size_t n, clipc_error *errors,
                   clipc_error *earliest)
{
    for (size_t i = 0; i < n; i++) {
        if (errors)
            errors[first + i] = job->errors[i];
        if (job->errors[i].code != CLIPC_OK && earliest->code == CLIPC_OK)
            *earliest = job->errors[i];
    }
}

static clipc_status encode_pictures(clipc_session *session, picture_job *job, size_t n, float *out,
                                    clipc_error *errors, clipc_error *error)
{
    const size_t dim = session->model->config.embed_dim;
    const clipc_image *const *images = job->images;
    const char *const *paths = job->paths;
    clipc_error earliest = {.code = CLIPC_OK};
    clipc_status status = CLIPC_OK;

    for (size_t i = 0; i < n && !status; i += session->image_batch) {
        const size_t count = clipc_min_size(session->image_batch, n - i);

        job->images = images ? images + i : NULL;
        job->paths = paths ? paths + i : NULL;
        status = encode_picture_batch(session, job, count, out + i * dim, error);
        report(job, i, count, errors, &earliest);
    }
    if (status || earliest.code == CLIPC_OK)
        return status;
    return clipc_fail(error, earliest.code, "%s", earliest.message);
}

static clipc_status with_batch_memory(clipc_session *session, picture_job *job, size_t n,
                                      float *out, clipc_error *errors, clipc_error *error)
{
    clipc_status status = choose_batch(session, error);
    size_t batch, floats;

    if (status || n == 0)
        return status;
    batch = clipc_min_size(session->image_batch, n);
    job->model = session->model;
    if (!clipc_mul_size(batch, pixel_count(session->model), &floats))
        return clipc_fail_memory(error, "pictures", batch);
    job->pixels = clipc_alloc_aligned(floats, sizeof(float));
    job->errors = clipc_calloc(batch, sizeof(*job->errors));
    status = job->pixels && job->errors
                 ? encode_pictures(session, job, n, out, errors, error)
                 : clipc_fail_memory(error, "pictures", floats * sizeof(float));
    free(job->pixels);
    free(job->errors);
    return status;
}

clipc_status clipc_encode_images(clipc_session *session, const clipc_image *const *images, size_t n,
                                 float *out, clipc_error *error)
{
    picture_job job = {.images = images};

    return with_batch_memory(session, &job, n, out, NULL, error);
}

clipc_status clipc_encode_image_files(clipc_session *session, const char *const *paths, size_t n,
                                      const clipc_image_options *options, float *out,
                                      clipc_error *errors, clipc_error *error)
{
    picture_job job = {.paths = paths, .options = options};

    return with_batch_memory(session, &job, n, out, errors, error);
}
