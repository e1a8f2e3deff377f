/* SPDX-License-Identifier: MIT */
/* Counting the operations and bytes of a node, for profiles. */
#include "compute/cost.h"

#include "compute/pack.h"

size_t clipc_cost_elements(const clipc_run *run, clipc_value value)
{
    return value == CLIPC_NO_VALUE ? 0
                                   : clipc_shape_count(clipc_program_shape(run->program, value));
}

/* Outputs and inputs of the matrix that a packed parameter is. */
static double packed_bytes(const clipc_parameter *parameter)
{
    const bool is_transposed = parameter->role == CLIPC_ROLE_MATRIX_TRANSPOSED;
    const size_t out = parameter->shape.extent[is_transposed ? 1 : 0];
    size_t bytes;

    /* It was computed when the parameter was loaded, so it does not overflow. */
    if (!clipc_packed_bytes(parameter->kernel, out, clipc_shape_count(&parameter->shape) / out,
                            &bytes))
        return 0.0;
    return (double)bytes;
}

double clipc_cost_parameter(const clipc_run *run, clipc_parameter_id id)
{
    const clipc_parameter *parameter = clipc_program_parameter_facts(run->program, id);

    if (!parameter)
        return 0.0;
    switch (parameter->role) {
    case CLIPC_ROLE_MATRIX:
    case CLIPC_ROLE_MATRIX_TRANSPOSED:
    case CLIPC_ROLE_PATCH:
    case CLIPC_ROLE_CONVOLUTION: return packed_bytes(parameter);
    case CLIPC_ROLE_VALUES:
    case CLIPC_ROLE_TABLE:
    case CLIPC_ROLE_STATISTIC: break;
    }
    return (parameter->is_half ? 2.0 : 4.0) * (double)clipc_shape_count(&parameter->shape);
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
