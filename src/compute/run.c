/* SPDX-License-Identifier: MIT */
/* Running a planned program: walk the list, op by op. */
#include "compute/program.h"

#include "base/clock.h"

#include <string.h>

void *clipc_run_value(const clipc_run *run, clipc_value value)
{
    const clipc_value_facts *facts = &run->program->values[value];

    if (facts->storage == CLIPC_STORAGE_BOUND)
        return run->bindings[facts->slot];
    return run->block + facts->offset;
}

const void *clipc_run_parameter(const clipc_run *run, clipc_parameter_id parameter)
{
    if (parameter == CLIPC_NO_PARAMETER)
        return NULL;
    return run->program->parameters->items[parameter].data;
}

const clipc_matrix_kernel *clipc_run_kernel(const clipc_run *run, clipc_parameter_id parameter)
{
    return clipc_program_kernel(run->program, parameter);
}

void *clipc_run_scratch(const clipc_run *run, unsigned worker)
{
    return run->scratch + run->program->shared_bytes + (size_t)worker * run->program->scratch_bytes;
}

void *clipc_run_shared(const clipc_run *run)
{
    return run->scratch;
}

static void profile_node(const clipc_run *run, const clipc_node *node, double seconds)
{
    const clipc_shape *shape = clipc_program_shape(run->program, node->output);
    const clipc_cost cost = node->op->cost(run, node);
    clipc_profile_op op = {
        .op = node->op->name,
        .rank = shape->rank,
        .depth = cost.depth,
        .seconds = seconds,
        .flops = cost.flops,
        .bytes = cost.bytes,
    };

    memcpy(op.shape, shape->extent, shape->rank * sizeof(*op.shape));
    run->profile(run->profile_data, &op);
}

static void run_node(const clipc_run *run, const clipc_node *node)
{
    double start;

    if (!run->profile) {
        node->op->forward(run, node);
        return;
    }
    start = clipc_seconds_now();
    node->op->forward(run, node);
    profile_node(run, node, clipc_seconds_now() - start);
}

void clipc_program_run(const clipc_run *run)
{
    for (uint32_t i = 0; i < run->program->node_count; i++) {
        const clipc_node *node = &run->program->nodes[i];
        const clipc_value_facts *output = &run->program->values[node->output];

        run_node(run, node);
        if (run->observer && output->name)
            run->observer(run->observer_data, output->name, &output->shape,
                          clipc_run_value(run, node->output));
    }
}
