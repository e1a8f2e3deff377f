/* SPDX-License-Identifier: MIT */
/* Strided elements of any type -> float32. */
#ifndef CLIPC_CHECKPOINT_ELEMENT_H
#define CLIPC_CHECKPOINT_ELEMENT_H

#include "checkpoint/checkpoint.h"

/* n little-endian elements, `stride` elements apart, from bytes of any alignment. out: [n]. */
void clipc_element_convert(clipc_element element, const uint8_t *bytes, size_t stride, size_t n,
                           float *out);

#endif
