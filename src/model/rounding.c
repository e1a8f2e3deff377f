/* SPDX-License-Identifier: MIT */
/* Rounding the weights of convolutions to bfloat16 so that their sum stays. */
#include "model/rounding.h"

#include "base/float_formats.h"

#include <math.h>

static float nearest(float x)
{
    return clipc_float_from_bf16(clipc_bf16_from_float(x));
}

/* The bfloat16 on the other side of x, which is not one itself. */
static float other_side(float x, float rounded)
{
    const uint16_t bits = clipc_bf16_from_float(rounded);
    const uint16_t next = (uint16_t)(fabsf(x) > fabsf(rounded) ? bits + 1 : bits - 1);

    return clipc_float_from_bf16(next);
}

void clipc_round_keeping_sum(float *weights, size_t count)
{
    double excess = 0.0; /* of the rounded sum */

    for (size_t k = 0; k < count; k++)
        excess += (double)nearest(weights[k]) - (double)weights[k];
    /* Those nearest to halfway first, in rounds of a fortieth of a step. */
    for (int fortieths = 19; fortieths >= 10; fortieths--)
        for (size_t k = 0; k < count; k++) {
            const float x = weights[k], near = nearest(x);
            float far;
            double change;

            if (near == x || ((double)near - (double)x) * excess <= 0.0)
                continue;
            far = other_side(x, near);
            change = (double)far - (double)near;
            if (fabs((double)near - (double)x) < 0.025 * fortieths * fabs(change) ||
                fabs(excess + change) >= fabs(excess))
                continue;
            weights[k] = far;
            excess += change;
        }
    for (size_t k = 0; k < count; k++)
        weights[k] = nearest(weights[k]);
}
