/* SPDX-License-Identifier: MIT */
/*
 * What a model is made of: read from the tensors' shapes, as the original's build_model does, then
 * corrected or confirmed by the configuration files beside a checkpoint.
 */
#ifndef CLIPC_MODEL_CONFIG_H
#define CLIPC_MODEL_CONFIG_H

#include "base/log.h"
#include "checkpoint/checkpoint.h"

#include <clipc.h>

typedef enum clipc_vision_kind {
    CLIPC_VISION_VIT,
    CLIPC_VISION_RESNET,
} clipc_vision_kind;

/* A Transformer's sizes. */
typedef struct clipc_transformer_config {
    size_t width, layers, heads;
    size_t mlp_width; /* of the hidden layer; 4 * width for OpenAI's */
} clipc_transformer_config;

#define CLIPC_RESNET_STAGES 4

typedef struct clipc_config {
    size_t embed_dim;
    size_t image_size; /* S: pixels are [n][3][S][S] */
    clipc_vision_kind vision_kind;

    clipc_transformer_config vit; /* VIT */
    size_t patch_size;
    size_t grid; /* patches a side */

    size_t resnet_layers[CLIPC_RESNET_STAGES]; /* RESNET: bottlenecks of each stage */
    size_t resnet_width;
    size_t attnpool_heads;
    size_t attnpool_grid; /* places a side of the last map */

    clipc_transformer_config text;
    size_t context_length, vocab_size;

    clipc_activation activation; /* QUICKGELU or GELU once complete */
    float mean[3], std[3];
} clipc_config;

/* Reads the architecture from tensor shapes; activation is AUTO, mean and std are OpenAI's. */
clipc_status clipc_config_from_tensors(clipc_config *config, const clipc_checkpoint *checkpoint,
                                       clipc_error *error);

/*
 * Applies a configuration in JSON to one read from tensors: open_clip's (bare, or under "model_cfg"
 * with "preprocess_cfg"), Hugging Face's config.json or preprocessor_config.json. What it says of
 * shapes must agree with the tensors; an option that clipc does not have is refused by name.
 */
clipc_status clipc_config_apply_json(clipc_config *config, const char *json, size_t size,
                                     const char *source, clipc_error *error);

/*
 * Applies the configuration files that stand beside the checkpoint at `path` (a file or directory):
 * open_clip_config.json, config.json, preprocessor_config.json. None is not an error.
 */
clipc_status clipc_config_apply_files(clipc_config *config, const char *path, clipc_error *error);

/*
 * Settles the activation: `wanted` unless AUTO, else what a file said, else the layout's own
 * default; the last is said in the log where the layout leaves it open. Checks all sizes.
 */
clipc_status clipc_config_finish(clipc_config *config, const clipc_checkpoint *checkpoint,
                                 clipc_activation wanted, const clipc_log *log, clipc_error *error);

/* "ViT-B/32" and so on where the sizes are a published model's; else "ViT" or "RN". */
const char *clipc_config_arch(const clipc_config *config);

#endif
