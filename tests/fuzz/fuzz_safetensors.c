/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes safetensors files twice over: as they are, and with the length of the header set to where
 * its JSON seems to end, so that changes of the JSON are not lost on the length.
 */
#include "checkpoint_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t guess_header_size(const uint8_t *json, size_t size)
{
    for (size_t end = size; end > 0; end--)
        if (json[end - 1] == '}')
            return end;
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *file;

    fuzz_checkpoint(data, size);
    if (size < 8)
        return 0;
    file = malloc(size);
    require(file != NULL);
    memcpy(file, data, size);
    for (size_t i = 0; i < 8; i++)
        file[i] = (uint8_t)((uint64_t)guess_header_size(data + 8, size - 8) >> 8 * i);
    fuzz_checkpoint(file, size);
    free(file);
    return 0;
}
