/* SPDX-License-Identifier: MIT */
/*
 * Class embeddings for zero-shot classification: labels put into templates, encoded, averaged; as
 * in the notebook "Prompt Engineering for ImageNet" of OpenAI's CLIP.
 */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "model/session.h"

#include <clipc.h>

#include <stdlib.h>
#include <string.h>

#define PLACE "{}"

/*
 * How many texts are encoded at a time: memory does not grow with labels times templates. They are
 * the labels in one template after those in another, so that they share what stands before the
 * label.
 */
#define BATCH 1024

typedef struct class_job {
    clipc_session *session;
    const char *const *labels, *const *templates;
    size_t label_count, template_count; /* template_count at least 1 */
    size_t dim;
    unsigned flags;
    char **texts;      /* [batch] */
    float *embeddings; /* [batch][dim] */
    double *sums;      /* [label_count][dim] */
} class_job;

/* template with every "{}" replaced; NULL when out of memory. */
static char *fill_template(const char *template, const char *label)
{
    const size_t label_length = strlen(label);
    size_t places = 0, bytes;
    char *text, *at;

    for (const char *p = template; (p = strstr(p, PLACE)); p += strlen(PLACE))
        places++;
    if (!clipc_mul_size(places, label_length, &bytes) ||
        !clipc_add_size(bytes, strlen(template) + 1, &bytes))
        return NULL;
    text = at = clipc_calloc(bytes, 1);
    for (const char *place; text && (place = strstr(template, PLACE));
         template = place + strlen(PLACE)) {
        memcpy(at, template, (size_t)(place - template));
        at += place - template;
        memcpy(at, label, label_length);
        at += label_length;
    }
    if (text)
        memcpy(at, template, strlen(template) + 1);
    return text;
}

/* Adds the normalised embeddings of texts [first, first + count) to their classes. */
static void add_up(class_job *job, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float *embedding = job->embeddings + i * job->dim;
        double *sum = job->sums + (first + i) % job->label_count * job->dim;

        for (size_t j = 0; j < job->dim; j++)
            sum[j] += (double)embedding[j];
    }
}

static clipc_status encode_some(class_job *job, size_t first, size_t count, clipc_error *error)
{
    clipc_status status = CLIPC_OK;

    for (size_t i = 0; i < count; i++) {
        const size_t index = first + i;

        job->texts[i] = fill_template(job->templates[index / job->label_count],
                                      job->labels[index % job->label_count]);
        if (!job->texts[i])
            status = clipc_fail_memory(error, "labels", 0);
    }
    if (!status)
        status = clipc_encode_texts(job->session, (const char *const *)job->texts, count,
                                    job->flags, job->embeddings, error);
    for (size_t i = 0; i < count; i++) {
        free(job->texts[i]);
        job->texts[i] = NULL;
    }
    if (status)
        return status;
    clipc_normalize(job->embeddings, count, job->dim);
    add_up(job, first, count);
    return CLIPC_OK;
}

static clipc_status encode_all(class_job *job, size_t total, size_t batch, clipc_error *error)
{
    for (size_t first = 0; first < total; first += batch) {
        clipc_status status = encode_some(job, first, clipc_min_size(batch, total - first), error);

        if (status)
            return status;
    }
    return CLIPC_OK;
}

clipc_status clipc_encode_classes(clipc_session *session, const char *const *labels, size_t n,
                                  const char *const *templates, size_t nt, unsigned flags,
                                  float *out, clipc_error *error)
{
    static const char *const label_alone[] = {PLACE};
    class_job job = {
        .session = session,
        .labels = labels,
        .label_count = n,
        .templates = nt ? templates : label_alone,
        .template_count = nt ? nt : 1,
        .dim = session->model->config.embed_dim,
        .flags = flags,
    };
    size_t total, floats;
    clipc_status status;

    if (!clipc_mul_size(n, job.template_count, &total) || !clipc_mul_size(n, job.dim, &floats))
        return clipc_fail_memory(error, "labels", n);
    if (n == 0)
        return CLIPC_OK;
    job.texts = clipc_calloc(BATCH, sizeof(*job.texts));
    job.embeddings = clipc_calloc(BATCH, job.dim * sizeof(float));
    job.sums = clipc_calloc(floats, sizeof(*job.sums));
    status = job.texts && job.embeddings && job.sums
                 ? encode_all(&job, total, BATCH, error)
                 : clipc_fail_memory(error, "labels", floats * sizeof(*job.sums));
    if (!status) {
        for (size_t i = 0; i < floats; i++)
            out[i] = (float)(job.sums[i] / (double)job.template_count);
        clipc_normalize(out, n, job.dim);
    }
    free(job.texts);
    free(job.embeddings);
    free(job.sums);
    return status;
}
