/* SPDX-License-Identifier: MIT */
/* Configuration -> JSON, in the two vocabularies that config_json.c reads. */
#include "model/config_write.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <string.h>

#define HEAD_WIDTH 64

static const float openai_mean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
static const float openai_std[3] = {0.26862954f, 0.26130258f, 0.27577711f};

/* A member that could not be added is missing in the end: these remember it. */
typedef struct writer {
    bool failed;
} writer;

static cJSON *object(writer *w, cJSON *parent, const char *name)
{
    cJSON *made = parent ? cJSON_AddObjectToObject(parent, name) : cJSON_CreateObject();

    w->failed |= !made;
    return made;
}

static void number(writer *w, cJSON *parent, const char *name, size_t value)
{
    w->failed |= !cJSON_AddNumberToObject(parent, name, (double)value);
}

static void text(writer *w, cJSON *parent, const char *name, const char *value)
{
    w->failed |= !cJSON_AddStringToObject(parent, name, value);
}

/* Nine digits: a float32 read back is the same. */
static void floats(writer *w, cJSON *parent, const char *name, const float *values, size_t count)
{
    cJSON *list = cJSON_AddArrayToObject(parent, name);

    w->failed |= !list;
    for (size_t i = 0; list && i < count; i++) {
        char digits[32];

        snprintf(digits, sizeof(digits), "%.9g", (double)values[i]);
        w->failed |= !cJSON_AddItemToArray(list, cJSON_CreateRaw(digits));
    }
}

static void layers(writer *w, cJSON *vision, const clipc_config *config)
{
    cJSON *list;

    if (config->vision_kind == CLIPC_VISION_VIT) {
        number(w, vision, "layers", config->vit.layers);
        return;
    }
    list = cJSON_AddArrayToObject(vision, "layers");
    w->failed |= !list;
    for (size_t i = 0; list && i < CLIPC_RESNET_STAGES; i++)
        w->failed |=
            !cJSON_AddItemToArray(list, cJSON_CreateNumber((double)config->resnet_layers[i]));
}

static char *finish(const writer *w, cJSON *root)
{
    char *json = w->failed ? NULL : cJSON_Print(root);

    cJSON_Delete(root);
    return json;
}

static void add_open_clip_vision(writer *w, cJSON *vision, const clipc_config *config)
{
    number(w, vision, "image_size", config->image_size);
    layers(w, vision, config);
    if (config->vision_kind == CLIPC_VISION_RESNET) {
        number(w, vision, "width", config->resnet_width);
        number(w, vision, "head_width", config->resnet_width * 32 / config->attnpool_heads);
        return;
    }
    number(w, vision, "width", config->vit.width);
    number(w, vision, "patch_size", config->patch_size);
    if (config->vit.heads * HEAD_WIDTH != config->vit.width)
        number(w, vision, "head_width", config->vit.width / config->vit.heads);
}

char *clipc_config_to_open_clip(const clipc_config *config)
{
    writer w = {false};
    cJSON *root = object(&w, NULL, NULL);
    cJSON *model = root ? object(&w, root, "model_cfg") : NULL;
    cJSON *vision, *words, *preprocess;

    if (!model)
        return finish(&w, root);
    number(&w, model, "embed_dim", config->embed_dim);
    w.failed |= !cJSON_AddBoolToObject(model, "quick_gelu",
                                       config->activation == CLIPC_ACTIVATION_QUICKGELU);
    vision = object(&w, model, "vision_cfg");
    words = object(&w, model, "text_cfg");
    preprocess = object(&w, root, "preprocess_cfg");
    if (w.failed)
        return finish(&w, root);
    add_open_clip_vision(&w, vision, config);
    number(&w, words, "context_length", config->context_length);
    number(&w, words, "vocab_size", config->vocab_size);
    number(&w, words, "width", config->text.width);
    number(&w, words, "heads", config->text.heads);
    number(&w, words, "layers", config->text.layers);
    floats(&w, preprocess, "mean", config->mean, 3);
    floats(&w, preprocess, "std", config->std, 3);
    return finish(&w, root);
}

/* What CLIPVisionConfig and CLIPTextConfig have in common. */
static void add_huggingface_transformer(writer *w, cJSON *part, const clipc_config *config,
                                        const clipc_transformer_config *transformer)
{
    number(w, part, "hidden_size", transformer->width);
    number(w, part, "intermediate_size", transformer->mlp_width);
    number(w, part, "num_attention_heads", transformer->heads);
    number(w, part, "num_hidden_layers", transformer->layers);
    number(w, part, "projection_dim", config->embed_dim);
    text(w, part, "hidden_act",
         config->activation == CLIPC_ACTIVATION_QUICKGELU ? "quick_gelu" : "gelu");
}

char *clipc_config_to_huggingface(const clipc_config *config)
{
    writer w = {false};
    cJSON *root = object(&w, NULL, NULL);
    cJSON *vision = root ? object(&w, root, "vision_config") : NULL;
    cJSON *words = root ? object(&w, root, "text_config") : NULL;
    cJSON *architectures;

    if (!vision || !words)
        return finish(&w, root);
    text(&w, root, "model_type", "clip");
    architectures = cJSON_AddArrayToObject(root, "architectures");
    w.failed |=
        !architectures || !cJSON_AddItemToArray(architectures, cJSON_CreateString("CLIPModel"));
    number(&w, root, "projection_dim", config->embed_dim);
    text(&w, vision, "model_type", "clip_vision_model");
    add_huggingface_transformer(&w, vision, config, &config->vit);
    number(&w, vision, "image_size", config->image_size);
    number(&w, vision, "patch_size", config->patch_size);
    text(&w, words, "model_type", "clip_text_model");
    add_huggingface_transformer(&w, words, config, &config->text);
    number(&w, words, "max_position_embeddings", config->context_length);
    number(&w, words, "vocab_size", config->vocab_size);
    number(&w, words, "bos_token_id", config->vocab_size - 2);
    number(&w, words, "eos_token_id", config->vocab_size - 1);
    return finish(&w, root);
}

static void sides(writer *w, cJSON *root, const char *name, const char *const *edges, size_t count,
                  size_t side)
{
    cJSON *size = object(w, root, name);

    for (size_t i = 0; size && i < count; i++)
        number(w, size, edges[i], side);
}

char *clipc_config_to_preprocessor(const clipc_config *config)
{
    static const char *const steps[] = {"do_resize", "do_center_crop", "do_convert_rgb",
                                        "do_rescale", "do_normalize"};
    static const char *const shortest[] = {"shortest_edge"}, *const both[] = {"height", "width"};
    writer w = {false};
    cJSON *root = object(&w, NULL, NULL);

    if (!root)
        return NULL;
    text(&w, root, "image_processor_type", "CLIPImageProcessor");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        w.failed |= !cJSON_AddTrueToObject(root, steps[i]);
    sides(&w, root, "size", shortest, 1, config->image_size);
    sides(&w, root, "crop_size", both, 2, config->image_size);
    number(&w, root, "resample", 3); /* Pillow's bicubic */
    w.failed |= !cJSON_AddNumberToObject(root, "rescale_factor", 1.0 / 255.0);
    floats(&w, root, "image_mean", config->mean, 3);
    floats(&w, root, "image_std", config->std, 3);
    return finish(&w, root);
}

bool clipc_config_is_default(const clipc_config *config)
{
    const bool has_heads = config->vision_kind == CLIPC_VISION_RESNET
                               ? config->attnpool_heads * HEAD_WIDTH == config->resnet_width * 32
                               : config->vit.heads * HEAD_WIDTH == config->vit.width;

    return config->activation == CLIPC_ACTIVATION_QUICKGELU && has_heads &&
           config->text.heads * HEAD_WIDTH == config->text.width &&
           memcmp(config->mean, openai_mean, sizeof(openai_mean)) == 0 &&
           memcmp(config->std, openai_std, sizeof(openai_std)) == 0;
}
