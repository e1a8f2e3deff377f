/* SPDX-License-Identifier: MIT */
/* Rounding the weights of convolutions to bfloat16 so that their sum stays. */
#ifndef CLIPC_MODEL_ROUNDING_H
#define CLIPC_MODEL_ROUNDING_H

#include <stddef.h>

/*
 * Rounds count weights of one output channel to bfloat16 values: to the nearest, but for the few
 * that lie almost halfway and are rounded the other way so that the sum of all hardly changes.
 *
 * What comes in from a ReLU has a mean far from zero, which the next batch norm takes away again:
 * the errors of rounding, times that mean, would stay, the same for every picture. (Choosing the
 * direction of rounding by what it does to the output is the idea of Nagel et al. 2020,
 * arXiv:2004.10568; here without data, against a constant input.)
 */
void clipc_round_keeping_sum(float *weights, size_t count);

#endif
