/* SPDX-License-Identifier: MIT */
/*
 * A checkpoint file of any kind as a list of named tensors, under OpenAI's names whatever layout
 * the file has. First step of loading: file -> named tensors -> (model) weights.
 */
#ifndef CLIPC_CHECKPOINT_CHECKPOINT_H
#define CLIPC_CHECKPOINT_CHECKPOINT_H

#include "base/log.h"

#include <clipc.h>

typedef struct clipc_checkpoint clipc_checkpoint;

#define CLIPC_TENSOR_MAX_RANK 8

/* How elements are stored in a file. */
typedef enum clipc_element {
    CLIPC_ELEMENT_F32,
    CLIPC_ELEMENT_F16,
    CLIPC_ELEMENT_BF16,
    CLIPC_ELEMENT_F64,
    CLIPC_ELEMENT_I8,
    CLIPC_ELEMENT_U8,
    CLIPC_ELEMENT_I16,
    CLIPC_ELEMENT_I32,
    CLIPC_ELEMENT_I64,
    CLIPC_ELEMENT_BOOL,
} clipc_element;

size_t clipc_element_size(clipc_element element);
const char *clipc_element_name(clipc_element element); /* "float16", ... */

/*
 * One tensor, under its OpenAI name. It may be put together from up to three pieces of the file
 * (q, k, v of Hugging Face's layout become in_proj), each a strided view; clipc_checkpoint_read
 * hides that.
 */
typedef struct clipc_checkpoint_tensor {
    const char *name;      /* "visual.conv1.weight"; owned by the checkpoint */
    const char *file_name; /* as the file spells it (the first piece's), for messages */
    clipc_element element;
    uint32_t rank; /* 0 for a scalar */
    uint64_t shape[CLIPC_TENSOR_MAX_RANK];
    /* Of a .clipc file (packed.h), where what is in panels or folded reads as zeros; else NULL. */
    const struct clipc_packed_tensor *packed;
} clipc_checkpoint_tensor;

typedef struct clipc_checkpoint_options {
    uint64_t max_weight_bytes; /* refuses files whose tensors take more in all */
    clipc_log log;
} clipc_checkpoint_options;

/*
 * Opens a file, or a directory holding one (model.safetensors, model.safetensors.index.json,
 * open_clip_model.safetensors, open_clip_pytorch_model.bin, pytorch_model.bin, then the only file
 * with a known ending). The file stays mapped until closed. Every offset, size and stride has been
 * checked against the file when this returns. Immutable afterwards, so many threads may read.
 */
clipc_status clipc_checkpoint_open(clipc_checkpoint **out, const char *path,
                                   const clipc_checkpoint_options *options, clipc_error *error);

/* The same for bytes in memory that outlive it; `source` names them in messages. */
clipc_status clipc_checkpoint_open_memory(clipc_checkpoint **out, const uint8_t *bytes, size_t size,
                                          const char *source,
                                          const clipc_checkpoint_options *options,
                                          clipc_error *error);
void clipc_checkpoint_close(clipc_checkpoint *checkpoint);

const char *clipc_checkpoint_source(const clipc_checkpoint *checkpoint); /* path, for messages */
/*
 * The configuration JSON that clipc keeps inside its own safetensors and .clipc files; NULL when
 * there is none.
 */
const char *clipc_checkpoint_config(const clipc_checkpoint *checkpoint);
/* "torchscript", "pytorch", "pytorch-legacy", "safetensors", "clipc" */
const char *clipc_checkpoint_format(const clipc_checkpoint *checkpoint);

/* Whose names the file uses. */
typedef enum clipc_checkpoint_layout {
    CLIPC_CHECKPOINT_OPENAI,           /* OpenAI's, also open_clip's plain CLIP */
    CLIPC_CHECKPOINT_OPEN_CLIP_CUSTOM, /* open_clip's CustomTextCLIP: text tower under "text." */
    CLIPC_CHECKPOINT_HUGGINGFACE,      /* transformers' CLIPModel */
} clipc_checkpoint_layout;
clipc_checkpoint_layout clipc_checkpoint_get_layout(const clipc_checkpoint *checkpoint);

/* Tensors in ascending order of name, so the i-th is the same however the file orders them. */
size_t clipc_checkpoint_count(const clipc_checkpoint *checkpoint);
const clipc_checkpoint_tensor *clipc_checkpoint_at(const clipc_checkpoint *checkpoint,
                                                   size_t index);
/* NULL when there is none of that name. */
const clipc_checkpoint_tensor *clipc_checkpoint_find(const clipc_checkpoint *checkpoint,
                                                     const char *name);

/*
 * Converts rows [first, first + rows) of a tensor (its first extent; a scalar is one row of one) to
 * float32, row-major, contiguous. out: rows * (product of the other extents). The range must lie
 * inside the tensor. Cannot fail otherwise.
 */
void clipc_checkpoint_read(const clipc_checkpoint *checkpoint,
                           const clipc_checkpoint_tensor *tensor, uint64_t first, uint64_t rows,
                           float *out);

/*
 * The same rows where they lie in the file, without a copy; NULL where they are not float32 values
 * one after the other, aligned, in this machine's byte order: then they have to be read.
 */
const float *clipc_checkpoint_view(const clipc_checkpoint *checkpoint,
                                   const clipc_checkpoint_tensor *tensor, uint64_t first,
                                   uint64_t rows);

/* Tells the system that this tensor is not needed again: its mapped pages leave our memory. */
void clipc_checkpoint_release(const clipc_checkpoint *checkpoint,
                              const clipc_checkpoint_tensor *tensor);

#endif
