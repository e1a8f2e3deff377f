/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes .clipc files: as they are; and as a header alone, after two bytes that say how many units
 * of 64 bytes of zeros follow it as data, put into a file with the prefix that it is due. What
 * opens as a model encodes a picture and a text.
 */
#define _GNU_SOURCE /* memfd_create */
#include "checkpoint_fuzz.h"
#include "unit/clipc_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Larger models would only be slower. */
enum { LARGEST_IMAGE = 64, LARGEST_LAYERS = 8 };

static void encode(const clipc_model *model)
{
    const clipc_session_options options = {.size = sizeof(options), .threads = 1};
    static const char *const text = "a b";
    static float pixels[3 * LARGEST_IMAGE * LARGEST_IMAGE], out[CLIPC_MAX_EMBED_DIM];
    clipc_model_info info;
    clipc_session *session;

    clipc_model_get_info(model, &info);
    if (info.image_size > LARGEST_IMAGE || info.text_layers > LARGEST_LAYERS ||
        info.vision_layers[0] > LARGEST_LAYERS)
        return;
    require(clipc_session_open(&session, model, &options, NULL) == CLIPC_OK);
    clipc_encode_pixels(session, pixels, 1, out, NULL);
    clipc_encode_texts(session, &text, 1, CLIPC_TOKENIZE_TRUNCATE, out, NULL);
    clipc_session_close(session);
}

static void fuzz_model(const clipc_file *file)
{
    clipc_model_options options;
    clipc_model *model;
    clipc_error error = {.code = CLIPC_OK};
    char path[64];
    int descriptor = memfd_create("clipc", MFD_CLOEXEC);
    clipc_status status;

    require(descriptor >= 0);
    require(write(descriptor, file->bytes, file->size) == (ssize_t)file->size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    clipc_model_options_init(&options);
    options.threads = 1;
    options.max_weight_bytes = MOST_WEIGHT_BYTES;
    status = clipc_model_open(&model, path, &options, &error);
    if (status)
        require(!model && error.code == status && error.message[0]);
    else
        encode(model);
    clipc_model_close(model);
    close(descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clipc_file file;

    fuzz_checkpoint(data, size);
    if (size < 2)
        return 0;
    file = make_clipc_file((const char *)data + 2, size - 2, NULL,
                           ((size_t)data[0] | (size_t)data[1] << 8) * 64);
    fuzz_checkpoint(file.bytes, file.size);
    fuzz_model(&file);
    free(file.bytes);
    return 0;
}
