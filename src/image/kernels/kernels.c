/* SPDX-License-Identifier: MIT */
/* Choosing the resampling kernels for this processor. */
#include "image/kernels/kernels.h"

#include "base/cpu.h"

/* By CPU level: higher ones have nothing of their own for this. */
static const clipc_resample_kernels *const tables[] = {
    [CLIPC_CPU_PORTABLE] = &clipc_resample_portable,
#ifdef CLIPC_HAVE_X86
    [CLIPC_CPU_AVX2] = &clipc_resample_avx2,
    [CLIPC_CPU_AVX512] = &clipc_resample_avx512,
#endif
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

const clipc_resample_kernels *clipc_resample_kernels_choose(void)
{
    clipc_cpu_level level;

    clipc_cpu_level_choose(&level); /* a wrong CLIPC_CPU is reported by whoever opens a model */
    return tables[(size_t)level < TABLES ? (size_t)level : TABLES - 1];
}

const clipc_resample_kernels *clipc_resample_kernels_next(const clipc_resample_kernels *previous)
{
    const clipc_resample_kernels *best = clipc_resample_kernels_choose();

    if (!previous)
        return tables[0];
    for (size_t i = 0; i + 1 < TABLES; i++)
        if (tables[i] == previous)
            return previous == best ? NULL : tables[i + 1];
    return NULL;
}
