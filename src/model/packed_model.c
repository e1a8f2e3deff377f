/* SPDX-License-Identifier: MIT */
/* A model as a .clipc file: what its header says beside the weights. */
#include "model/packed_model.h"

#include "base/cpu.h"
#include "base/status.h"
#include "model/config_write.h"
#include "model/packed_weights.h"

#include <stdlib.h>
#include <string.h>

/* CLIP's byte pairs. The build defines CLIPC_MERGES_SHA256: of data/bpe_merges.txt. */
#define TOKENIZER "clip"

clipc_status clipc_packed_check_tokenizer(const clipc_packed_header *header,
                                          const clipc_config *config, const char *source,
                                          clipc_error *error)
{
    if (strcmp(header->tokenizer, TOKENIZER) != 0 ||
        strcmp(header->merges_sha256, CLIPC_MERGES_SHA256) != 0)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: its tokenizer is \"%.40s\" with merges %.12s..., which this version "
                          "does not have",
                          source, header->tokenizer, header->merges_sha256);
    if (header->vocab_size != config->vocab_size ||
        header->context_length != config->context_length)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: its tokenizer has %zu tokens and %zu places, its tensors have %zu "
                          "and %zu",
                          source, header->vocab_size, header->context_length, config->vocab_size,
                          config->context_length);
    return CLIPC_OK;
}

clipc_status clipc_model_save(clipc_model *model, const char *path, const char *cpu,
                              clipc_convert_progress_fn progress, void *progress_data,
                              clipc_error *error)
{
    const clipc_kernels *level = cpu ? clipc_kernels_named(cpu) : model->kernels;
    clipc_packed_header header = {
        .tokenizer = TOKENIZER,
        .merges_sha256 = CLIPC_MERGES_SHA256,
        .vocab_size = model->config.vocab_size,
        .context_length = model->config.context_length,
        .dtype = model->parameters.kernels.matrix->dtype,
    };
    clipc_status status;
    char *config;

    if (!level) {
        char names[128];

        clipc_cpu_level_names(names, sizeof(names));
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "%.40s: no CPU level of this build, one of %s was expected", cpu, names);
    }
    config = clipc_config_to_open_clip(&model->config);
    if (!config)
        return clipc_fail_memory(error, path, sizeof(model->config));
    header.config = config;
    status = clipc_packed_weights_save(&model->parameters, level, &header, path, progress,
                                       progress_data, error);
    free(config);
    return status;
}
