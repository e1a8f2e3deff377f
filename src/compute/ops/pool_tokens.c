/* SPDX-License-Identifier: MIT */
/* A feature map to the tokens of attention pooling: the mean first, positional embeddings added. */
#include "base/sizes.h"
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

/* Channels of one task. */
#define CHUNK ((size_t)256)

typedef struct tokens_job {
    const float *x, *positions;
    float *out;
    size_t places, width;
    size_t chunks; /* of a row */
} tokens_job;

/* Some channels of one picture's tokens. */
static void pool_channels(void *context, size_t task, unsigned worker)
{
    const tokens_job *job = context;
    const size_t width = job->width, picture = task / job->chunks;
    const size_t first = task % job->chunks * CHUNK, count = clipc_min_size(CHUNK, width - first);
    const float *x = job->x + picture * job->places * width + first;
    const float *positions = job->positions + first;
    float *mean = job->out + picture * (1 + job->places) * width + first, *out = mean;
    const float scale = 1.0f / (float)job->places;

    (void)worker;
    for (size_t j = 0; j < count; j++)
        mean[j] = 0.0f;
    for (size_t place = 0; place < job->places; place++, x += width) {
        out += width;
        positions += width;
        for (size_t j = 0; j < count; j++) {
            mean[j] += x[j];
            out[j] = x[j] + positions[j];
        }
    }
    for (size_t j = 0; j < count; j++)
        mean[j] = mean[j] * scale + job->positions[first + j];
}

static void pool_tokens_forward(const clipc_run *run, const clipc_node *node)
{
    const clipc_shape *in = clipc_program_shape(run->program, node->inputs[0]);
    tokens_job job = {
        .x = clipc_run_value(run, node->inputs[0]),
        .positions = clipc_run_parameter(run, node->parameters[0]),
        .out = clipc_run_value(run, node->output),
        .places = in->extent[1] * in->extent[2],
        .width = in->extent[3],
    };

    job.chunks = (job.width + CHUNK - 1) / CHUNK;
    clipc_threads_run(run->threads, in->extent[0] * job.chunks, pool_channels, &job);
}

/* Each element of the output is added to once; the means are sums of as many terms in all. */
static clipc_cost pool_tokens_cost(const clipc_run *run, const clipc_node *node)
{
    return clipc_cost_whole(run, node, 1, 2.0);
}

static const clipc_op pool_tokens_op = {
    .name = "pool_tokens", .forward = pool_tokens_forward, .cost = pool_tokens_cost};

clipc_value clipc_op_pool_tokens(clipc_program *program, clipc_value x,
                                 clipc_parameter_id positions)
{
    const clipc_shape *in = clipc_program_shape(program, x);
    const size_t tokens = 1 + in->extent[1] * in->extent[2]; /* of one picture */

    if (!clipc_rule_rank(program, pool_tokens_op.name, "x", x, 4) ||
        !clipc_rule_parameter(program, pool_tokens_op.name, "positions", positions,
                              clipc_shape_2(tokens, in->extent[3])))
        return CLIPC_NO_VALUE;
    return clipc_program_append(program,
                                &(clipc_node_recipe){
                                    .op = &pool_tokens_op,
                                    .inputs = {x},
                                    .input_count = 1,
                                    .parameters = {positions},
                                    .shape = clipc_shape_2(in->extent[0] * tokens, in->extent[3]),
                                });
}
