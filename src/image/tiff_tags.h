/* SPDX-License-Identifier: MIT */
/* The first directory of a TIFF file, or of a block of EXIF metadata, which is built like one. */
#ifndef CLIPC_IMAGE_TIFF_TAGS_H
#define CLIPC_IMAGE_TIFF_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIPC_TAG_ORIENTATION 0x0112u
#define CLIPC_TAG_EXTRA_SAMPLES 0x0152u

typedef struct clipc_tiff_field {
    unsigned type;  /* 3: 16 bits, 4: 32 bits */
    uint64_t count; /* of its values */
    uint32_t value; /* the first one of type 3 or 4 where they stand in the field itself; else 0 */
} clipc_tiff_field;

/*
 * Looks a tag up; false when it is not there. Damaged or truncated bytes are no error: what lies
 * outside them reads as 0.
 */
bool clipc_tiff_find(const uint8_t *bytes, size_t size, unsigned tag, clipc_tiff_field *out);

#endif
