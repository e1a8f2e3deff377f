/* SPDX-License-Identifier: MIT */
/*
 * The one table of names. In a pattern '#' stands for a number (the layer's), '@' for one of q, k,
 * v, and '*' for the rest (weight or bias).
 */
#include "checkpoint/layouts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct name_pair {
    const char *openai, *huggingface;
    bool is_transposed; /* OpenAI multiplies by it from the right, nn.Linear holds the transpose */
} name_pair;

static const name_pair pairs[] = {
    {"logit_scale", "logit_scale", false},
    {"visual.class_embedding", "vision_model.embeddings.class_embedding", false},
    {"visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight", false},
    {"visual.positional_embedding", "vision_model.embeddings.position_embedding.weight", false},
    {"visual.ln_pre.*", "vision_model.pre_layrnorm.*", false}, /* their spelling */
    {"visual.ln_post.*", "vision_model.post_layernorm.*", false},
    {"visual.proj", "visual_projection.weight", true},
    {"token_embedding.weight", "text_model.embeddings.token_embedding.weight", false},
    {"positional_embedding", "text_model.embeddings.position_embedding.weight", false},
    {"ln_final.*", "text_model.final_layer_norm.*", false},
    {"text_projection", "text_projection.weight", true},
};

/* The same for the inside of a resblock, after the tower's own prefix. */
static const name_pair block_pairs[] = {
    {"attn.in_proj_*", "self_attn.@_proj.*", false},
    {"attn.out_proj.*", "self_attn.out_proj.*", false},
    {"ln_1.*", "layer_norm1.*", false},
    {"ln_2.*", "layer_norm2.*", false},
    {"mlp.c_fc.*", "mlp.fc1.*", false},
    {"mlp.c_proj.*", "mlp.fc2.*", false},
};

static const name_pair towers[] = {
    {"visual.transformer.resblocks.#.", "vision_model.encoder.layers.#.", false},
    {"transformer.resblocks.#.", "text_model.encoder.layers.#.", false},
};

static const char piece_letters[] = "qkv";

/* What the wildcards of a pattern stood for. */
typedef struct match {
    const char *number, *rest;
    size_t number_length;
    unsigned piece;
    bool has_piece;
} match;

/* Matches the beginning of name; returns what is left of it, or NULL. */
static const char *match_pattern(const char *pattern, const char *name, match *found)
{
    for (; *pattern; pattern++) {
        if (*pattern == '#') {
            found->number = name;
            while (isdigit((unsigned char)*name))
                name++;
            found->number_length = (size_t)(name - found->number);
            if (found->number_length == 0)
                return NULL;
        } else if (*pattern == '@') {
            const char *letter = *name ? strchr(piece_letters, *name) : NULL;

            if (!letter)
                return NULL;
            found->piece = (unsigned)(letter - piece_letters);
            found->has_piece = true;
            name++;
        } else if (*pattern == '*') {
            if (strcmp(name, "weight") != 0 && strcmp(name, "bias") != 0)
                return NULL;
            found->rest = name;
            name += strlen(name);
        } else if (*pattern != *name++) {
            return NULL;
        }
    }
    return name;
}

/* Appends a pattern with its wildcards filled; false when out does not hold it. */
static bool fill_pattern(const char *pattern, const match *found, char *out)
{
    size_t length = strlen(out);

    for (; *pattern; pattern++) {
        const size_t room = CLIPC_NAME_SIZE - length;
        int written;

        if (*pattern == '#')
            written =
                snprintf(out + length, room, "%.*s", (int)found->number_length, found->number);
        else if (*pattern == '*')
            written = snprintf(out + length, room, "%s", found->rest);
        else
            written = snprintf(out + length, room, "%c",
                               *pattern == '@' ? piece_letters[found->piece] : *pattern);
        if (written < 0 || (size_t)written >= room)
            return false;
        length += (size_t)written;
    }
    return true;
}

static const char *side(const name_pair *pair, bool is_openai)
{
    return is_openai ? pair->openai : pair->huggingface;
}

/* Finds the pair that name is on one side of, and writes the other side. */
static bool translate(const name_pair *list, size_t count, const char *name, bool from_openai,
                      match *found, clipc_mapped_name *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *rest = match_pattern(side(&list[i], from_openai), name, found);

        if (!rest || *rest != '\0')
            continue;
        out->is_transposed = list[i].is_transposed;
        out->pieces = strchr(list[i].huggingface, '@') ? 3 : 1;
        out->piece = found->piece;
        return fill_pattern(side(&list[i], !from_openai), found, out->name);
    }
    return false;
}

static bool translate_any(const char *name, bool from_openai, unsigned piece,
                          clipc_mapped_name *out)
{
    for (size_t i = 0; i < sizeof(towers) / sizeof(towers[0]); i++) {
        match found = {.piece = piece};
        const char *inner = match_pattern(side(&towers[i], from_openai), name, &found);

        if (inner)
            return fill_pattern(side(&towers[i], !from_openai), &found, out->name) &&
                   translate(block_pairs, sizeof(block_pairs) / sizeof(block_pairs[0]), inner,
                             from_openai, &found, out);
    }
    return translate(pairs, sizeof(pairs) / sizeof(pairs[0]), name, from_openai,
                     &(match){.piece = piece}, out);
}

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *name, const char *ending)
{
    const size_t length = strlen(name), ending_length = strlen(ending);

    return length >= ending_length && strcmp(name + length - ending_length, ending) == 0;
}

/* Buffers that some versions save: shapes and constants tell the same. */
static bool is_dropped(const char *name)
{
    static const char *const names[] = {"input_resolution", "context_length", "vocab_size",
                                        "attn_mask"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return ends_with(name, ".num_batches_tracked") || ends_with(name, ".attn_mask") ||
           ends_with(name, "embeddings.position_ids");
}

const char *clipc_layout_strip(const char *name)
{
    static const char *const wrappers[] = {"module.", "_orig_mod."};

    for (size_t i = 0; i < 2; i++)
        if (starts_with(name, wrappers[i])) {
            name += strlen(wrappers[i]);
            i = (size_t)-1; /* from the start again: they may be nested */
        }
    return name;
}

bool clipc_layout_detect(const char *name, clipc_checkpoint_layout *out)
{
    if (starts_with(name, "vision_model.") || starts_with(name, "text_model."))
        *out = CLIPC_CHECKPOINT_HUGGINGFACE;
    else if (starts_with(name, "text.token_embedding.") || starts_with(name, "text.transformer."))
        *out = CLIPC_CHECKPOINT_OPEN_CLIP_CUSTOM;
    else
        return false;
    return true;
}

bool clipc_layout_map(clipc_checkpoint_layout layout, const char *name, clipc_mapped_name *out)
{
    *out = (clipc_mapped_name){.pieces = 1, .is_dropped = is_dropped(name)};
    if (strlen(name) >= CLIPC_NAME_SIZE)
        return false;
    if (layout == CLIPC_CHECKPOINT_HUGGINGFACE && translate_any(name, false, 0, out))
        return true;
    if (layout == CLIPC_CHECKPOINT_OPEN_CLIP_CUSTOM && starts_with(name, "text."))
        name += strlen("text.");
    *out = (clipc_mapped_name){.pieces = 1, .is_dropped = out->is_dropped};
    snprintf(out->name, sizeof(out->name), "%s", name);
    return true;
}

bool clipc_layout_to_huggingface(const char *name, unsigned piece, clipc_mapped_name *out)
{
    *out = (clipc_mapped_name){.pieces = 1};
    return strlen(name) < CLIPC_NAME_SIZE && translate_any(name, true, piece, out);
}
