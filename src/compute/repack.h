/* SPDX-License-Identifier: MIT */
/*
 * Weights from one kernel's panels to another's. Everything goes by the numbers that describe
 * panels, so that files can be packed for a processor that is not this one.
 */
#ifndef CLIPC_COMPUTE_REPACK_H
#define CLIPC_COMPUTE_REPACK_H

#include "compute/pack.h"

/* How many steps of a column lie together in a kernel's panels. */
size_t clipc_panel_group(const clipc_matrix_kernel *kernel);

/* Whether what is packed for one of two kernels is packed for the other. */
bool clipc_same_panels(const clipc_matrix_kernel *a, const clipc_matrix_kernel *b);

/*
 * A packed parameter's data in the same form for another kernel of its dtype: elements and scales
 * are moved as they are. Neither kernel needs to run here, or to have functions at all. What no
 * element or scale lies in becomes zero.
 */
void clipc_repack(const clipc_parameter *parameter, const clipc_matrix_kernel *to, void *repacked);

#endif
