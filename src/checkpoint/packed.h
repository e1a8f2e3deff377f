/* SPDX-License-Identifier: MIT */
/*
 * .clipc files: weights in the form in which they are used, so that they can be used where they
 * lie. docs/clipc-file.md has the format. What is in the header is known here; which tensor is due
 * which form is the model's affair.
 */
#ifndef CLIPC_CHECKPOINT_PACKED_H
#define CLIPC_CHECKPOINT_PACKED_H

#include "checkpoint/checkpoint.h"

/* How a tensor's values lie in the file. */
typedef enum clipc_packed_form {
    CLIPC_PACKED_F32,      /* float32, row-major */
    CLIPC_PACKED_F16,      /* float16, row-major */
    CLIPC_PACKED_PANELS,   /* a matrix in panels, as clipc_panel_layout says */
    CLIPC_PACKED_WINOGRAD, /* a 3x3 convolution's filters, transformed, in such panels */
    CLIPC_PACKED_FOLDED,   /* not at all: worked into another tensor */
    CLIPC_PACKED_INLINE,   /* a scalar, in the header */
} clipc_packed_form;

/* Where in a panel each element is: what compute/kernels/kernels.h has under the same names. */
typedef struct clipc_panel_layout {
    size_t columns; /* 0: no tensor is packed so */
    size_t depth_step, depth_group, header;
    bool has_column_sums;
} clipc_panel_layout;

/* The most of each that a file may ask for; that leaves room for any processor of today. */
#define CLIPC_PACKED_MOST_COLUMNS 1024
#define CLIPC_PACKED_MOST_STEP 64
#define CLIPC_PACKED_MOST_HEADER 65536

/* What the header says of the file as a whole. */
typedef struct clipc_packed_header {
    const char *config; /* JSON, in open_clip's words */
    const char *cpu;    /* the level whose kernels it is packed for */
    clipc_dtype dtype;  /* F32, BF16 or INT8, of all but convolutions */
    clipc_panel_layout panels[CLIPC_DTYPE_INT8 + 1]; /* by clipc_dtype */
    const char *tokenizer, *merges_sha256;           /* its name, its list of merges */
    size_t vocab_size, context_length;
} clipc_packed_header;

/* What the header says of a tensor, beside its name and shape. */
typedef struct clipc_packed_tensor {
    const char *role;
    clipc_packed_form form;
    clipc_dtype dtype;   /* PANELS, WINOGRAD: of the elements; F32, BF16 or INT8 */
    const uint8_t *data; /* inside the file; NULL for FOLDED and INLINE */
    size_t bytes;
    uint32_t crc32; /* of data */
} clipc_packed_tensor;

/* As headers spell them: "f32", "panels", ...; "f32", "bf16", "int8". */
const char *clipc_packed_form_name(clipc_packed_form form);
const char *clipc_packed_dtype_name(clipc_dtype dtype);

/* What a .clipc file's header says; NULL for a checkpoint of another kind. */
const clipc_packed_header *clipc_checkpoint_packed(const clipc_checkpoint *checkpoint);

/* Whether a tensor's data have the checksum that the header has of them: reads all of them. */
bool clipc_packed_is_whole(const clipc_packed_tensor *tensor);

/* --- Writing --- */

typedef struct clipc_packed_source {
    const char *name;
    uint32_t rank;
    uint64_t shape[CLIPC_TENSOR_MAX_RANK];
    clipc_packed_tensor packed; /* without its checksum */
    float value;                /* INLINE */
    bool begins_section;        /* on a page of its own: the first tensor of a tower */
} clipc_packed_source;

/* Called with the bytes dealt with and their total; true ends writing: CLIPC_ERROR_CANCELLED. */
typedef bool (*clipc_packed_progress_fn)(void *data, uint64_t done, uint64_t total);

/*
 * Writes a file whole or not at all, its tensors in the order given. The data are read twice: to
 * sum them up, which the header is to tell, and to write them. progress may be NULL.
 */
clipc_status clipc_save_packed(const char *path, const clipc_packed_header *header,
                               const clipc_packed_source *tensors, size_t count,
                               clipc_packed_progress_fn progress, void *progress_data,
                               clipc_error *error);

/* --- What reader and writer share --- */

/* A line end and an end-of-file mark show a transfer that took it for text. */
#define CLIPC_PACKED_MAGIC "CLIPC\r\n\x1a"
#define CLIPC_PACKED_VERSION 1
/* Magic, version, checksum of the header, its length; the header follows. */
#define CLIPC_PACKED_PREFIX 24
/* Data begin at a multiple of this after the header, and so do sections: the largest pages. */
#define CLIPC_PACKED_PAGE ((size_t)65536)
#define CLIPC_PACKED_ALIGNMENT ((size_t)64)

#endif
