/* SPDX-License-Identifier: MIT */
/* Walking what a pickle described, in search of tensors and their names. */
#include "checkpoint/state_dict.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

#define MODULE_PREFIX "__torch__."
#define DEEPEST 32
#define MOST_VISITS ((size_t)1 << 20)
#define LONGEST_NAME 512

bool clipc_state_dict_allows(const char *name)
{
    static const char *const names[] = {
        "collections.OrderedDict",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch.FloatStorage",
        "torch.HalfStorage",
        "torch.BFloat16Storage",
        "torch.DoubleStorage",
        "torch.CharStorage",
        "torch.ByteStorage",
        "torch.ShortStorage",
        "torch.IntStorage",
        "torch.LongStorage",
        "torch.BoolStorage",
        "torch.Size",
        "torch.device",
        "torch.jit._pickle.build_intlist",
        "torch.jit._pickle.build_doublelist",
        "torch.jit._pickle.build_boollist",
        "torch.jit._pickle.build_tensorlist",
        "torch.jit._pickle.restore_type_tag",
    };

    if (strncmp(name, MODULE_PREFIX, strlen(MODULE_PREFIX)) == 0)
        return true; /* a TorchScript class: only its attributes are read */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

bool clipc_is_module_value(const clipc_pickle_value *value)
{
    const clipc_pickle_value *class;

    if (!value || value->kind != CLIPC_PICKLE_OBJECT)
        return false;
    class = value->items[0];
    return class->text.length > strlen(MODULE_PREFIX) &&
           memcmp(class->text.bytes, MODULE_PREFIX, strlen(MODULE_PREFIX)) == 0;
}

typedef struct walk {
    clipc_contents *contents;
    const clipc_storage_source *storages;
    const char *source;
    clipc_error *error;
    size_t visits; /* a pickle's parts may be shared: this bounds the walk all the same */
    char name[LONGEST_NAME];
} walk;

static clipc_status add(walk *w, const clipc_pickle_value *value, const char *name, size_t length)
{
    const char *copy = clipc_contents_text(w->contents, name, length);

    if (!copy)
        return clipc_fail_memory(w->error, w->source, length);
    if (strlen(copy) != length)
        return clipc_fail(w->error, CLIPC_ERROR_FORMAT, "%s: a tensor's name holds a NUL byte",
                          w->source);
    return clipc_add_tensor_value(w->contents, value, copy, w->storages, w->source, w->error);
}

static clipc_status walk_module(walk *w, const clipc_pickle_value *module, size_t length,
                                unsigned depth);

/* One attribute of a module, whose own name takes `length` bytes of w->name. */
static clipc_status walk_attribute(walk *w, const clipc_pickle_value *key,
                                   const clipc_pickle_value *value, size_t length, unsigned depth)
{
    if (++w->visits > MOST_VISITS)
        return clipc_fail(w->error, CLIPC_ERROR_LIMIT, "%s: its modules have over %zu attributes",
                          w->source, MOST_VISITS);
    if (!clipc_is_module_value(value) && !clipc_is_tensor_value(value))
        return CLIPC_OK; /* flags, sizes, hooks */
    if (key->kind != CLIPC_PICKLE_TEXT || length + key->text.length + 2 > sizeof(w->name))
        return clipc_fail(w->error, CLIPC_ERROR_FORMAT,
                          "%s: an attribute's name is missing or too long", w->source);
    if (length)
        w->name[length++] = '.';
    memcpy(w->name + length, key->text.bytes, key->text.length);
    length += key->text.length;
    return clipc_is_tensor_value(value) ? add(w, value, w->name, length)
                                        : walk_module(w, value, length, depth + 1);
}

static clipc_status walk_module(walk *w, const clipc_pickle_value *module, size_t length,
                                unsigned depth)
{
    const clipc_pickle_value *attributes = module->items[2];

    if (depth > DEEPEST)
        return clipc_fail(w->error, CLIPC_ERROR_LIMIT, "%s: its modules are nested over %u deep",
                          w->source, DEEPEST);
    if (!attributes || attributes->kind != CLIPC_PICKLE_DICT)
        return CLIPC_OK;
    for (size_t i = 0; i + 1 < attributes->count; i += 2) {
        clipc_status status =
            walk_attribute(w, attributes->items[i], attributes->items[i + 1], length, depth);

        if (status)
            return status;
    }
    return CLIPC_OK;
}

static clipc_status walk_dict(walk *w, const clipc_pickle_value *dict)
{
    for (size_t i = 0; i + 1 < dict->count; i += 2) {
        const clipc_pickle_value *key = dict->items[i];
        clipc_status status;

        if (key->kind != CLIPC_PICKLE_TEXT || !clipc_is_tensor_value(dict->items[i + 1]))
            continue;
        status = add(w, dict->items[i + 1], key->text.bytes, key->text.length);
        if (status)
            return status;
    }
    return CLIPC_OK;
}

clipc_status clipc_add_state_dict(clipc_contents *contents, const clipc_pickle_value *root,
                                  const clipc_storage_source *storages, const char *source,
                                  clipc_error *error)
{
    static const char *const places[] = {"state_dict", "model"};
    const size_t before = contents->count;
    walk w = {contents, storages, source, error, 0, ""};
    clipc_status status = CLIPC_OK;

    if (clipc_is_module_value(root))
        return walk_module(&w, root, 0, 0);
    if (root->kind == CLIPC_PICKLE_DICT)
        status = walk_dict(&w, root);
    for (size_t i = 0; !status && contents->count == before && i < 2; i++) {
        const clipc_pickle_value *inner = clipc_pickle_get(root, places[i]);

        if (inner && inner->kind == CLIPC_PICKLE_DICT)
            status = walk_dict(&w, inner);
    }
    if (!status && contents->count == before)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: holds no state dict, neither itself nor under \"state_dict\" or "
                          "\"model\"",
                          source);
    return status;
}
