/* SPDX-License-Identifier: MIT */
/* Configurations of published models, as they are before any file says more. */
#ifndef CLIPC_TESTS_SAMPLE_CONFIGS_H
#define CLIPC_TESTS_SAMPLE_CONFIGS_H

#include "model/config.h"

/* ViT-B/32 as read from its tensors. */
static const clipc_config vit = {
    .embed_dim = 512,
    .image_size = 224,
    .vision_kind = CLIPC_VISION_VIT,
    .vit = {.width = 768, .layers = 12, .heads = 12, .mlp_width = 3072},
    .patch_size = 32,
    .grid = 7,
    .text = {.width = 512, .layers = 12, .heads = 8, .mlp_width = 2048},
    .context_length = 77,
    .vocab_size = 49408,
    .activation = CLIPC_ACTIVATION_AUTO,
    .mean = {0.48145466f, 0.4578275f, 0.40821073f},
    .std = {0.26862954f, 0.26130258f, 0.27577711f},
};

/* RN50. */
static const clipc_config resnet = {
    .embed_dim = 1024,
    .image_size = 224,
    .vision_kind = CLIPC_VISION_RESNET,
    .resnet_layers = {3, 4, 6, 3},
    .resnet_width = 64,
    .attnpool_heads = 32,
    .attnpool_grid = 7,
    .text = {.width = 512, .layers = 12, .heads = 8, .mlp_width = 2048},
    .context_length = 77,
    .vocab_size = 49408,
    .activation = CLIPC_ACTIVATION_AUTO,
    .mean = {0.48145466f, 0.4578275f, 0.40821073f},
    .std = {0.26862954f, 0.26130258f, 0.27577711f},
};

#endif
