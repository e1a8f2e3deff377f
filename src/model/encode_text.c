/* SPDX-License-Identifier: MIT */
/* Encoding texts, given as token ids or as text, in packed batches. */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "model/session.h"
#include "model/text_batch.h"
#include "model/towers.h"

#include <stdlib.h>
#include <string.h>

enum slot {
    SLOT_IDS,
    SLOT_PLACES,
    SLOT_OFFSETS,
    SLOT_TOKEN_ROWS,
    SLOT_TOKEN_OFFSETS,
    SLOT_ENDS,
    SLOT_EMBEDDINGS,
};

static clipc_status check_ids(const clipc_model *model, const int32_t *ids, size_t n,
                              clipc_error *error)
{
    const size_t context = model->config.context_length;

    for (size_t i = 0; i < n * context; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= model->config.vocab_size)
            return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                              "tokens: id %d at position %zu of text %zu, 0 to %zu was expected",
                              (int)ids[i], i % context, i / context, model->config.vocab_size - 1);
    return CLIPC_OK;
}

static void record(clipc_program *program, const clipc_config *config,
                   const clipc_text_batch *batch)
{
    const clipc_shape tokens = clipc_shape_1(batch->tokens), texts = clipc_shape_1(batch->texts);
    const clipc_shape bounds = clipc_shape_1(batch->texts + 1);
    const clipc_shape listed = clipc_shape_1(batch->listed);
    const clipc_packed_texts packed = {
        .count = batch->texts,
        .ids = clipc_program_bind(program, SLOT_IDS, &tokens),
        .places = clipc_program_bind(program, SLOT_PLACES, &tokens),
        .offsets = clipc_program_bind(program, SLOT_OFFSETS, &bounds),
        .token_rows = clipc_program_bind(program, SLOT_TOKEN_ROWS, &listed),
        .token_offsets = clipc_program_bind(program, SLOT_TOKEN_OFFSETS, &bounds),
        .ends = clipc_program_bind(program, SLOT_ENDS, &texts),
    };

    clipc_program_output(program, clipc_record_text_tower(program, config, &packed),
                         SLOT_EMBEDDINGS);
}

static clipc_status run_batch(clipc_session *session, const clipc_text_batch *batch, float *out,
                              clipc_error *error)
{
    clipc_program program;
    clipc_run run;
    clipc_status status;

    clipc_program_init(&program, &session->model->parameters);
    record(&program, &session->model->config, batch);
    status = clipc_program_plan(&program, session->model->kernels, error);
    if (!status)
        status = clipc_session_prepare(session, &program, &run, error);
    if (!status) {
        run.bindings[SLOT_IDS] = batch->ids;
        run.bindings[SLOT_PLACES] = batch->places;
        run.bindings[SLOT_OFFSETS] = batch->offsets;
        run.bindings[SLOT_TOKEN_ROWS] = batch->token_rows;
        run.bindings[SLOT_TOKEN_OFFSETS] = batch->token_offsets;
        run.bindings[SLOT_ENDS] = batch->ends;
        run.bindings[SLOT_EMBEDDINGS] = out;
        clipc_program_run(&run);
    }
    clipc_program_free(&program);
    return status;
}

/*
 * Encodes sorted texts batch by batch; embeddings go from rows: [most_texts][dim] to their places.
 */
static clipc_status encode_sorted(clipc_session *session, clipc_text_batch *batch,
                                  const clipc_text *texts, size_t n, float *rows, float *out,
                                  clipc_error *error)
{
    const size_t dim = session->model->config.embed_dim;

    for (size_t done = 0; done < n; done += batch->texts) {
        clipc_status status;

        clipc_text_batch_fill(batch, texts + done, n - done);
        status = run_batch(session, batch, rows, error);
        if (status)
            return status;
        for (size_t i = 0; i < batch->texts; i++)
            memcpy(out + texts[done + i].index * dim, rows + i * dim, dim * sizeof(*out));
    }
    return CLIPC_OK;
}

clipc_status clipc_encode_tokens(clipc_session *session, const int32_t *ids, size_t n, float *out,
                                 clipc_error *error)
{
    const clipc_config *config = &session->model->config;
    clipc_text_batch batch;
    clipc_text *texts;
    float *rows;
    clipc_status status = clipc_model_require(session->model, CLIPC_TOWER_TEXT, "texts", error);

    if (!status)
        status = check_ids(session->model, ids, n, error);
    if (status || n == 0)
        return status;
    status = clipc_text_batch_open(&batch, config->context_length,
                                   session->max_batch ? clipc_min_size(session->max_batch, n) : n,
                                   error);
    if (status)
        return status;
    texts = clipc_calloc(n, sizeof(*texts));
    rows = clipc_calloc(batch.most_texts, config->embed_dim * sizeof(*rows));
    if (texts && rows) {
        clipc_texts_sort(texts, ids, n, config->context_length);
        status = encode_sorted(session, &batch, texts, n, rows, out, error);
    } else {
        status = clipc_fail_memory(error, "texts", n * sizeof(*texts));
    }
    free(rows);
    free(texts);
    clipc_text_batch_close(&batch);
    return status;
}

clipc_status clipc_encode_texts(clipc_session *session, const char *const *texts, size_t n,
                                unsigned flags, float *out, clipc_error *error)
{
    const size_t context = session->model->config.context_length;
    clipc_status status = clipc_model_require(session->model, CLIPC_TOWER_TEXT, "texts", error);
    int32_t *ids;
    size_t count;

    if (status || n == 0)
        return status;
    if (!clipc_mul_size(n, context, &count))
        return clipc_fail_memory(error, "texts", n);
    ids = clipc_calloc(count, sizeof(*ids));
    if (!ids)
        return clipc_fail_memory(error, "texts", count * sizeof(*ids));
    status = clipc_tokenize_batch(session->model, texts, n, ids, context, flags,
                                  clipc_threads_count(session->threads), NULL, error);
    if (!status)
        status = clipc_encode_tokens(session, ids, n, out, error);
    free(ids);
    return status;
}
