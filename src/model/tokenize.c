/* SPDX-License-Identifier: MIT */
/* The public tokenizing functions: one text, or many on several threads. */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "base/threads.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

/* Below this many texts starting threads costs more than it saves. */
#define FEWEST_TEXTS_TO_SHARE ((size_t)512)
/* A text takes a quarter of a microsecond: threads take more of them at once. */
#define TEXTS_PER_TASK ((size_t)64)

#define ALL_FLAGS (CLIPC_TOKENIZE_TRUNCATE | CLIPC_TOKENIZE_REPLACE_INVALID)

/* The model's tokenizer, or CLIP's own: *owned is then to be closed by the caller. */
static clipc_status choose(const clipc_model *model, unsigned flags, clipc_tokenizer **owned,
                           const clipc_tokenizer **tokenizer, clipc_error *error)
{
    clipc_status status;

    *owned = NULL;
    *tokenizer = model ? model->tokenizer : NULL;
    if (flags & ~(unsigned)ALL_FLAGS)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "tokenize: unknown flags 0x%x", flags);
    if (model)
        return CLIPC_OK;
    status = clipc_tokenizer_open(owned, CLIPC_VOCAB_SIZE, error);
    *tokenizer = *owned;
    return status;
}

clipc_status clipc_tokenize(const clipc_model *model, const char *utf8, int32_t *ids,
                            size_t context, unsigned flags, clipc_error *error)
{
    return clipc_tokenize_bytes(model, utf8, strlen(utf8), ids, context, flags, NULL, error);
}

clipc_status clipc_tokenize_bytes(const clipc_model *model, const char *utf8, size_t size,
                                  int32_t *ids, size_t context, unsigned flags, size_t *length,
                                  clipc_error *error)
{
    clipc_tokenizer *owned;
    const clipc_tokenizer *tokenizer;
    clipc_status status = choose(model, flags, &owned, &tokenizer, error);

    if (status)
        return status;
    status = clipc_tokenizer_encode(tokenizer, utf8, size, ids, context, flags, length, error);
    clipc_tokenizer_close(owned);
    return status;
}

typedef struct batch_job {
    const clipc_tokenizer *tokenizer;
    const char *const *texts; /* [n] */
    size_t n;
    int32_t *ids; /* [n][context] */
    size_t context;
    unsigned flags;
    clipc_status *statuses; /* [n] */
} batch_job;

static clipc_status tokenize_one(const batch_job *job, size_t index, clipc_error *error)
{
    const char *text = job->texts[index];

    return clipc_tokenizer_encode(job->tokenizer, text, strlen(text),
                                  job->ids + index * job->context, job->context, job->flags, NULL,
                                  error);
}

static void tokenize_task(void *context, size_t task, unsigned worker)
{
    const batch_job *job = context;
    const size_t end = clipc_min_size((task + 1) * TEXTS_PER_TASK, job->n);

    (void)worker;
    for (size_t i = task * TEXTS_PER_TASK; i < end; i++)
        job->statuses[i] = tokenize_one(job, i, NULL);
}

/* The first failure is run again for its message. */
static clipc_status first_failure(const batch_job *job, size_t *failed, clipc_error *error)
{
    for (size_t i = 0; i < job->n; i++) {
        if (!job->statuses[i])
            continue;
        if (failed)
            *failed = i;
        return tokenize_one(job, i, error);
    }
    return CLIPC_OK;
}

static clipc_status run_batch(const batch_job *job, unsigned thread_count, size_t *failed,
                              clipc_error *error)
{
    const size_t tasks = (job->n + TEXTS_PER_TASK - 1) / TEXTS_PER_TASK;
    clipc_threads *threads = NULL;

    if (job->n >= FEWEST_TEXTS_TO_SHARE && thread_count != 1) {
        clipc_status status = clipc_threads_open(&threads, thread_count, error);

        if (status)
            return status;
    }
    clipc_threads_run(threads, tasks, tokenize_task, (void *)(uintptr_t)job);
    clipc_threads_close(threads);
    return first_failure(job, failed, error);
}

clipc_status clipc_tokenize_batch(const clipc_model *model, const char *const *texts, size_t n,
                                  int32_t *ids, size_t context, unsigned flags, unsigned threads,
                                  size_t *failed, clipc_error *error)
{
    batch_job job = {.texts = texts, .n = n, .ids = ids, .context = context, .flags = flags};
    clipc_tokenizer *owned;
    clipc_status status;

    if (n == 0)
        return CLIPC_OK;
    status = choose(model, flags, &owned, &job.tokenizer, error);
    if (status)
        return status;
    job.statuses = clipc_calloc(n, sizeof(*job.statuses));
    status = job.statuses ? run_batch(&job, threads, failed, error)
                          : clipc_fail_memory(error, "texts", n);
    free(job.statuses);
    clipc_tokenizer_close(owned);
    return status;
}
