/* SPDX-License-Identifier: MIT */
/* Planar pictures ([n][channels][h][w]) to channels last ([n][h][w][channels]). */
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

typedef struct interleave_job {
    const clipc_shape *in;
    const float *x;
    float *out;
} interleave_job;

/* One row of one picture. */
static void interleave_row(void *context, size_t task, unsigned worker)
{
    const interleave_job *job = context;
    const size_t channels = job->in->extent[1], height = job->in->extent[2];
    const size_t width = job->in->extent[3];
    const float *row = job->x + (task / height * channels * height + task % height) * width;
    float *out = job->out + task * width * channels;

    (void)worker;
    for (size_t place = 0; place < width; place++)
        for (size_t c = 0; c < channels; c++)
            *out++ = row[c * height * width + place];
}

static void channels_last_forward(const clipc_run *run, const clipc_node *node)
{
    interleave_job job = {
        .in = clipc_program_shape(run->program, node->inputs[0]),
        .x = clipc_run_value(run, node->inputs[0]),
        .out = clipc_run_value(run, node->output),
    };

    clipc_threads_run(run->threads, job.in->extent[0] * job.in->extent[2], interleave_row, &job);
}

static clipc_cost channels_last_cost(const clipc_run *run, const clipc_node *node)
{
    return clipc_cost_whole(run, node, 0, 0.0);
}

static const clipc_op channels_last_op = {
    .name = "channels_last", .forward = channels_last_forward, .cost = channels_last_cost};

clipc_value clipc_op_channels_last(clipc_program *program, clipc_value x)
{
    const clipc_shape *in = clipc_program_shape(program, x);

    if (!clipc_rule_rank(program, channels_last_op.name, "x", x, 4))
        return CLIPC_NO_VALUE;
    return clipc_program_append(program, &(clipc_node_recipe){
                                             .op = &channels_last_op,
                                             .inputs = {x},
                                             .input_count = 1,
                                             .shape = clipc_shape_4(in->extent[0], in->extent[2],
                                                                    in->extent[3], in->extent[1]),
                                         });
}
