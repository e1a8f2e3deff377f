/* SPDX-License-Identifier: MIT */
/* What the targets of checkpoint files share: open, look at every tensor, read every element. */
#ifndef CLIPC_TESTS_CHECKPOINT_FUZZ_H
#define CLIPC_TESTS_CHECKPOINT_FUZZ_H

#include "checkpoint/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#define MOST_WEIGHT_BYTES ((uint64_t)1 << 26)

static void require(int holds)
{
    if (!holds)
        abort();
}

static void read_tensor(const clipc_checkpoint *checkpoint, const clipc_checkpoint_tensor *tensor)
{
    const uint64_t rows = tensor->rank ? tensor->shape[0] : 1;
    size_t count = 1;
    float *values;

    require(tensor->rank <= CLIPC_TENSOR_MAX_RANK);
    require(clipc_checkpoint_find(checkpoint, tensor->name) == tensor);
    for (uint32_t axis = 0; axis < tensor->rank; axis++)
        count *= (size_t)tensor->shape[axis];
    require(count <= MOST_WEIGHT_BYTES / sizeof(float));
    values = malloc(count ? count * sizeof(*values) : 1);
    require(values != NULL);
    clipc_checkpoint_read(checkpoint, tensor, 0, rows, values);
    free(values);
}

static void fuzz_checkpoint(const uint8_t *data, size_t size)
{
    const clipc_checkpoint_options options = {.max_weight_bytes = MOST_WEIGHT_BYTES};
    clipc_checkpoint *checkpoint;
    clipc_error error = {.code = CLIPC_OK};
    const clipc_status status =
        clipc_checkpoint_open_memory(&checkpoint, data, size, "file", &options, &error);

    if (status) {
        require(!checkpoint && error.code == status && strncmp(error.message, "file: ", 6) == 0);
        return;
    }
    for (size_t i = 0; i < clipc_checkpoint_count(checkpoint); i++)
        read_tensor(checkpoint, clipc_checkpoint_at(checkpoint, i));
    clipc_checkpoint_close(checkpoint);
}

#endif
