/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes PyTorch's files: zip archives, TorchScript, and the older rows of pickles. The latter have
 * no checksums, so that most of what happens to a pickle is found through them.
 */
#include "checkpoint_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_checkpoint(data, size);
    return 0;
}
