/* SPDX-License-Identifier: MIT */
/* PyTorch's pickled tensors: a storage found by its key, and a strided view of it. */
#ifndef CLIPC_CHECKPOINT_STORAGE_H
#define CLIPC_CHECKPOINT_STORAGE_H

#include "checkpoint/contents.h"
#include "checkpoint/pickle.h"

/* What a persistent identifier ('storage', type, key, location, elements) says. */
typedef struct clipc_storage {
    const char *key; /* not NUL-terminated */
    size_t key_length;
    clipc_element element;
    uint64_t count; /* of elements */
} clipc_storage;

/* Reads the identifier of a persistent value; false when it is none of a storage. */
bool clipc_storage_from_value(const clipc_pickle_value *value, clipc_storage *out);

/* Where the bytes of storages are: NULL when there is none of that key, else *size bytes. */
typedef struct clipc_storage_source {
    const uint8_t *(*find)(void *context, const clipc_storage *storage, uint64_t *size);
    void *context;
} clipc_storage_source;

/* Whether value is a pickled tensor or parameter. */
bool clipc_is_tensor_value(const clipc_pickle_value *value);

/*
 * Appends the tensor that value (clipc_is_tensor_value) describes under `name` (in the arena),
 * after checking that it lies inside its storage.
 */
clipc_status clipc_add_tensor_value(clipc_contents *contents, const clipc_pickle_value *value,
                                    const char *name, const clipc_storage_source *storages,
                                    const char *source, clipc_error *error);

#endif
