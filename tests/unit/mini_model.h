/* SPDX-License-Identifier: MIT */
/*
 * A whole CLIP of the smallest sizes, written to a file under OpenAI's names: for tests that open
 * models. One of its tensors can be left out, renamed, reshaped or given other values.
 */
#ifndef CLIPC_TESTS_MINI_MODEL_H
#define CLIPC_TESTS_MINI_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checkpoint/save.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct mini_tensor {
    const char *name;
    uint32_t rank;
    uint64_t shape[4];
} mini_tensor;

/* A Transformer's one block of width 64. */
#define MINI_BLOCK(prefix)                                                                         \
    {prefix "attn.in_proj_weight", 2, {192, 64}}, {prefix "attn.in_proj_bias", 1, {192}},          \
        {prefix "attn.out_proj.weight", 2, {64, 64}}, {prefix "attn.out_proj.bias", 1, {64}},      \
        {prefix "ln_1.weight", 1, {64}}, {prefix "ln_1.bias", 1, {64}},                            \
        {prefix "mlp.c_fc.weight", 2, {32, 64}}, {prefix "mlp.c_fc.bias", 1, {32}},                \
        {prefix "mlp.c_proj.weight", 2, {64, 32}}, {prefix "mlp.c_proj.bias", 1, {64}},            \
        {prefix "ln_2.weight", 1, {64}},                                                           \
    {                                                                                              \
        prefix "ln_2.bias", 1,                                                                     \
        {                                                                                          \
            64                                                                                     \
        }                                                                                          \
    }

static const mini_tensor mini_tensors[] = {
    {"logit_scale", 0, {0}},
    {"positional_embedding", 2, {8, 64}},
    {"text_projection", 2, {64, 16}},
    {"token_embedding.weight", 2, {514, 64}},
    {"ln_final.weight", 1, {64}},
    {"ln_final.bias", 1, {64}},
    {"visual.class_embedding", 1, {64}},
    {"visual.positional_embedding", 2, {5, 64}},
    {"visual.proj", 2, {64, 16}},
    {"visual.conv1.weight", 4, {64, 3, 4, 4}},
    {"visual.ln_pre.weight", 1, {64}},
    {"visual.ln_pre.bias", 1, {64}},
    {"visual.ln_post.weight", 1, {64}},
    {"visual.ln_post.bias", 1, {64}},
    MINI_BLOCK("transformer.resblocks.0."),
    MINI_BLOCK("visual.transformer.resblocks.0."),
};

#define MINI_COUNT (sizeof(mini_tensors) / sizeof(mini_tensors[0]))

/* What is different from the model above; all zero: nothing. */
typedef struct mini_change {
    const char *name; /* the tensor it is about, or NULL for an additional one */
    bool is_missing;
    const char *new_name;
    uint32_t rank; /* of the new shape; 0: as it is */
    uint64_t shape[4];
    float value; /* of its first element, unless 0 */
} mini_change;

typedef struct mini_source {
    const char *name;
    uint64_t width;
    float first;
} mini_source;

static clipc_status mini_read(void *context, uint64_t first, uint64_t rows, float *out,
                              clipc_error *error)
{
    const mini_source *source = context;

    (void)error;
    for (uint64_t i = 0; i < rows * source->width; i++) {
        const uint64_t place = first * source->width + i + strlen(source->name);

        out[i] = (float)(place * 7 % 97) / 256.0f - 0.1875f; /* exact in half precision */
    }
    if (first == 0 && rows && source->width && source->first != 0.0f)
        out[0] = source->first;
    return CLIPC_OK;
}

/* Writes the model with a change (NULL: none) to path, by its ending. */
static inline clipc_status mini_write(const char *path, clipc_element element,
                                      const mini_change *change, clipc_error *error)
{
    clipc_save_tensor tensors[MINI_COUNT + 1] = {0};
    mini_source sources[MINI_COUNT + 1];
    size_t count = 0;

    for (size_t i = 0; i < MINI_COUNT + 1; i++) {
        static const mini_change nothing = {0};
        static const mini_tensor added = {"", 0, {0}};
        const mini_tensor *tensor = i < MINI_COUNT ? &mini_tensors[i] : &added;
        const bool is_changed =
            change && strcmp(change->name ? change->name : "", tensor->name) == 0;
        const mini_change *now = is_changed ? change : &nothing;
        const uint32_t rank = now->rank ? now->rank : tensor->rank;

        if (now->is_missing || (tensor == &added && !now->new_name))
            continue;
        sources[count] = (mini_source){.name = tensor->name, .width = 1, .first = now->value};
        tensors[count] = (clipc_save_tensor){.name = now->new_name ? now->new_name : tensor->name,
                                             .element = element,
                                             .rank = rank,
                                             .read = mini_read,
                                             .context = &sources[count]};
        memcpy(tensors[count].shape, now->rank ? now->shape : tensor->shape, sizeof(tensor->shape));
        for (uint32_t axis = 1; axis < rank; axis++)
            sources[count].width *= tensors[count].shape[axis];
        count++;
    }
    return clipc_save_tensors(path, tensors, count, NULL, error);
}

#endif
