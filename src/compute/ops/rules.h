/* SPDX-License-Identifier: MIT */
/*
 * What the shape rules of ops are made of. Each function returns whether its rule holds; the first
 * rule that is broken becomes the program's failure, which names the op and what it expected. After
 * a failure nothing holds.
 */
#ifndef CLIPC_COMPUTE_OPS_RULES_H
#define CLIPC_COMPUTE_OPS_RULES_H

#include "compute/program.h"

/* Anything; `expected` completes "OP: expects ...". */
bool clipc_rule(clipc_program *program, const char *op, bool holds, const char *expected);

/* An operand exists and has this rank; `what` names it. */
bool clipc_rule_rank(clipc_program *program, const char *op, const char *what, clipc_value value,
                     size_t rank);

/* An operand exists and has this shape. */
bool clipc_rule_shape(clipc_program *program, const char *op, const char *what, clipc_value value,
                      clipc_shape shape);

/* The same for one that may be left out: CLIPC_NO_VALUE passes. */
bool clipc_rule_optional_shape(clipc_program *program, const char *op, const char *what,
                               clipc_value value, clipc_shape shape);

/* A parameter exists and has this rank, or this shape. */
bool clipc_rule_parameter_rank(clipc_program *program, const char *op, const char *what,
                               clipc_parameter_id parameter, size_t rank);
bool clipc_rule_parameter(clipc_program *program, const char *op, const char *what,
                          clipc_parameter_id parameter, clipc_shape shape);

/* The same for one that may be left out: CLIPC_NO_PARAMETER passes. */
bool clipc_rule_optional_parameter(clipc_program *program, const char *op, const char *what,
                                   clipc_parameter_id parameter, clipc_shape shape);

#endif
