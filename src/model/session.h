/* SPDX-License-Identifier: MIT */
/* What a clipc_session holds: threads, memory and the last recorded image program. */
#ifndef CLIPC_MODEL_SESSION_H
#define CLIPC_MODEL_SESSION_H

#include "base/threads.h"
#include "compute/program.h"
#include "model/model.h"

struct clipc_session {
    const clipc_model *model;
    clipc_threads *threads;
    clipc_threads *readers; /* preprocess pictures while others are encoded; NULL until then */
    size_t max_batch;       /* the option: pictures or texts at once; 0: chosen */
    size_t image_batch;     /* pictures encoded at once; 0: not chosen yet */
    clipc_program image_program;
    size_t image_program_batch; /* pictures it was recorded for; 0: not recorded */
    unsigned char *block;       /* memory of a run, grown as needed */
    size_t block_bytes;
    unsigned char *scratch;
    size_t scratch_bytes;
    clipc_observer_fn observer; /* NULL, or sees every named stage of the towers */
    void *observer_data;
    clipc_profile_fn profile; /* NULL, or sees every op */
    void *profile_data;
};

/* Lets a test see the stages of the towers; NULL ends it. */
void clipc_session_observe(clipc_session *session, clipc_observer_fn observer, void *data);

/* Prepares memory for a planned program and fills *run but for its bindings. */
clipc_status clipc_session_prepare(clipc_session *session, const clipc_program *program,
                                   clipc_run *run, clipc_error *error);

#endif
