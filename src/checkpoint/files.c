/* SPDX-License-Identifier: MIT */
/* path -> the files that make a checkpoint -> stored tensors. */
#include "checkpoint/files.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "checkpoint/packed.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LARGEST_INDEX ((size_t)4 << 20)
#define MOST_SHARDS 1000
#define LONGEST_PATH 4096

/* --- One file --- */

static bool begins_with(const uint8_t *bytes, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(bytes, magic, length) == 0;
}

/* What people have under a model's name when a download went wrong. */
static clipc_status refuse_content(const uint8_t *bytes, size_t size, const char *source,
                                   clipc_error *error)
{
    static const char pointer[] = "version https://git-lfs";

    if (size == 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: the file is empty", source);
    if (begins_with(bytes, size, pointer, sizeof(pointer) - 1))
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: a Git LFS pointer, not the file it stands for (`git lfs pull` "
                          "fetches it)",
                          source);
    if (begins_with(bytes, size, "<", 1))
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: a web page, not a checkpoint", source);
    return clipc_fail(error, CLIPC_ERROR_FORMAT,
                      "%s: not a checkpoint; PyTorch's (zip or pickle), safetensors or .clipc was "
                      "expected",
                      source);
}

static clipc_status read_bytes(clipc_contents *contents, const uint8_t *bytes, size_t size,
                               const char *source, clipc_error *error)
{
    if (begins_with(bytes, size, CLIPC_PACKED_MAGIC, sizeof(CLIPC_PACKED_MAGIC) - 1))
        return clipc_read_packed(contents, bytes, size, source, error);
    if (begins_with(bytes, size, "PK\3\4", 4))
        return clipc_read_torch_zip(contents, bytes, size, source, error);
    if (size > 8 && bytes[8] == '{') /* before it any byte can stand: a length */
        return clipc_read_safetensors(contents, bytes, size, source, error);
    if (begins_with(bytes, size, "\x80", 1)) /* how pickles begin since 2003 */
        return clipc_read_torch_legacy(contents, bytes, size, source, error);
    return refuse_content(bytes, size, source, error);
}

static clipc_status map_file(clipc_checkpoint_files *files, clipc_contents *contents,
                             const char *path, clipc_error *error)
{
    clipc_file_map *map;
    clipc_status status;

    if (clipc_grow(&files->maps, &files->capacity, files->count + 1, sizeof(*files->maps)) != 0)
        return clipc_fail_memory(error, path, sizeof(*files->maps));
    map = &files->maps[files->count];
    status = clipc_file_map_open(map, path, error);
    if (status)
        return status;
    files->count++;
    return read_bytes(contents, map->bytes, map->size, path, error);
}

/* --- A sharded checkpoint: an index names the files --- */

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_stored(const void *a, const void *b)
{
    const clipc_stored_tensor *left = a, *right = b;

    return strcmp(left->name, right->name);
}

/* Every tensor that the index promises must have come with one of the shards. */
static clipc_status check_promised(clipc_contents *contents, const cJSON *weights,
                                   const char *source, clipc_error *error)
{
    const cJSON *item;

    if (contents->count)
        qsort(contents->tensors, contents->count, sizeof(*contents->tensors), compare_stored);
    cJSON_ArrayForEach(item, weights)
    {
        const clipc_stored_tensor key = {.name = item->string};

        if (contents->count == 0 || !bsearch(&key, contents->tensors, contents->count,
                                             sizeof(*contents->tensors), compare_stored))
            return clipc_fail(error, CLIPC_ERROR_FORMAT,
                              "%s: tensor %s is in none of the files it names", source,
                              item->string);
    }
    return CLIPC_OK;
}

static clipc_status read_shards(clipc_checkpoint_files *files, clipc_contents *contents,
                                const char **names, size_t count, clipc_error *error)
{
    const char *slash = strrchr(files->source, '/');
    const int folder = slash ? (int)(slash - files->source + 1) : 0;
    size_t shards = 0;

    qsort(names, count, sizeof(*names), compare_text);
    for (size_t i = 0; i < count; i++) {
        char path[LONGEST_PATH];
        clipc_status status;

        if (i > 0 && strcmp(names[i - 1], names[i]) == 0)
            continue;
        if (++shards > MOST_SHARDS)
            return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: names more than %d files",
                              files->source, MOST_SHARDS);
        if (strchr(names[i], '/') || snprintf(path, sizeof(path), "%.*s%s", folder, files->source,
                                              names[i]) >= (int)sizeof(path))
            return clipc_fail(error, CLIPC_ERROR_FORMAT,
                              "%s: names a file outside its own folder: %.80s", files->source,
                              names[i]);
        status = map_file(files, contents, path, error);
        if (status)
            return status;
    }
    return CLIPC_OK;
}

static clipc_status read_weight_map(clipc_checkpoint_files *files, clipc_contents *contents,
                                    const cJSON *weights, clipc_error *error)
{
    const size_t count = cJSON_IsObject(weights) ? (size_t)cJSON_GetArraySize(weights) : 0;
    const char **names;
    const cJSON *item;
    size_t i = 0;
    clipc_status status = CLIPC_OK;

    if (count == 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: an index of shards has an object \"weight_map\"", files->source);
    names = clipc_calloc(count, sizeof(*names));
    if (!names)
        return clipc_fail_memory(error, files->source, count * sizeof(*names));
    cJSON_ArrayForEach(item, weights)
    {
        if (cJSON_IsString(item))
            names[i++] = item->valuestring;
        else
            status = clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: the file of %s is no string",
                                files->source, item->string);
    }
    if (!status)
        status = read_shards(files, contents, names, count, error);
    free(names);
    return status ? status : check_promised(contents, weights, files->source, error);
}

static clipc_status read_index(clipc_checkpoint_files *files, clipc_contents *contents,
                               const char *path, clipc_error *error)
{
    char *json;
    size_t size;
    cJSON *root;
    clipc_status status = clipc_file_read(path, LARGEST_INDEX, &json, &size, error);

    if (status)
        return status;
    status = clipc_json_parse(&root, json, size, path, "the file", error);
    free(json);
    if (status)
        return status;
    status = read_weight_map(files, contents, cJSON_GetObjectItemCaseSensitive(root, "weight_map"),
                             error);
    cJSON_Delete(root);
    return status;
}

/* --- A directory --- */

static bool ends_with(const char *name, const char *ending)
{
    const size_t length = strlen(name), ending_length = strlen(ending);

    return length > ending_length && strcmp(name + length - ending_length, ending) == 0;
}

static bool is_known_ending(const char *name)
{
    static const char *const endings[] = {".safetensors", ".clipc", ".pt", ".pth", ".bin"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (ends_with(name, endings[i]))
            return true;
    return false;
}

/* The only file of a known ending: its name into `name`; the number of such files is returned. */
static size_t find_only(const char *folder, char *name, size_t name_size)
{
    DIR *directory = opendir(folder);
    const struct dirent *item;
    size_t found = 0;

    if (!directory)
        return 0;
    while ((item = readdir(directory)))
        if (is_known_ending(item->d_name) && strlen(item->d_name) < name_size) {
            snprintf(name, name_size, "%s", item->d_name);
            found++;
        }
    closedir(directory);
    return found;
}

/* Replaces files->source, a directory, by the checkpoint in it. */
static clipc_status choose_in_directory(clipc_checkpoint_files *files, clipc_error *error)
{
    static const char *const names[] = {
        "model.safetensors",           "model.safetensors.index.json",
        "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
        "pytorch_model.bin",           "pytorch_model.bin.index.json",
    };
    char path[LONGEST_PATH], name[256];
    struct stat facts;
    size_t found = 0;

    for (size_t i = 0; !found && i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", files->source, names[i]);
        found = stat(path, &facts) == 0;
    }
    if (!found) {
        found = find_only(files->source, name, sizeof(name));
        if (found != 1)
            return clipc_fail(error, CLIPC_ERROR_NOT_FOUND,
                              "%s: a directory with %zu files that could be the checkpoint; name "
                              "the file",
                              files->source, found);
        if (snprintf(path, sizeof(path), "%s/%s", files->source, name) >= (int)sizeof(path))
            return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "%s: the path is too long",
                              files->source);
    }
    free(files->source);
    files->source = clipc_copy_text(path, strlen(path));
    return files->source ? CLIPC_OK : clipc_fail_memory(error, path, strlen(path));
}

clipc_status clipc_checkpoint_files_open(clipc_checkpoint_files *files, clipc_contents *contents,
                                         const char *path, clipc_error *error)
{
    struct stat facts;
    clipc_status status = CLIPC_OK;

    files->source = clipc_copy_text(path, strlen(path));
    if (!files->source)
        return clipc_fail_memory(error, path, strlen(path));
    if (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
        status = choose_in_directory(files, error);
    if (status)
        return status;
    if (ends_with(files->source, ".index.json"))
        return read_index(files, contents, files->source, error);
    return map_file(files, contents, files->source, error);
}

clipc_status clipc_checkpoint_files_borrow(clipc_checkpoint_files *files, clipc_contents *contents,
                                           const char *source, const uint8_t *bytes, size_t size,
                                           clipc_error *error)
{
    files->source = clipc_copy_text(source, strlen(source));
    if (!files->source)
        return clipc_fail_memory(error, source, strlen(source));
    return read_bytes(contents, bytes, size, source, error);
}

void clipc_checkpoint_files_release(const clipc_checkpoint_files *files, const uint8_t *data,
                                    size_t size)
{
    for (size_t i = 0; i < files->count; i++) {
        const clipc_file_map *map = &files->maps[i];
        const uintptr_t start = (uintptr_t)map->bytes, place = (uintptr_t)data;

        if (place >= start && place - start < map->size)
            clipc_file_map_release(map, place - start,
                                   clipc_min_size(size, map->size - (place - start)));
    }
}

void clipc_checkpoint_files_close(clipc_checkpoint_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        clipc_file_map_close(&files->maps[i]);
    free(files->maps);
    free(files->source);
    *files = (clipc_checkpoint_files){0};
}
