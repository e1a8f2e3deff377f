/* SPDX-License-Identifier: MIT */
/* The kernel tables of the levels of 64-bit ARM. What a level lacks it has from the one below. */
#include "compute/kernels/arm/neon.h"

const clipc_kernels clipc_kernels_neon = {
    .level = "neon",
    .f32 = &clipc_neon_f32,
    .bf16 = &clipc_neon_bf16,
    .int8 = &clipc_neon_int8,
    .layernorm = clipc_neon_layernorm,
    .softmax = clipc_neon_softmax,
    .winograd_input = clipc_neon_winograd_input,
    .winograd_output = clipc_neon_winograd_output,
};

const clipc_kernels clipc_kernels_neon_dotprod = {
    .level = "neon-dotprod",
    .f32 = &clipc_neon_f32,
    .bf16 = &clipc_neon_bf16,
    .int8 = &clipc_neon_dotprod_int8,
    .layernorm = clipc_neon_layernorm,
    .softmax = clipc_neon_softmax,
    .winograd_input = clipc_neon_winograd_input,
    .winograd_output = clipc_neon_winograd_output,
};

const clipc_kernels clipc_kernels_neon_bf16 = {
    .level = "neon-bf16",
    .f32 = &clipc_neon_f32,
    .bf16 = &clipc_neon_matrix_bf16,
    .int8 = &clipc_neon_matrix_int8,
    .layernorm = clipc_neon_layernorm,
    .softmax = clipc_neon_softmax,
    .winograd_input = clipc_neon_winograd_input,
    .winograd_output = clipc_neon_winograd_output,
};
