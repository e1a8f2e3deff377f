/* SPDX-License-Identifier: MIT */
/* Asking the processor, and the environment, which CPU level to use. */
#include "base/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

#define LEVELS (sizeof(names) / sizeof(names[0]))

static const char *const names[] = {
    [CLIPC_CPU_PORTABLE] = "portable",
#if defined(__x86_64__)
    [CLIPC_CPU_AVX2] = "avx2",
    [CLIPC_CPU_AVX512] = "avx512",
    [CLIPC_CPU_AVX512_VNNI] = "avx512-vnni",
    [CLIPC_CPU_AVX512_BF16] = "avx512-bf16",
#elif defined(__aarch64__)
    [CLIPC_CPU_NEON] = "neon",
    [CLIPC_CPU_NEON_DOTPROD] = "neon-dotprod",
    [CLIPC_CPU_NEON_BF16] = "neon-bf16",
#endif
};

/* On x86 the compiler's run-time also asks whether the system saves the wide registers. */
static clipc_cpu_level detect(void)
{
#if defined(CLIPC_HAVE_X86)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return CLIPC_CPU_PORTABLE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return CLIPC_CPU_AVX2;
    if (!__builtin_cpu_supports("avx512vnni"))
        return CLIPC_CPU_AVX512;
    return __builtin_cpu_supports("avx512bf16") ? CLIPC_CPU_AVX512_BF16 : CLIPC_CPU_AVX512_VNNI;
#elif defined(CLIPC_HAVE_ARM)
    if (!(getauxval(AT_HWCAP) & HWCAP_ASIMDDP))
        return CLIPC_CPU_NEON;
    return (getauxval(AT_HWCAP2) & HWCAP2_BF16) && (getauxval(AT_HWCAP2) & HWCAP2_I8MM)
               ? CLIPC_CPU_NEON_BF16
               : CLIPC_CPU_NEON_DOTPROD;
#else
    return CLIPC_CPU_PORTABLE;
#endif
}

bool clipc_cpu_level_choose(clipc_cpu_level *level)
{
    const char *forced = getenv("CLIPC_CPU");

    *level = detect();
    if (!forced || !*forced)
        return true;
    for (size_t i = 0; i < LEVELS; i++)
        if (strcmp(forced, names[i]) == 0) {
            if (i < (size_t)*level)
                *level = (clipc_cpu_level)i;
            return true;
        }
    return false;
}

void clipc_cpu_level_names(char *text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < LEVELS && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", names[i]);
}
