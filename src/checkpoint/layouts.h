/* SPDX-License-Identifier: MIT */
/* Tensor names in OpenAI's, open_clip's and Hugging Face's layouts: one table, read both ways. */
#ifndef CLIPC_CHECKPOINT_LAYOUTS_H
#define CLIPC_CHECKPOINT_LAYOUTS_H

#include "checkpoint/checkpoint.h"

#define CLIPC_NAME_SIZE 256 /* of a buffer for any tensor's name */

/* What a tensor of a file is in OpenAI's layout. */
typedef struct clipc_mapped_name {
    char name[CLIPC_NAME_SIZE]; /* OpenAI's */
    unsigned piece;             /* its place among `pieces` along the first extent */
    unsigned pieces;            /* 1, or 3 for q, k, v of an in_proj */
    bool is_transposed;         /* its two extents are exchanged */
    bool is_dropped;            /* no weight: a mask, a counter, a number that shapes tell too */
} clipc_mapped_name;

/*
 * Strips "module." and "_orig_mod." (wrappers of the training) off a name. The result points into
 * it.
 */
const char *clipc_layout_strip(const char *name);

/* Whose names these are, told by one stripped name; false when this one does not tell. */
bool clipc_layout_detect(const char *name, clipc_checkpoint_layout *out);

/* Maps a stripped name; one that the layout does not have is passed through. False: too long. */
bool clipc_layout_map(clipc_checkpoint_layout layout, const char *name, clipc_mapped_name *out);

/*
 * The other way: piece `piece` of an OpenAI tensor in Hugging Face's layout. mapped->name receives
 * Hugging Face's name, pieces and is_transposed how it is made. False when that layout lacks it.
 */
bool clipc_layout_to_huggingface(const char *name, unsigned piece, clipc_mapped_name *out);

#endif
