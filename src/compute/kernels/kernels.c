/* SPDX-License-Identifier: MIT */
/* Choosing the kernel table for this processor. */
#include "compute/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

/* Every level there is a name for, lowest first; a build may lack the tables of the higher ones. */
static const struct {
    const char *name;
    const clipc_kernels *table; /* the best this build has at or below that level */
} levels[] = {
    {"portable", &clipc_kernels_portable},
    {"avx2", &clipc_kernels_portable},
    {"avx512", &clipc_kernels_portable},
};

const clipc_kernels *clipc_kernels_choose(void)
{
    const size_t count = sizeof(levels) / sizeof(levels[0]);
    const char *forced = getenv("CLIPC_CPU");

    if (!forced || !*forced)
        return levels[count - 1].table;
    for (size_t i = 0; i < count; i++)
        if (strcmp(forced, levels[i].name) == 0)
            return levels[i].table;
    return NULL;
}
