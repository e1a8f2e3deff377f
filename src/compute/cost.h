/* SPDX-License-Identifier: MIT */
/* What the costs of ops are made of: see clipc_cost. */
#ifndef CLIPC_COMPUTE_COST_H
#define CLIPC_COMPUTE_COST_H

#include "compute/program.h"

/* Bytes of a value of so many 4-byte elements: float32, or uint32 for ids and rows. */
static inline double clipc_cost_bytes(size_t elements)
{
    return 4.0 * (double)elements;
}

/* Elements of a value; 0 for CLIPC_NO_VALUE. */
size_t clipc_cost_elements(const clipc_run *run, clipc_value value);

/* Bytes that a parameter takes as it is kept, packed or not; 0 for CLIPC_NO_PARAMETER. */
double clipc_cost_parameter(const clipc_run *run, clipc_parameter_id parameter);

/*
 * Of a node that reads its inputs and so many of its parameters whole: the bytes of these and of
 * the output, and the flops that each element of the output takes.
 */
clipc_cost clipc_cost_whole(const clipc_run *run, const clipc_node *node, size_t parameters,
                            double flops_per_element);

/*
 * The same for a product of `rows` rows with the node's first parameter, a matrix that gives as
 * many features as the output's last extent: what rides in its epilogue costs bytes, no flops.
 */
clipc_cost clipc_cost_product(const clipc_run *run, const clipc_node *node, size_t parameters,
                              size_t rows, size_t depth);

#endif
