/* SPDX-License-Identifier: MIT */
/* A fully connected layer with bias, residual and pointwise function in its epilogue. */
#include "compute/cost.h"
#include "compute/matmul.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

typedef struct linear_attributes {
    size_t in_features;
    clipc_pointwise pointwise;
} linear_attributes;

static bool is_prepared(const clipc_program *program, const clipc_node *node)
{
    return program->values[node->inputs[0]].prepared_for != NULL;
}

static void linear_forward(const clipc_run *run, const clipc_node *node)
{
    const linear_attributes *attributes = node->attributes;
    const clipc_shape *shape = clipc_program_shape(run->program, node->output);
    const clipc_value residual = node->inputs[1];

    clipc_matmul_run(
        run, &(clipc_matmul){
                 .kernel = clipc_run_kernel(run, node->parameters[0]),
                 .rows = shape->extent[0],
                 .out_features = shape->extent[1],
                 .in_features = attributes->in_features,
                 .a = clipc_run_value(run, node->inputs[0]),
                 .is_prepared = is_prepared(run->program, node),
                 .packed = clipc_run_parameter(run, node->parameters[0]),
                 .bias = clipc_run_parameter(run, node->parameters[1]),
                 .residual = residual == CLIPC_NO_VALUE ? NULL : clipc_run_value(run, residual),
                 .pointwise = attributes->pointwise,
                 .out = clipc_run_value(run, node->output),
             });
}

static size_t linear_shared(const clipc_program *program, const clipc_node *node)
{
    const linear_attributes *attributes = node->attributes;

    if (is_prepared(program, node))
        return 0;
    return clipc_matmul_shared(clipc_program_kernel(program, node->parameters[0]),
                               clipc_program_shape(program, node->output)->extent[0],
                               attributes->in_features);
}

static clipc_cost linear_cost(const clipc_run *run, const clipc_node *node)
{
    const linear_attributes *attributes = node->attributes;

    return clipc_cost_product(run, node, 2,
                              clipc_program_shape(run->program, node->output)->extent[0],
                              attributes->in_features);
}

static const clipc_op linear_op = {
    .name = "linear",
    .takes_prepared = true,
    .shared = linear_shared,
    .forward = linear_forward,
    .cost = linear_cost,
};

clipc_value clipc_op_linear(clipc_program *program, clipc_value x, clipc_parameter_id weight,
                            clipc_parameter_id bias, clipc_value residual,
                            clipc_pointwise pointwise)
{
    const clipc_shape *in = clipc_program_shape(program, x);
    const clipc_parameter *matrix = clipc_program_parameter_facts(program, weight);
    linear_attributes attributes = {.in_features = in->extent[1], .pointwise = pointwise};
    size_t inner, outer, out_features;

    if (!clipc_rule_rank(program, linear_op.name, "x", x, 2) ||
        !clipc_rule_parameter_rank(program, linear_op.name, "weight", weight, 2) ||
        !clipc_rule(program, linear_op.name,
                    matrix->role == CLIPC_ROLE_MATRIX ||
                        matrix->role == CLIPC_ROLE_MATRIX_TRANSPOSED,
                    "a weight declared as a matrix"))
        return CLIPC_NO_VALUE;
    inner = matrix->role == CLIPC_ROLE_MATRIX ? 1 : 0; /* which extent of the weight is `in` */
    outer = 1 - inner;
    if (matrix->shape.extent[inner] != in->extent[1]) {
        clipc_program_fail(program, CLIPC_ERROR_FORMAT, "%s: takes %zu features, %zu come in",
                           matrix->name, matrix->shape.extent[inner], in->extent[1]);
        return CLIPC_NO_VALUE;
    }
    out_features = matrix->shape.extent[outer];
    if (!clipc_rule_optional_parameter(program, linear_op.name, "bias", bias,
                                       clipc_shape_1(out_features)) ||
        !clipc_rule_optional_shape(program, linear_op.name, "residual", residual,
                                   clipc_shape_2(in->extent[0], out_features)))
        return CLIPC_NO_VALUE;
    return clipc_program_append(program, &(clipc_node_recipe){
                                             .op = &linear_op,
                                             .inputs = {x, residual},
                                             .input_count = 2,
                                             .parameters = {weight, bias},
                                             .attributes = &attributes,
                                             .attributes_size = sizeof(attributes),
                                             .shape = clipc_shape_2(in->extent[0], out_features),
                                         });
}
