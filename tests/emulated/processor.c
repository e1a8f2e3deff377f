/* SPDX-License-Identifier: MIT */
/*
 * Takes the place of base/cpu.c where AVX-512 is emulated: a processor that has everything, so that
 * the library chooses, and tests walk through, the tables of every level.
 */
#include "base/cpu.h"

bool clipc_cpu_level_choose(clipc_cpu_level *level)
{
    *level = CLIPC_CPU_AVX512_BF16;
    return true;
}
