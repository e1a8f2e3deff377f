/* SPDX-License-Identifier: MIT */
/* The shape rules that ops share: ranks and shapes of operands and parameters. */
#include "compute/ops/rules.h"

#include <stdio.h>

#define SHAPE_TEXT 112 /* four extents of twenty digits, brackets and commas */

static const char *shape_text(const clipc_shape *shape, char *out)
{
    size_t at = 0;

    for (size_t i = 0; i < shape->rank; i++)
        at += (size_t)snprintf(out + at, SHAPE_TEXT - at, "%s%zu", i ? "," : "[", shape->extent[i]);
    snprintf(out + at, SHAPE_TEXT - at, "%s", shape->rank ? "]" : "[]");
    return out;
}

bool clipc_rule(clipc_program *program, const char *op, bool holds, const char *expected)
{
    if (!program->status && !holds)
        clipc_program_fail(program, CLIPC_ERROR_FORMAT, "%s: expects %s", op, expected);
    return !program->status;
}

/* shape: NULL where there is nothing of that name. */
static bool has_rank(clipc_program *program, const char *op, const char *what,
                     const clipc_shape *shape, size_t rank)
{
    if (program->status)
        return false;
    if (!shape)
        clipc_program_fail(program, CLIPC_ERROR_ARGUMENT, "%s: has no %s", op, what);
    else if (shape->rank != rank)
        clipc_program_fail(program, CLIPC_ERROR_FORMAT,
                           "%s: %s has %zu dimensions, %zu were expected", op, what, shape->rank,
                           rank);
    return !program->status;
}

static bool has_shape(clipc_program *program, const char *op, const char *what,
                      const clipc_shape *shape, const clipc_shape *wanted)
{
    char found[SHAPE_TEXT], expected[SHAPE_TEXT];

    if (!has_rank(program, op, what, shape, wanted->rank))
        return false;
    if (!clipc_shape_equal(shape, wanted))
        clipc_program_fail(program, CLIPC_ERROR_FORMAT, "%s: %s is %s, %s was expected", op, what,
                           shape_text(shape, found), shape_text(wanted, expected));
    return !program->status;
}

static const clipc_shape *value_shape(const clipc_program *program, clipc_value value)
{
    return value < program->value_count ? &program->values[value].shape : NULL;
}

static const clipc_shape *parameter_shape(const clipc_program *program,
                                          clipc_parameter_id parameter)
{
    const clipc_parameter *facts = clipc_program_parameter_facts(program, parameter);

    return facts ? &facts->shape : NULL;
}

bool clipc_rule_rank(clipc_program *program, const char *op, const char *what, clipc_value value,
                     size_t rank)
{
    return has_rank(program, op, what, value_shape(program, value), rank);
}

bool clipc_rule_shape(clipc_program *program, const char *op, const char *what, clipc_value value,
                      clipc_shape shape)
{
    return has_shape(program, op, what, value_shape(program, value), &shape);
}

bool clipc_rule_optional_shape(clipc_program *program, const char *op, const char *what,
                               clipc_value value, clipc_shape shape)
{
    return value == CLIPC_NO_VALUE ? !program->status
                                   : clipc_rule_shape(program, op, what, value, shape);
}

bool clipc_rule_parameter_rank(clipc_program *program, const char *op, const char *what,
                               clipc_parameter_id parameter, size_t rank)
{
    return has_rank(program, op, what, parameter_shape(program, parameter), rank);
}

bool clipc_rule_parameter(clipc_program *program, const char *op, const char *what,
                          clipc_parameter_id parameter, clipc_shape shape)
{
    return has_shape(program, op, what, parameter_shape(program, parameter), &shape);
}

bool clipc_rule_optional_parameter(clipc_program *program, const char *op, const char *what,
                                   clipc_parameter_id parameter, clipc_shape shape)
{
    return parameter == CLIPC_NO_PARAMETER
               ? !program->status
               : clipc_rule_parameter(program, op, what, parameter, shape);
}
