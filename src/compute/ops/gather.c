/* SPDX-License-Identifier: MIT */
/* Picking rows: the class token of each picture, the end token of each text. */
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

#include <string.h>

typedef struct gather_attributes {
    size_t step; /* 0: the rows are listed by the second input */
} gather_attributes;

static void gather_forward(const clipc_run *run, const clipc_node *node)
{
    const gather_attributes *attributes = node->attributes;
    const clipc_shape *shape = clipc_program_shape(run->program, node->output);
    const size_t width = shape->extent[1];
    const float *x = clipc_run_value(run, node->inputs[0]);
    const uint32_t *rows = attributes->step ? NULL : clipc_run_value(run, node->inputs[1]);
    float *out = clipc_run_value(run, node->output);

    for (size_t i = 0; i < shape->extent[0]; i++) {
        const size_t row = rows ? rows[i] : i * attributes->step;

        memcpy(out + i * width, x + row * width, width * sizeof(*out));
    }
}

static clipc_cost gather_cost(const clipc_run *run, const clipc_node *node)
{
    return (clipc_cost){.bytes = 2.0 * clipc_cost_bytes(clipc_cost_elements(run, node->output)) +
                                 clipc_cost_bytes(clipc_cost_elements(run, node->inputs[1]))};
}

static const clipc_op gather_op = {
    .name = "gather", .forward = gather_forward, .cost = gather_cost};

static clipc_value append(clipc_program *program, clipc_value x, clipc_value rows, size_t step,
                          size_t count)
{
    gather_attributes attributes = {.step = step};

    return clipc_program_append(
        program, &(clipc_node_recipe){
                     .op = &gather_op,
                     .inputs = {x, rows},
                     .input_count = 2,
                     .attributes = &attributes,
                     .attributes_size = sizeof(attributes),
                     .shape = clipc_shape_2(count, clipc_program_shape(program, x)->extent[1]),
                 });
}

clipc_value clipc_op_gather(clipc_program *program, clipc_value x, clipc_value rows)
{
    if (!clipc_rule_rank(program, gather_op.name, "x", x, 2) ||
        !clipc_rule_rank(program, gather_op.name, "rows", rows, 1))
        return CLIPC_NO_VALUE;
    return append(program, x, rows, 0, clipc_program_shape(program, rows)->extent[0]);
}

clipc_value clipc_op_every(clipc_program *program, clipc_value x, size_t step)
{
    const size_t rows = clipc_program_shape(program, x)->extent[0];

    if (!clipc_rule_rank(program, gather_op.name, "x", x, 2) ||
        !clipc_rule(program, gather_op.name, step > 0 && rows % step == 0,
                    "a step that divides the rows"))
        return CLIPC_NO_VALUE;
    return append(program, x, CLIPC_NO_VALUE, step, rows / step);
}
