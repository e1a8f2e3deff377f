/* SPDX-License-Identifier: MIT */
/* The architecture from tensor shapes, as the original's build_model reads it. */
#include "model/config.h"

#include "base/status.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenAI's preprocessing: mean and standard deviation of their training pictures. */
static const float openai_mean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
static const float openai_std[3] = {0.26862954f, 0.26130258f, 0.27577711f};

/* Larger extents are refused; they also keep every product below far from overflow. */
#define LARGEST_EXTENT ((uint64_t)1 << 24)

#define MOST_LAYERS 1000

/* The tensor of this name and rank with sane extents; NULL with the error set otherwise. */
static const clipc_checkpoint_tensor *require(const clipc_checkpoint *checkpoint, const char *name,
                                              uint32_t rank, clipc_error *error)
{
    const char *source = clipc_checkpoint_source(checkpoint);
    const clipc_checkpoint_tensor *tensor = clipc_checkpoint_find(checkpoint, name);

    if (!tensor) {
        clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: has no tensor %s, a CLIP model was expected",
                   source, name);
        return NULL;
    }
    if (tensor->rank != rank) {
        clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s has %u dimensions, %u were expected", source,
                   name, tensor->rank, rank);
        return NULL;
    }
    for (uint32_t i = 0; i < rank; i++)
        if (tensor->shape[i] == 0 || tensor->shape[i] > LARGEST_EXTENT) {
            clipc_fail(error, CLIPC_ERROR_FORMAT,
                       "%s: %s has an extent of %llu, 1 to %llu were expected", source, name,
                       (unsigned long long)tensor->shape[i], (unsigned long long)LARGEST_EXTENT);
            return NULL;
        }
    return tensor;
}

/*
 * How many of "prefix0.", "prefix1.", ... have any tensor, from 0 on without a gap. What comes
 * after a gap belongs to no layer, and is refused when the weights are loaded.
 */
static size_t count_numbered(const clipc_checkpoint *checkpoint, const char *prefix)
{
    const size_t length = strlen(prefix);
    bool is_there[MOST_LAYERS] = {false};
    size_t count = 0;

    for (size_t i = 0; i < clipc_checkpoint_count(checkpoint); i++) {
        const char *name = clipc_checkpoint_at(checkpoint, i)->name;
        char *end;
        unsigned long number;

        if (strncmp(name, prefix, length) != 0)
            continue;
        number = strtoul(name + length, &end, 10);
        if (end != name + length && *end == '.' && number < MOST_LAYERS)
            is_there[number] = true;
    }
    while (count < MOST_LAYERS && is_there[count])
        count++;
    return count;
}

/* The side of a square of n places, or 0. */
static size_t square_side(size_t n)
{
    size_t side = 0;

    while (side * side < n)
        side++;
    return side * side == n ? side : 0;
}

/* The side of the square of positions after the first of a positional embedding [1 + side^2][]. */
static clipc_status read_grid(const clipc_checkpoint *checkpoint,
                              const clipc_checkpoint_tensor *positions, size_t *side,
                              clipc_error *error)
{
    *side = square_side((size_t)positions->shape[0] - 1);
    if (*side == 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: %s has %llu rows, one more than a square was expected",
                          clipc_checkpoint_source(checkpoint), positions->name,
                          (unsigned long long)positions->shape[0]);
    return CLIPC_OK;
}

/*
 * Layers, heads (width / 64) and hidden width of the Transformer whose blocks are under `prefix`.
 */
static clipc_status read_transformer(clipc_transformer_config *transformer,
                                     const clipc_checkpoint *checkpoint, const char *prefix,
                                     size_t width, clipc_error *error)
{
    char name[128];
    const clipc_checkpoint_tensor *hidden;

    transformer->width = width;
    transformer->heads = width / 64;
    transformer->layers = count_numbered(checkpoint, prefix);
    snprintf(name, sizeof(name), "%s0.mlp.c_fc.weight", prefix);
    hidden = require(checkpoint, name, 2, error);
    if (!hidden)
        return CLIPC_ERROR_FORMAT;
    transformer->mlp_width = (size_t)hidden->shape[0];
    return CLIPC_OK;
}

static clipc_status read_vit(clipc_config *config, const clipc_checkpoint *checkpoint,
                             clipc_error *error)
{
    const clipc_checkpoint_tensor *conv = require(checkpoint, "visual.conv1.weight", 4, error);
    const clipc_checkpoint_tensor *positions;
    clipc_status status;

    if (!conv)
        return CLIPC_ERROR_FORMAT;
    positions = require(checkpoint, "visual.positional_embedding", 2, error);
    if (!positions)
        return CLIPC_ERROR_FORMAT;
    status = read_grid(checkpoint, positions, &config->grid, error);
    if (status)
        return status;
    config->vision_kind = CLIPC_VISION_VIT;
    config->patch_size = (size_t)conv->shape[3];
    config->image_size = config->patch_size * config->grid;
    return read_transformer(&config->vit, checkpoint, "visual.transformer.resblocks.",
                            (size_t)conv->shape[0], error);
}

static clipc_status read_resnet(clipc_config *config, const clipc_checkpoint *checkpoint,
                                clipc_error *error)
{
    const clipc_checkpoint_tensor *conv, *positions;
    char prefix[32];

    conv = require(checkpoint, "visual.layer1.0.conv1.weight", 4, error);
    if (!conv)
        return CLIPC_ERROR_FORMAT;
    positions = require(checkpoint, "visual.attnpool.positional_embedding", 2, error);
    if (!positions)
        return CLIPC_ERROR_FORMAT;
    config->vision_kind = CLIPC_VISION_RESNET;
    config->resnet_width = (size_t)conv->shape[0];
    config->attnpool_heads = config->resnet_width * 32 / 64;
    for (size_t i = 0; i < CLIPC_RESNET_STAGES; i++) {
        snprintf(prefix, sizeof(prefix), "visual.layer%zu.", i + 1);
        config->resnet_layers[i] = count_numbered(checkpoint, prefix);
    }
    config->patch_size = 0;
    if (read_grid(checkpoint, positions, &config->attnpool_grid, error))
        return CLIPC_ERROR_FORMAT;
    config->image_size = config->attnpool_grid * 32; /* five halvings before the pooling */
    return CLIPC_OK;
}

static clipc_status read_text(clipc_config *config, const clipc_checkpoint *checkpoint,
                              clipc_error *error)
{
    const clipc_checkpoint_tensor *positions, *tokens, *norm, *projection;

    positions = require(checkpoint, "positional_embedding", 2, error);
    tokens = positions ? require(checkpoint, "token_embedding.weight", 2, error) : NULL;
    norm = tokens ? require(checkpoint, "ln_final.weight", 1, error) : NULL;
    projection = norm ? require(checkpoint, "text_projection", 2, error) : NULL;
    if (!projection)
        return CLIPC_ERROR_FORMAT;
    config->context_length = (size_t)positions->shape[0];
    config->vocab_size = (size_t)tokens->shape[0];
    config->embed_dim = (size_t)projection->shape[1];
    return read_transformer(&config->text, checkpoint, "transformer.resblocks.",
                            (size_t)norm->shape[0], error);
}

clipc_status clipc_config_from_tensors(clipc_config *config, const clipc_checkpoint *checkpoint,
                                       clipc_error *error)
{
    clipc_status status;

    *config = (clipc_config){.activation = CLIPC_ACTIVATION_AUTO};
    memcpy(config->mean, openai_mean, sizeof(openai_mean));
    memcpy(config->std, openai_std, sizeof(openai_std));
    if (clipc_checkpoint_find(checkpoint, "visual.proj"))
        status = read_vit(config, checkpoint, error);
    else if (clipc_checkpoint_find(checkpoint, "visual.layer1.0.conv1.weight"))
        status = read_resnet(config, checkpoint, error);
    else
        status = clipc_fail(error, CLIPC_ERROR_FORMAT,
                            "%s: no CLIP model: has neither visual.proj (a ViT) nor "
                            "visual.layer1.0.conv1.weight (a ResNet)",
                            clipc_checkpoint_source(checkpoint));
    return status ? status : read_text(config, checkpoint, error);
}

/* --- Checking and completing --- */

static clipc_status check_transformer(const clipc_transformer_config *transformer,
                                      const char *source, const char *which, clipc_error *error)
{
    if (transformer->heads == 0 || transformer->width % transformer->heads != 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: the %s transformer's width %zu does not divide into %zu heads",
                          source, which, transformer->width, transformer->heads);
    return CLIPC_OK;
}

static clipc_status check_sizes(const clipc_config *config, const char *source, clipc_error *error)
{
    clipc_status status = check_transformer(&config->text, source, "text", error);

    if (!status && config->vision_kind == CLIPC_VISION_VIT)
        status = check_transformer(&config->vit, source, "vision", error);
    if (status)
        return status;
    if (config->vision_kind == CLIPC_VISION_RESNET &&
        (config->attnpool_heads == 0 || config->resnet_width * 32 % config->attnpool_heads != 0))
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: attention pooling's width %zu does not divide into %zu heads",
                          source, config->resnet_width * 32, config->attnpool_heads);
    if (config->embed_dim > CLIPC_MAX_EMBED_DIM)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: embed_dim is %zu, at most %d", source,
                          config->embed_dim, CLIPC_MAX_EMBED_DIM);
    if (config->image_size > 4096)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: image size is %zu, at most 4096", source,
                          config->image_size);
    if (config->context_length > 65536)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "%s: context length is %zu, at most 65536",
                          source, config->context_length);
    if (config->vocab_size < CLIPC_VOCAB_SIZE_MIN || config->vocab_size > CLIPC_VOCAB_SIZE)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: a vocabulary of %zu tokens, %d to %d were expected", source,
                          config->vocab_size, CLIPC_VOCAB_SIZE_MIN, CLIPC_VOCAB_SIZE);
    for (size_t i = 0; i < 3; i++)
        if (!(config->std[i] > 0.0f))
            return clipc_fail(error, CLIPC_ERROR_FORMAT,
                              "%s: the preprocessing's standard deviation is not positive", source);
    return CLIPC_OK;
}

clipc_status clipc_config_finish(clipc_config *config, const clipc_checkpoint *checkpoint,
                                 clipc_activation wanted, const clipc_log *log, clipc_error *error)
{
    const char *source = clipc_checkpoint_source(checkpoint);

    if (wanted != CLIPC_ACTIVATION_AUTO) {
        config->activation = wanted;
    } else if (config->activation == CLIPC_ACTIVATION_AUTO) {
        /* OpenAI's models and Hugging Face's CLIPConfig default to QuickGELU, open_clip to GELU. */
        const bool is_open_clip =
            clipc_checkpoint_get_layout(checkpoint) == CLIPC_CHECKPOINT_OPEN_CLIP_CUSTOM;

        config->activation = is_open_clip ? CLIPC_ACTIVATION_GELU : CLIPC_ACTIVATION_QUICKGELU;
        if (is_open_clip)
            clipc_log_write(log, CLIPC_LOG_WARNING,
                            "%s: no open_clip_config.json says which activation it was trained "
                            "with; open_clip's default, GELU, is used",
                            source);
    }
    return check_sizes(config, source, error);
}

/* --- Names --- */

typedef struct published {
    const char *arch;
    clipc_vision_kind kind;
    size_t layers[CLIPC_RESNET_STAGES]; /* ViT: the first only */
    size_t width, patch, image_size, embed_dim;
} published;

static const published published_models[] = {
    {"RN50", CLIPC_VISION_RESNET, {3, 4, 6, 3}, 64, 0, 224, 1024},
    {"RN101", CLIPC_VISION_RESNET, {3, 4, 23, 3}, 64, 0, 224, 512},
    {"RN50x4", CLIPC_VISION_RESNET, {4, 6, 10, 6}, 80, 0, 288, 640},
    {"RN50x16", CLIPC_VISION_RESNET, {6, 8, 18, 8}, 96, 0, 384, 768},
    {"RN50x64", CLIPC_VISION_RESNET, {3, 15, 36, 10}, 128, 0, 448, 1024},
    {"ViT-B/32", CLIPC_VISION_VIT, {12}, 768, 32, 224, 512},
    {"ViT-B/16", CLIPC_VISION_VIT, {12}, 768, 16, 224, 512},
    {"ViT-L/14", CLIPC_VISION_VIT, {24}, 1024, 14, 224, 768},
    {"ViT-L/14@336px", CLIPC_VISION_VIT, {24}, 1024, 14, 336, 768},
};

static bool is_published(const clipc_config *config, const published *model)
{
    if (config->vision_kind != model->kind || config->image_size != model->image_size ||
        config->embed_dim != model->embed_dim)
        return false;
    if (model->kind == CLIPC_VISION_VIT)
        return config->vit.layers == model->layers[0] && config->vit.width == model->width &&
               config->patch_size == model->patch;
    return config->resnet_width == model->width &&
           memcmp(config->resnet_layers, model->layers, sizeof(model->layers)) == 0;
}

const char *clipc_config_arch(const clipc_config *config)
{
    for (size_t i = 0; i < sizeof(published_models) / sizeof(published_models[0]); i++)
        if (is_published(config, &published_models[i]))
            return published_models[i].arch;
    return config->vision_kind == CLIPC_VISION_VIT ? "ViT" : "RN";
}
