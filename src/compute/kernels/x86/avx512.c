/* SPDX-License-Identifier: MIT */
/* The kernel tables of the levels with AVX-512. What a level lacks it has from AVX2. */
#include "compute/kernels/x86/avx512.h"
#include "compute/kernels/x86/avx2.h"

const clipc_kernels clipc_kernels_avx512 = {
    .level = "avx512",
    .f32 = &clipc_avx512_f32,
    .bf16 = &clipc_avx2_bf16,
    .int8 = &clipc_avx2_int8,
    .layernorm = clipc_avx512_layernorm,
    .softmax = clipc_avx512_softmax,
    .winograd_input = clipc_avx512_winograd_input,
    .winograd_output = clipc_avx512_winograd_output,
};

const clipc_kernels clipc_kernels_avx512_vnni = {
    .level = "avx512-vnni",
    .f32 = &clipc_avx512_f32,
    .bf16 = &clipc_avx2_bf16,
    .int8 = &clipc_avx512_int8,
    .layernorm = clipc_avx512_layernorm,
    .softmax = clipc_avx512_softmax,
    .winograd_input = clipc_avx512_winograd_input,
    .winograd_output = clipc_avx512_winograd_output,
};

const clipc_kernels clipc_kernels_avx512_bf16 = {
    .level = "avx512-bf16",
    .f32 = &clipc_avx512_f32,
    .bf16 = &clipc_avx512_bf16,
    .int8 = &clipc_avx512_int8,
    .layernorm = clipc_avx512_layernorm,
    .softmax = clipc_avx512_softmax,
    .winograd_input = clipc_avx512_winograd_input,
    .winograd_output = clipc_avx512_winograd_output,
};
