/* SPDX-License-Identifier: MIT */
/* Embeddings -> scores: cosine similarities scaled by the temperature, and their softmax. */
#include "base/memory.h"
#include "base/status.h"
#include "model/model.h"

#include <math.h>
#include <stdlib.h>

/* The Euclidean length of a row, summed in double. */
static double row_length(const float *x, size_t d)
{
    double sum = 0.0;

    for (size_t j = 0; j < d; j++)
        sum += (double)x[j] * (double)x[j];
    return sqrt(sum);
}

void clipc_normalize(float *x, size_t n, size_t d)
{
    for (size_t i = 0; i < n; i++) {
        const double length = row_length(x + i * d, d);

        for (size_t j = 0; j < d && length > 0.0; j++)
            x[i * d + j] = (float)((double)x[i * d + j] / length);
    }
}

static double dot(const float *a, const float *b, size_t d)
{
    double sum = 0.0;

    for (size_t j = 0; j < d; j++)
        sum += (double)a[j] * (double)b[j];
    return sum;
}

/* lengths: [nt], of the texts' rows. */
static void fill_logits(const float *image, size_t ni, const float *text, const double *lengths,
                        size_t nt, size_t d, double scale, float *out)
{
    for (size_t i = 0; i < ni; i++) {
        const double image_length = row_length(image + i * d, d);

        for (size_t j = 0; j < nt; j++) {
            const double lengths_product = image_length * lengths[j];

            out[i * nt + j] =
                lengths_product > 0.0
                    ? (float)(scale * dot(image + i * d, text + j * d, d) / lengths_product)
                    : 0.0f;
        }
    }
}

clipc_status clipc_logits(const clipc_model *model, const float *image, size_t ni,
                          const float *text, size_t nt, float *out, clipc_error *error)
{
    const size_t d = model->config.embed_dim;
    double *lengths;

    if (ni == 0 || nt == 0)
        return CLIPC_OK;
    lengths = clipc_calloc(nt, sizeof(*lengths));
    if (!lengths)
        return clipc_fail_memory(error, "logits", nt * sizeof(*lengths));
    for (size_t j = 0; j < nt; j++)
        lengths[j] = row_length(text + j * d, d);
    fill_logits(image, ni, text, lengths, nt, d, exp((double)model->logit_scale), out);
    free(lengths);
    return CLIPC_OK;
}

void clipc_softmax(const float *logits, size_t n, size_t k, float *out)
{
    for (size_t i = 0; i < n; i++) {
        const float *row = logits + i * k;
        float max = row[0];
        double sum = 0.0;

        for (size_t j = 1; j < k; j++)
            max = row[j] > max ? row[j] : max;
        for (size_t j = 0; j < k; j++)
            sum += exp((double)row[j] - (double)max);
        for (size_t j = 0; j < k; j++)
            out[i * k + j] = (float)(exp((double)row[j] - (double)max) / sum);
    }
}
