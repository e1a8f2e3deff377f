/* SPDX-License-Identifier: MIT */
/* Unpickled PyTorch objects -> named tensors: state dicts, and TorchScript's trees of modules. */
#ifndef CLIPC_CHECKPOINT_STATE_DICT_H
#define CLIPC_CHECKPOINT_STATE_DICT_H

#include "checkpoint/storage.h"

/* What a checkpoint's pickle may name: everything a state dict and a TorchScript module need. */
bool clipc_state_dict_allows(const char *name);

/* The most values a checkpoint's pickle may make; OpenAI's largest makes some 20,000. */
#define CLIPC_STATE_DICT_MAX_VALUES ((size_t)1 << 20)

/* Whether root is a TorchScript module. */
bool clipc_is_module_value(const clipc_pickle_value *root);

/*
 * Appends the tensors of a state dict (also one under "state_dict" or "model"), or of a TorchScript
 * module, whose names are the attributes on the way to each, joined by dots.
 */
clipc_status clipc_add_state_dict(clipc_contents *contents, const clipc_pickle_value *root,
                                  const clipc_storage_source *storages, const char *source,
                                  clipc_error *error);

#endif
