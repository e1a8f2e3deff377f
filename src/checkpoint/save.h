/* SPDX-License-Identifier: MIT */
/* Named tensors -> files: safetensors and PyTorch state dicts, written whole or not at all. */
#ifndef CLIPC_CHECKPOINT_SAVE_H
#define CLIPC_CHECKPOINT_SAVE_H

#include "base/atomic_file.h"
#include "checkpoint/checkpoint.h"

/* One tensor to write. Its values come from `read`, row range by row range, as float32. */
typedef struct clipc_save_tensor {
    const char *name;      /* as the file shall spell it */
    clipc_element element; /* F32, F16, BF16, or I64 for whole numbers */
    uint32_t rank;
    uint64_t shape[CLIPC_TENSOR_MAX_RANK];
    /*
     * Fills out with rows [first, first + rows), as clipc_checkpoint_read does; each row is asked
     * for once, in order. Another status than CLIPC_OK ends the writing.
     */
    clipc_status (*read)(void *context, uint64_t first, uint64_t rows, float *out,
                         clipc_error *error);
    void *context;
} clipc_save_tensor;

/*
 * Writes by path's ending: .safetensors, or .pt/.pth/.bin (PyTorch's zip format). config, which may
 * be NULL, is a configuration JSON that safetensors files keep inside (clipc_checkpoint_config).
 */
clipc_status clipc_save_tensors(const char *path, const clipc_save_tensor *tensors, size_t count,
                                const char *config, clipc_error *error);

/* --- Between the formats --- */

/* Bytes of a tensor's data. */
size_t clipc_save_size(const clipc_save_tensor *tensor);

/* Hands the tensor's data to sink, piece by piece, as the file stores them. */
typedef clipc_status (*clipc_save_sink)(void *context, const void *bytes, size_t size,
                                        clipc_error *error);
clipc_status clipc_save_emit(const clipc_save_tensor *tensor, clipc_save_sink sink, void *context,
                             clipc_error *error);

clipc_status clipc_save_safetensors(clipc_atomic_file *file, const clipc_save_tensor *tensors,
                                    size_t count, const char *config, clipc_error *error);
clipc_status clipc_save_torch(clipc_atomic_file *file, const clipc_save_tensor *tensors,
                              size_t count, clipc_error *error);

#endif
