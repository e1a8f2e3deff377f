/* SPDX-License-Identifier: MIT */
/* Average pooling over squares that do not overlap: the anti-aliased strides of CLIP's ResNet. */
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

#include <string.h>

typedef struct pool_attributes {
    size_t step;
} pool_attributes;

typedef struct pool_job {
    const clipc_shape *in, *out;
    size_t step;
    const float *x;
    float *y;
} pool_job;

/* One row of output places of one picture. */
static void pool_row(void *context, size_t task, unsigned worker)
{
    const pool_job *job = context;
    const size_t width = job->in->extent[2], channels = job->in->extent[3], step = job->step;
    const size_t out_height = job->out->extent[1], out_width = job->out->extent[2];
    const float *rows =
        job->x +
        (task / out_height * job->in->extent[1] + task % out_height * step) * width * channels;
    float *out = job->y + task * out_width * channels;
    const float scale = 1.0f / (float)(step * step);

    (void)worker;
    for (size_t place = 0; place < out_width; place++, out += channels) {
        const float *corner = rows + place * step * channels;

        memcpy(out, corner, channels * sizeof(*out));
        for (size_t i = 1; i < step * step; i++) {
            const float *x = corner + (i / step * width + i % step) * channels;

            for (size_t c = 0; c < channels; c++)
                out[c] += x[c];
        }
        for (size_t c = 0; c < channels; c++)
            out[c] *= scale;
    }
}

static void pool_forward(const clipc_run *run, const clipc_node *node)
{
    const pool_attributes *attributes = node->attributes;
    pool_job job = {
        .in = clipc_program_shape(run->program, node->inputs[0]),
        .out = clipc_program_shape(run->program, node->output),
        .step = attributes->step,
        .x = clipc_run_value(run, node->inputs[0]),
        .y = clipc_run_value(run, node->output),
    };

    clipc_threads_run(run->threads, job.out->extent[0] * job.out->extent[1], pool_row, &job);
}

static clipc_cost pool_cost(const clipc_run *run, const clipc_node *node)
{
    const pool_attributes *attributes = node->attributes;

    return clipc_cost_whole(run, node, 0, (double)(attributes->step * attributes->step));
}

static const clipc_op pool_op = {.name = "avgpool", .forward = pool_forward, .cost = pool_cost};

clipc_value clipc_op_avgpool(clipc_program *program, clipc_value x, size_t step)
{
    const clipc_shape *in = clipc_program_shape(program, x);
    pool_attributes attributes = {.step = step};

    if (!clipc_rule_rank(program, pool_op.name, "x", x, 4) ||
        !clipc_rule(program, pool_op.name, step > 0, "a step of at least 1"))
        return CLIPC_NO_VALUE;
    return clipc_program_append(program,
                                &(clipc_node_recipe){
                                    .op = &pool_op,
                                    .inputs = {x},
                                    .input_count = 1,
                                    .attributes = &attributes,
                                    .attributes_size = sizeof(attributes),
                                    .shape = clipc_shape_4(in->extent[0], in->extent[1] / step,
                                                           in->extent[2] / step, in->extent[3]),
                                });
}
