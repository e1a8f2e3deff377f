/* SPDX-License-Identifier: MIT */
/* What a reader of one file format hands over: tensors as the file names and stores them. */
#ifndef CLIPC_CHECKPOINT_CONTENTS_H
#define CLIPC_CHECKPOINT_CONTENTS_H

#include "base/arena.h"
#include "checkpoint/checkpoint.h"

/* A tensor as it lies in a file: a strided view of little-endian elements. */
typedef struct clipc_stored_tensor {
    const char *name;    /* in the arena */
    const uint8_t *data; /* its first element; not aligned */
    clipc_element element;
    uint32_t rank;
    uint64_t shape[CLIPC_TENSOR_MAX_RANK];
    uint64_t stride[CLIPC_TENSOR_MAX_RANK];   /* in elements */
    const struct clipc_packed_tensor *packed; /* .clipc: in the arena; else NULL */
} clipc_stored_tensor;

typedef struct clipc_contents {
    clipc_arena arena;
    clipc_stored_tensor *tensors; /* [count], owned; names may still repeat */
    size_t count, capacity;
    const char *format; /* static: "safetensors", ... */
    const char *config; /* a configuration kept inside the file, in the arena; or NULL */
    const struct clipc_packed_header *packed; /* .clipc: in the arena; else NULL */
} clipc_contents;

/* Appends a copy of *tensor, whose name is already in the arena. */
clipc_status clipc_contents_add(clipc_contents *contents, const clipc_stored_tensor *tensor,
                                const char *source, clipc_error *error);

/* A copy of length bytes of text in the arena, NUL-terminated; NULL when out of memory. */
char *clipc_contents_text(clipc_contents *contents, const char *text, size_t length);

/*
 * The readers, by format; each appends its tensors. Whatever they append lies wholly inside bytes,
 * has a rank of at most CLIPC_TENSOR_MAX_RANK and no more elements than its storage.
 */
clipc_status clipc_read_safetensors(clipc_contents *contents, const uint8_t *bytes, size_t size,
                                    const char *source, clipc_error *error);
clipc_status clipc_read_torch_zip(clipc_contents *contents, const uint8_t *bytes, size_t size,
                                  const char *source, clipc_error *error);
clipc_status clipc_read_torch_legacy(clipc_contents *contents, const uint8_t *bytes, size_t size,
                                     const char *source, clipc_error *error);
clipc_status clipc_read_packed(clipc_contents *contents, const uint8_t *bytes, size_t size,
                               const char *source, clipc_error *error);

/* The key of contents->config in a safetensors file's __metadata__. */
#define CLIPC_CONFIG_KEY "open_clip_config"

#endif
