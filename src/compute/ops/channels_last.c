/* SPDX-License-Identifier: MIT */
/* Planar pictures ([n][channels][h][w]) to channels last ([n][h][w][channels]). */
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

static void channels_last_forward(const clipc_run *run, const clipc_node *node)
{
    const clipc_shape *in = clipc_program_shape(run->program, node->inputs[0]);
    const size_t channels = in->extent[1], places = in->extent[2] * in->extent[3];
    const float *x = clipc_run_value(run, node->inputs[0]);
    float *out = clipc_run_value(run, node->output);

    for (size_t i = 0; i < in->extent[0]; i++)
        for (size_t place = 0; place < places; place++)
            for (size_t c = 0; c < channels; c++)
                *out++ = x[(i * channels + c) * places + place];
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
