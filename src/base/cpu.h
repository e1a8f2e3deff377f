/* SPDX-License-Identifier: MIT */
/*
 * What the processor offers, as a ladder of levels: a higher one has all that the lower ones have.
 */
#ifndef CLIPC_BASE_CPU_H
#define CLIPC_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

typedef enum clipc_cpu_level {
    CLIPC_CPU_PORTABLE,
#if defined(__x86_64__)
    CLIPC_CPU_AVX2,        /* x86-64 with AVX2 and FMA */
    CLIPC_CPU_AVX512,      /* and AVX-512 F, BW, DQ, VL */
    CLIPC_CPU_AVX512_VNNI, /* and its products of bytes */
    CLIPC_CPU_AVX512_BF16, /* and its products of bfloat16 */
#elif defined(__aarch64__)
    CLIPC_CPU_NEON,         /* every 64-bit ARM processor */
    CLIPC_CPU_NEON_DOTPROD, /* and FEAT_DotProd: products of bytes */
    CLIPC_CPU_NEON_BF16,    /* and FEAT_BF16, FEAT_I8MM: small matrices of bfloat16 and of bytes */
#endif
} clipc_cpu_level;

/*
 * *level = the highest level of this processor, or the lower one that the environment's CLIPC_CPU
 * names. Returns false, and the processor's own level, when CLIPC_CPU is no level's name.
 */
bool clipc_cpu_level_choose(clipc_cpu_level *level);

/* The names that CLIPC_CPU can have here, for a message: "portable, avx2, ...", cut to size. */
void clipc_cpu_level_names(char *text, size_t size);

#endif
