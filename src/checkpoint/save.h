/* SPDX-License-Identifier: MIT */
/* Named tensors -> files: safetensors and PyTorch state dicts, written whole or not at all. */
#ifndef CLIPC_CHECKPOINT_SAVE_H
#define CLIPC_CHECKPOINT_SAVE_H

#include "checkpoint/checkpoint.h"

/* One tensor to write. The bytes come from `read`, row range by row range, as float32. */
typedef struct clipc_save_tensor {
    const char *name;      /* as the file shall spell it */
    clipc_element element; /* F32, F16 or BF16; I64 for position_ids and num_batches_tracked */
    uint32_t rank;
    uint64_t shape[CLIPC_TENSOR_MAX_RANK];
    /* Fills out with rows [first, first + rows) as float32, as clipc_checkpoint_read does. */
    void (*read)(const void *context, uint64_t first, uint64_t rows, float *out);
    const void *context;
} clipc_save_tensor;

/* Writes by path's ending: .safetensors, or .pt/.pth/.bin (PyTorch's zip format). */
clipc_status clipc_save_tensors(const char *path, const clipc_save_tensor *tensors, size_t count,
                                clipc_error *error);

#endif
