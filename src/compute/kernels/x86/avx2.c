/* SPDX-License-Identifier: MIT */
/* The kernel table of the AVX2 level. */
#include "compute/kernels/x86/avx2.h"

const clipc_kernels clipc_kernels_avx2 = {
    .level = "avx2",
    .panel_columns = CLIPC_AVX2_PANEL_COLUMNS,
    .tile_rows = CLIPC_AVX2_TILE_ROWS,
    .panel_product = clipc_avx2_panel_product,
    .layernorm = clipc_avx2_layernorm,
    .softmax = clipc_avx2_softmax,
};
