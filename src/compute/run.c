/* SPDX-License-Identifier: MIT */
/* Running a planned program: walk the list, op by op. */
#include "compute/program.h"

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

void clipc_program_run(const clipc_run *run)
{
    for (uint32_t i = 0; i < run->program->node_count; i++) {
        const clipc_node *node = &run->program->nodes[i];
        const clipc_value_facts *output = &run->program->values[node->output];

        node->op->forward(run, node);
        if (run->observer && output->name)
            run->observer(run->observer_data, output->name, &output->shape,
                          clipc_run_value(run, node->output));
    }
}
