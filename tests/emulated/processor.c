/* SPDX-License-Identifier: MIT */
/*
 * A processor that has everything, for programs in which AVX-512 is emulated: the library chooses,
 * and tests walk through, the tables of every level. Takes the place of base/cpu.c's function.
 */
#include "base/cpu.h"

bool __wrap_clipc_cpu_level_choose(clipc_cpu_level *level);

bool __wrap_clipc_cpu_level_choose(clipc_cpu_level *level)
{
    *level = CLIPC_CPU_AVX512_BF16;
    return true;
}
