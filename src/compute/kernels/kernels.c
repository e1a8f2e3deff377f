/* SPDX-License-Identifier: MIT */
/* Choosing the kernel table for this processor. */
#include "compute/kernels/kernels.h"

#include "base/cpu.h"

#include <string.h>

/* By CPU level. */
static const clipc_kernels *const tables[] = {
    [CLIPC_CPU_PORTABLE] = &clipc_kernels_portable,
#ifdef CLIPC_HAVE_X86
    [CLIPC_CPU_AVX2] = &clipc_kernels_avx2,
    [CLIPC_CPU_AVX512] = &clipc_kernels_avx512,
    [CLIPC_CPU_AVX512_VNNI] = &clipc_kernels_avx512_vnni,
    [CLIPC_CPU_AVX512_BF16] = &clipc_kernels_avx512_bf16,
#elif defined(CLIPC_HAVE_ARM)
    [CLIPC_CPU_NEON] = &clipc_kernels_neon,
    [CLIPC_CPU_NEON_DOTPROD] = &clipc_kernels_neon_dotprod,
    [CLIPC_CPU_NEON_BF16] = &clipc_kernels_neon_bf16,
#endif
};

const clipc_kernels *clipc_kernels_choose(void)
{
    clipc_cpu_level level;

    return clipc_cpu_level_choose(&level) ? tables[level] : NULL;
}

const clipc_kernels *clipc_kernels_next(const clipc_kernels *previous)
{
    clipc_cpu_level level;
    bool is_next = previous == NULL;

    clipc_cpu_level_choose(&level);
    for (size_t i = 0; i <= (size_t)level; i++) {
        if (is_next)
            return tables[i];
        is_next = tables[i] == previous;
    }
    return NULL;
}

const clipc_kernels *clipc_kernels_named(const char *level)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strcmp(tables[i]->level, level) == 0)
            return tables[i];
    return NULL;
}

const clipc_matrix_kernel *clipc_kernels_matrix(const clipc_kernels *kernels, clipc_dtype dtype)
{
    switch (dtype) {
    case CLIPC_DTYPE_F32: return kernels->f32;
    case CLIPC_DTYPE_BF16: return kernels->bf16;
    case CLIPC_DTYPE_INT8: return kernels->int8;
    case CLIPC_DTYPE_F16:
    case CLIPC_DTYPE_AUTO: break;
    }
    return NULL;
}
