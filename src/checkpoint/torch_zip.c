/* SPDX-License-Identifier: MIT */
/*
 * PyTorch's zip archives -> tensors: NAME/data.pkl describes, NAME/data/KEY holds the bytes. What
 * torch.save writes and what torch.jit.save writes (OpenAI's published files) differ in the pickle.
 */
#include "base/status.h"
#include "checkpoint/contents.h"
#include "checkpoint/state_dict.h"
#include "checkpoint/zip.h"

#include <stdio.h>
#include <string.h>

#define LARGEST_PICKLE ((size_t)32 << 20)
#define LONGEST_BYTE_ORDER 16
#define LONGEST_PATH 512

typedef struct torch_zip {
    clipc_zip zip;
    const char *root; /* NAME/, not NUL-terminated */
    size_t root_length;
} torch_zip;

/* NAME/name as an entry; NULL when there is none. */
static const clipc_zip_entry *find(const torch_zip *file, const char *folder, const char *name,
                                   size_t length)
{
    char path[LONGEST_PATH];

    if (file->root_length + strlen(folder) + length >= sizeof(path))
        return NULL;
    snprintf(path, sizeof(path), "%.*s%s%.*s", (int)file->root_length, file->root, folder,
             (int)length, name);
    return clipc_zip_find(&file->zip, path);
}

static const uint8_t *find_storage(void *context, const clipc_storage *storage, uint64_t *size)
{
    const clipc_zip_entry *entry = find(context, "data/", storage->key, storage->key_length);

    if (!entry || entry->is_deflated) /* torch never packs them: they are to be mapped */
        return NULL;
    *size = entry->size;
    return entry->bytes;
}

/* The one entry NAME/data.pkl gives NAME. */
static clipc_status find_pickle(torch_zip *file, const clipc_zip_entry **out, const char *source,
                                clipc_error *error)
{
    static const char ending[] = "data.pkl";
    const size_t length = sizeof(ending) - 1;

    *out = NULL;
    for (size_t i = 0; i < file->zip.count; i++) {
        const char *name = file->zip.entries[i].name;
        const size_t size = strlen(name);

        if (size <= length || strcmp(name + size - length, ending) != 0 ||
            strchr(name, '/') != name + size - length - 1)
            continue;
        if (*out)
            return clipc_fail(error, CLIPC_ERROR_FORMAT,
                              "%s: holds both %s and %s, one data.pkl was expected", source,
                              (*out)->name, name);
        file->root = name;
        file->root_length = size - length;
        *out = &file->zip.entries[i];
    }
    if (!*out)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: a zip archive without data.pkl is no PyTorch checkpoint", source);
    return CLIPC_OK;
}

static clipc_status check_byte_order(torch_zip *file, clipc_arena *arena, const char *source,
                                     clipc_error *error)
{
    const clipc_zip_entry *entry = find(file, "", "byteorder", strlen("byteorder"));
    const uint8_t *bytes;
    clipc_status status;

    if (!entry)
        return CLIPC_OK; /* before PyTorch 2.1, and in TorchScript */
    status = clipc_zip_read(entry, arena, LONGEST_BYTE_ORDER, &bytes, source, error);
    if (!status && (entry->size != 6 || memcmp(bytes, "little", 6) != 0))
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: its tensors are \"%.*s\"-endian, \"little\" was expected", source,
                          (int)entry->size, (const char *)bytes);
    return status;
}

clipc_status clipc_read_torch_zip(clipc_contents *contents, const uint8_t *bytes, size_t size,
                                  const char *source, clipc_error *error)
{
    const clipc_pickle_options options = {
        .allows = clipc_state_dict_allows,
        .max_values = CLIPC_STATE_DICT_MAX_VALUES,
        .source = source,
    };
    torch_zip file = {0};
    const clipc_storage_source storages = {find_storage, &file};
    const clipc_zip_entry *entry;
    const uint8_t *pickle;
    clipc_pickle_value *root;
    clipc_status status = clipc_zip_open(&file.zip, &contents->arena, bytes, size, source, error);

    if (status)
        return status;
    status = find_pickle(&file, &entry, source, error);
    if (!status)
        status = check_byte_order(&file, &contents->arena, source, error);
    if (!status)
        status = clipc_zip_read(entry, &contents->arena, LARGEST_PICKLE, &pickle, source, error);
    if (!status)
        status = clipc_pickle_read(&root, &contents->arena, pickle, (size_t)entry->size, &options,
                                   NULL, error);
    if (status)
        return status;
    contents->format = clipc_is_module_value(root) ? "torchscript" : "pytorch";
    return clipc_add_state_dict(contents, root, &storages, source, error);
}
