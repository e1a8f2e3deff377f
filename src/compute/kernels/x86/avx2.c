/* SPDX-License-Identifier: MIT */
/* The kernel table of the AVX2 level. */
#include "compute/kernels/x86/avx2.h"

const clipc_kernels clipc_kernels_avx2 = {
    .level = "avx2",
    .f32 = &clipc_avx2_f32,
    .bf16 = &clipc_avx2_bf16,
    .int8 = &clipc_avx2_int8,
    .layernorm = clipc_avx2_layernorm,
    .softmax = clipc_avx2_softmax,
    .winograd_input = clipc_avx2_winograd_input,
    .winograd_output = clipc_avx2_winograd_output,
};
