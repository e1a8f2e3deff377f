/* SPDX-License-Identifier: MIT */
/* A model as a .clipc file: what its header says beside the weights. */
#ifndef CLIPC_MODEL_PACKED_MODEL_H
#define CLIPC_MODEL_PACKED_MODEL_H

#include "checkpoint/packed.h"
#include "model/model.h"

/* Whether the tokenizer that a header names is the one that this library has. */
clipc_status clipc_packed_check_tokenizer(const clipc_packed_header *header,
                                          const clipc_config *config, const char *source,
                                          clipc_error *error);

/*
 * Writes a model that was opened with its weights to a .clipc file, packed for the level `cpu`
 * (NULL: the one in use). Afterwards it is of no use but to be closed. progress may be NULL.
 */
clipc_status clipc_model_save(clipc_model *model, const char *path, const char *cpu,
                              clipc_convert_progress_fn progress, void *progress_data,
                              clipc_error *error);

#endif
