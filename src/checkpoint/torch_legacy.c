/* SPDX-License-Identifier: MIT */
/*
 * PyTorch's format from before version 1.6 -> tensors: five pickles in a row (magic number,
 * protocol, system, the object, the keys of its storages), then each storage's element count and
 * elements.
 */
#include "base/byte_reader.h"
#include "base/memory.h"
#include "base/status.h"
#include "checkpoint/contents.h"
#include "checkpoint/state_dict.h"

#include <stdlib.h>
#include <string.h>

#define PROTOCOL 1001

/* The magic number 0x1950a86a20f9469cfc6c as a pickle holds it. */
#define MAGIC "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"
#define MAGIC_SIZE 10

typedef struct placed_storage {
    clipc_storage storage;
    const uint8_t *bytes; /* NULL until its place in the file is known */
} placed_storage;

typedef struct legacy_file {
    clipc_contents *contents;
    clipc_byte_reader in;
    const char *source;
    clipc_error *error;
    placed_storage *storages; /* [count], by key */
    size_t count, capacity;
} legacy_file;

static clipc_status malformed(const legacy_file *file, const char *what)
{
    return clipc_fail(file->error, CLIPC_ERROR_FORMAT, "%s: malformed PyTorch file: %s",
                      file->source, what);
}

/* --- The storages that the object mentions --- */

static int compare_keys(const clipc_storage *a, const clipc_storage *b)
{
    const size_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
    const int order = memcmp(a->key, b->key, shorter);

    return order ? order : (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

static int by_key(const void *a, const void *b)
{
    const placed_storage *left = a, *right = b;

    return compare_keys(&left->storage, &right->storage);
}

static placed_storage *find_placed(const legacy_file *file, const clipc_storage *storage)
{
    const placed_storage key = {.storage = *storage};

    return file->count ? bsearch(&key, file->storages, file->count, sizeof(*file->storages), by_key)
                       : NULL;
}

static clipc_status collect(void *context, const clipc_pickle_value *value)
{
    legacy_file *file = context;
    placed_storage found = {.bytes = NULL};

    if (!clipc_storage_from_value(value, &found.storage))
        return malformed(file, "a persistent identifier is none of a storage");
    if (clipc_grow(&file->storages, &file->capacity, file->count + 1, sizeof(*file->storages)) != 0)
        return clipc_fail_memory(file->error, file->source, sizeof(found));
    file->storages[file->count++] = found;
    return CLIPC_OK;
}

/* Sorts by key and drops repetitions, which must agree. */
static clipc_status settle(legacy_file *file)
{
    size_t kept = 0;

    if (file->count)
        qsort(file->storages, file->count, sizeof(*file->storages), by_key);
    for (size_t i = 0; i < file->count; i++) {
        const placed_storage *before = kept ? &file->storages[kept - 1] : NULL;

        if (!before || by_key(before, &file->storages[i]) != 0)
            file->storages[kept++] = file->storages[i];
        else if (before->storage.element != file->storages[i].storage.element ||
                 before->storage.count != file->storages[i].storage.count)
            return malformed(file, "a storage is described in two ways");
    }
    file->count = kept;
    return CLIPC_OK;
}

/* --- Their bytes --- */

static clipc_status place_storages(legacy_file *file, const clipc_pickle_value *keys)
{
    if (keys->kind != CLIPC_PICKLE_LIST)
        return malformed(file, "the list of storages is missing");
    for (size_t i = 0; i < keys->count; i++) {
        const clipc_pickle_value *key = keys->items[i];
        const uint64_t count = clipc_read_u64(&file->in);
        placed_storage *placed = NULL;
        uint64_t bytes;

        if (key->kind == CLIPC_PICKLE_TEXT)
            placed = find_placed(
                file, &(clipc_storage){.key = key->text.bytes, .key_length = key->text.length});
        if (!placed || placed->bytes || placed->storage.count != count)
            return malformed(file, "its storages are not those that its tensors ask for");
        if (__builtin_mul_overflow(count, clipc_element_size(placed->storage.element), &bytes) ||
            bytes > SIZE_MAX || !(placed->bytes = clipc_read_bytes(&file->in, (size_t)bytes)))
            return malformed(file, "a storage is cut short, the file may be truncated");
    }
    return CLIPC_OK;
}

static const uint8_t *find_storage(void *context, const clipc_storage *storage, uint64_t *size)
{
    const placed_storage *placed = find_placed(context, storage);

    if (!placed || !placed->bytes)
        return NULL;
    *size = placed->storage.count * clipc_element_size(placed->storage.element);
    return placed->bytes;
}

/* --- The file --- */

static clipc_status next_pickle(legacy_file *file, clipc_pickle_value **out)
{
    const clipc_pickle_options options = {
        .allows = clipc_state_dict_allows,
        .max_values = CLIPC_STATE_DICT_MAX_VALUES,
        .source = file->source,
        .on_persistent = collect,
        .context = file,
    };
    size_t used = 0;
    clipc_status status =
        clipc_pickle_read(out, &file->contents->arena, file->in.bytes + file->in.position,
                          file->in.size - file->in.position, &options, &used, file->error);

    file->in.position += used;
    return status;
}

static clipc_status check_magic(const legacy_file *file, const clipc_pickle_value *magic)
{
    if (magic->kind == CLIPC_PICKLE_BIG && magic->text.length == MAGIC_SIZE &&
        memcmp(magic->text.bytes, MAGIC, MAGIC_SIZE) == 0)
        return CLIPC_OK;
    return clipc_fail(file->error, CLIPC_ERROR_FORMAT,
                      "%s: a pickle, but none that torch.save wrote: PyTorch's magic number was "
                      "expected first",
                      file->source);
}

static clipc_status check_system(const legacy_file *file, const clipc_pickle_value *protocol,
                                 const clipc_pickle_value *system)
{
    const clipc_pickle_value *little = clipc_pickle_get(system, "little_endian");

    if (protocol->kind != CLIPC_PICKLE_INTEGER || protocol->integer != PROTOCOL)
        return malformed(file, "its protocol is not 1001");
    if (!little || little->kind != CLIPC_PICKLE_BOOL)
        return malformed(file, "it does not say whether it is little-endian");
    if (!little->integer)
        return clipc_fail(file->error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: its tensors are big-endian, little-endian was expected",
                          file->source);
    return CLIPC_OK;
}

static clipc_status read_file(legacy_file *file)
{
    const clipc_storage_source storages = {find_storage, file};
    clipc_pickle_value *magic, *protocol, *system, *root, *keys;
    clipc_status status = next_pickle(file, &magic);

    if (!status)
        status = check_magic(file, magic);
    if (!status)
        status = next_pickle(file, &protocol);
    if (!status)
        status = next_pickle(file, &system);
    if (!status)
        status = check_system(file, protocol, system);
    if (!status)
        status = next_pickle(file, &root);
    if (!status)
        status = next_pickle(file, &keys);
    if (!status)
        status = settle(file);
    if (!status)
        status = place_storages(file, keys);
    return status
               ? status
               : clipc_add_state_dict(file->contents, root, &storages, file->source, file->error);
}

clipc_status clipc_read_torch_legacy(clipc_contents *contents, const uint8_t *bytes, size_t size,
                                     const char *source, clipc_error *error)
{
    legacy_file file = {
        .contents = contents,
        .in = clipc_byte_reader_over(bytes, size),
        .source = source,
        .error = error,
    };
    clipc_status status;

    contents->format = "pytorch-legacy";
    status = read_file(&file);
    free(file.storages);
    return status;
}
