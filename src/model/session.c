/* SPDX-License-Identifier: MIT */
/* Sessions: the scratch memory and the threads with which one thread of the caller encodes. */
#include "model/session.h"

#include "base/memory.h"
#include "base/options.h"
#include "base/sizes.h"
#include "base/status.h"

#include <stdlib.h>

void clipc_session_options_init(clipc_session_options *options)
{
    *options = (clipc_session_options){.size = sizeof(*options)};
}

clipc_status clipc_session_open(clipc_session **out, const clipc_model *model,
                                const clipc_session_options *options, clipc_error *error)
{
    clipc_session_options settings;
    clipc_session *session;
    clipc_status status;

    *out = NULL;
    clipc_session_options_init(&settings);
    status = clipc_options_take(&settings, sizeof(settings), options, "session options", error);
    if (status)
        return status;
    if (!model)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "session: a model was expected, got NULL");
    if (!model->has_weights)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "session: the model was opened without its weights");
    session = clipc_calloc(1, sizeof(*session));
    if (!session)
        return clipc_fail_memory(error, "session", sizeof(*session));
    session->model = model;
    session->max_batch = settings.max_batch;
    status = clipc_threads_open(&session->threads, settings.threads, error);
    if (status) {
        clipc_session_close(session);
        return status;
    }
    *out = session;
    return CLIPC_OK;
}

void clipc_session_close(clipc_session *session)
{
    if (!session)
        return;
    clipc_threads_close(session->readers);
    clipc_threads_close(session->threads);
    clipc_program_free(&session->image_program);
    free(session->block);
    free(session->scratch);
    free(session);
}

void clipc_session_observe(clipc_session *session, clipc_observer_fn observer, void *data)
{
    session->observer = observer;
    session->observer_data = data;
}

void clipc_session_profile(clipc_session *session, clipc_profile_fn profile, void *data)
{
    session->profile = profile;
    session->profile_data = data;
}

/* Makes *memory at least `bytes` long; its contents are not kept. */
static clipc_status ensure(unsigned char **memory, size_t *have, size_t bytes, clipc_error *error)
{
    unsigned char *grown;

    if (bytes <= *have)
        return CLIPC_OK;
    grown = clipc_alloc_aligned(bytes, 1);
    if (!grown)
        return clipc_fail_memory(error, "session", bytes);
    free(*memory);
    *memory = grown;
    *have = bytes;
    return CLIPC_OK;
}

clipc_status clipc_session_prepare(clipc_session *session, const clipc_program *program,
                                   clipc_run *run, clipc_error *error)
{
    size_t scratch_bytes;
    clipc_status status;

    if (!clipc_program_scratch(program, clipc_threads_count(session->threads), &scratch_bytes))
        return clipc_fail_memory(error, "session", program->scratch_bytes);

    status = ensure(&session->block, &session->block_bytes, program->block_bytes, error);
    if (!status)
        status = ensure(&session->scratch, &session->scratch_bytes, scratch_bytes, error);
    if (status)
        return status;
    *run = (clipc_run){
        .program = program,
        .kernels = session->model->kernels,
        .threads = session->threads,
        .block = session->block,
        .scratch = session->scratch,
        .observer = session->observer,
        .observer_data = session->observer_data,
        .profile = session->profile,
        .profile_data = session->profile_data,
    };
    return CLIPC_OK;
}
