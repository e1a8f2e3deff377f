/* SPDX-License-Identifier: MIT */
/* Encoding texts: token ids, packed without what follows their end tokens, or text itself. */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "model/session.h"
#include "model/towers.h"

#include <stdlib.h>
#include <string.h>

/* Texts are encoded together until they have this many tokens, or the option's number of texts. */
#define BATCH_TOKENS ((size_t)2048)

enum slot {
    SLOT_IDS,
    SLOT_PLACES,
    SLOT_OFFSETS,
    SLOT_ENDS,
    SLOT_EMBEDDINGS,
};

/* A batch of packed texts; arrays as clipc_packed_texts names them. */
typedef struct packed_batch {
    uint32_t *ids, *places; /* [tokens] */
    uint32_t *offsets;      /* [texts + 1] */
    uint32_t *ends;         /* [texts] */
    size_t texts, tokens;
} packed_batch;

/*
 * The position of the first occurrence of the largest id: the end token, as the reference's argmax.
 */
static size_t end_position(const int32_t *ids, size_t context)
{
    size_t best = 0;

    for (size_t i = 1; i < context; i++)
        if (ids[i] > ids[best])
            best = i;
    return best;
}

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

static void append_text(packed_batch *batch, const int32_t *ids, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        batch->ids[batch->tokens + i] = (uint32_t)ids[i];
        batch->places[batch->tokens + i] = (uint32_t)i;
    }
    batch->tokens += length;
    batch->texts++;
    batch->offsets[batch->texts] = (uint32_t)batch->tokens;
    batch->ends[batch->texts - 1] = (uint32_t)(batch->tokens - 1);
}

/*
 * Packs texts from ids: [n][context] until the batch is full; returns how many it took, at least 1.
 */
static size_t fill(packed_batch *batch, const int32_t *ids, size_t n, size_t context,
                   size_t max_texts)
{
    size_t taken = 0;

    batch->texts = batch->tokens = 0;
    while (taken < n && taken < max_texts) {
        const int32_t *text = ids + taken * context;
        const size_t length = end_position(text, context) + 1;

        if (taken && batch->tokens + length > BATCH_TOKENS)
            break;
        append_text(batch, text, length);
        taken++;
    }
    return taken;
}

static void record(clipc_program *program, const clipc_config *config, const packed_batch *batch)
{
    const clipc_shape tokens = clipc_shape_1(batch->tokens), texts = clipc_shape_1(batch->texts);
    const clipc_shape bounds = clipc_shape_1(batch->texts + 1);
    const clipc_packed_texts packed = {
        .count = batch->texts,
        .ids = clipc_program_bind(program, SLOT_IDS, &tokens),
        .places = clipc_program_bind(program, SLOT_PLACES, &tokens),
        .offsets = clipc_program_bind(program, SLOT_OFFSETS, &bounds),
        .ends = clipc_program_bind(program, SLOT_ENDS, &texts),
    };

    clipc_program_output(program, clipc_record_text_tower(program, config, &packed),
                         SLOT_EMBEDDINGS);
}

static clipc_status run_batch(clipc_session *session, const packed_batch *batch, float *out,
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
        run.bindings[SLOT_ENDS] = batch->ends;
        run.bindings[SLOT_EMBEDDINGS] = out;
        clipc_program_run(&run);
    }
    clipc_program_free(&program);
    return status;
}

static clipc_status encode_in_batches(clipc_session *session, packed_batch *batch, size_t max_texts,
                                      const int32_t *ids, size_t n, float *out, clipc_error *error)
{
    const size_t context = session->model->config.context_length;
    const size_t dim = session->model->config.embed_dim;
    clipc_status status = CLIPC_OK;

    for (size_t done = 0; done < n && !status; done += batch->texts) {
        fill(batch, ids + done * context, n - done, context, max_texts);
        status = run_batch(session, batch, out + done * dim, error);
    }
    return status;
}

clipc_status clipc_encode_tokens(clipc_session *session, const int32_t *ids, size_t n, float *out,
                                 clipc_error *error)
{
    const size_t context = session->model->config.context_length;
    /* A text has at least one token, so no batch has more texts than tokens. */
    const size_t tokens = clipc_max_size(BATCH_TOKENS, context);
    const size_t max_texts =
        clipc_min_size(session->max_batch ? session->max_batch : tokens, tokens);
    packed_batch batch = {0};
    uint32_t *memory;
    clipc_status status = check_ids(session->model, ids, n, error);

    if (status)
        return status;
    memory = clipc_calloc(4 * tokens + 1, sizeof(*memory));
    if (!memory)
        return clipc_fail_memory(error, "texts", tokens);
    batch.ids = memory;
    batch.places = memory + tokens;
    batch.ends = memory + 2 * tokens;
    batch.offsets = memory + 3 * tokens;
    status = encode_in_batches(session, &batch, max_texts, ids, n, out, error);
    free(memory);
    return status;
}

clipc_status clipc_encode_texts(clipc_session *session, const char *const *texts, size_t n,
                                unsigned flags, float *out, clipc_error *error)
{
    const size_t context = session->model->config.context_length;
    clipc_status status;
    int32_t *ids;
    size_t count;

    if (n == 0)
        return CLIPC_OK;
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
