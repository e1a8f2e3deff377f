/* SPDX-License-Identifier: MIT */
/* Counting the operations and bytes of a node, for profiles. */
#include "compute/cost.h"

#include "compute/pack.h"

size_t clipc_cost_elements(const clipc_run *run, clipc_value value)
{
    return value == CLIPC_NO_VALUE ? 0
                                   : clipc_shape_count(clipc_program_shape(run->program, value));
}

double clipc_cost_parameter(const clipc_run *run, clipc_parameter_id id)
{
    const clipc_parameter *parameter = clipc_program_parameter_facts(run->program, id);
    size_t bytes;

    /* They were computed when the parameter was loaded, so they do not overflow. */
    return parameter && clipc_parameter_bytes(parameter, &bytes) ? (double)bytes : 0.0;
}

clipc_cost clipc_cost_whole(const clipc_run *run, const clipc_node *node, size_t parameters,
                            double flops_per_element)
{
    const size_t elements = clipc_cost_elements(run, node->output);
    clipc_cost cost = {
        .flops = flops_per_element * (double)elements,
        .bytes = clipc_cost_bytes(elements),
    };

    for (size_t i = 0; i < CLIPC_NODE_MAX_INPUTS; i++)
        cost.bytes += clipc_cost_bytes(clipc_cost_elements(run, node->inputs[i]));
    for (size_t i = 0; i < parameters; i++)
        cost.bytes += clipc_cost_parameter(run, node->parameters[i]);
    return cost;
}

clipc_cost clipc_cost_product(const clipc_run *run, const clipc_node *node, size_t parameters,
                              size_t rows, size_t depth)
{
    const clipc_shape *shape = clipc_program_shape(run->program, node->output);
    clipc_cost cost = clipc_cost_whole(run, node, parameters, 0.0);

    cost.flops = 2.0 * (double)rows * (double)shape->extent[shape->rank - 1] * (double)depth;
    cost.depth = depth;
    return cost;
}
