/* SPDX-License-Identifier: MIT */
/* The kernel table in plain C. */
#include "compute/kernels/portable/portable.h"

const clipc_kernels clipc_kernels_portable = {
    .level = "portable",
    .f32 = &clipc_portable_f32,
    .bf16 = &clipc_portable_bf16,
    .int8 = &clipc_portable_int8,
    .layernorm = clipc_portable_layernorm,
    .softmax = clipc_portable_softmax,
    .winograd_input = clipc_portable_winograd_input,
    .winograd_output = clipc_portable_winograd_output,
};
