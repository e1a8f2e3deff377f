/* SPDX-License-Identifier: MIT */
/* Kernels over single rows in plain C: layer norm, softmax. */
#include "compute/kernels/portable/portable.h"

#include <math.h>

void clipc_portable_layernorm(const float *x, const float *gain, const float *bias, size_t width,
                              float epsilon, float *out)
{
    double sum = 0.0, squares = 0.0;
    float mean, scale;

    for (size_t j = 0; j < width; j++)
        sum += (double)x[j];
    mean = (float)(sum / (double)width);
    for (size_t j = 0; j < width; j++) {
        double centered = (double)(x[j] - mean);

        squares += centered * centered;
    }
    scale = (float)(1.0 / sqrt(squares / (double)width + (double)epsilon));
    for (size_t j = 0; j < width; j++)
        out[j] = (x[j] - mean) * scale * gain[j] + bias[j];
}

void clipc_portable_softmax(float *x, size_t count)
{
    float max = x[0], sum = 0.0f, scale;

    for (size_t j = 1; j < count; j++)
        max = x[j] > max ? x[j] : max;
    for (size_t j = 0; j < count; j++) {
        x[j] = expf(x[j] - max);
        sum += x[j];
    }
    scale = 1.0f / sum;
    for (size_t j = 0; j < count; j++)
        x[j] *= scale;
}
