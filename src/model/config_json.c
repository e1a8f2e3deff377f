/* SPDX-License-Identifier: MIT */
/*
 * Configuration files beside a checkpoint: open_clip's and Hugging Face's JSON. A table says for
 * each key what it must be: what agrees with the tensors or changes something we follow is taken,
 * anything else that is switched on is refused by name.
 */
#include "model/config.h"

#include "base/json.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
    clipc_config *config;
    const char *source;
    clipc_error *error;
} reader;

typedef clipc_status (*key_fn)(const reader *in, const cJSON *item);

typedef struct key {
    const char *name;
    key_fn take; /* NULL: of no consequence for inference */
} key;

static clipc_status refuse(const reader *in, const cJSON *item, const char *expected)
{
    char *text = cJSON_PrintUnformatted(item);
    clipc_status status =
        clipc_fail(in->error, CLIPC_ERROR_UNSUPPORTED, "%s: \"%s\" is %.60s, %s was expected",
                   in->source, item->string, text ? text : "set", expected);

    cJSON_free(text);
    return status;
}

/* --- Sizes that must agree with the tensors --- */

static clipc_status contradicts(const reader *in, const char *name, double said, size_t found)
{
    return clipc_fail(in->error, CLIPC_ERROR_FORMAT,
                      "%s: \"%s\" is %.17g, but the tensors of the model say %zu", in->source, name,
                      said, found);
}

static clipc_status agree(const reader *in, const cJSON *item, size_t found)
{
    if (!cJSON_IsNumber(item))
        return refuse(in, item, "a number");
    if (item->valuedouble != (double)found)
        return contradicts(in, item->string, item->valuedouble, found);
    return CLIPC_OK;
}

/* Heads need not be width / 64; that they divide the width is checked at the end. */
static clipc_status take_heads(const reader *in, const cJSON *item, size_t *heads)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1.0) || item->valuedouble > 65536.0 ||
        item->valuedouble != floor(item->valuedouble))
        return refuse(in, item, "a whole number");
    *heads = (size_t)item->valuedouble;
    return CLIPC_OK;
}

static clipc_status take_embed_dim(const reader *in, const cJSON *item)
{
    return agree(in, item, in->config->embed_dim);
}

static clipc_status take_context_length(const reader *in, const cJSON *item)
{
    return agree(in, item, in->config->context_length);
}

static clipc_status take_vocab_size(const reader *in, const cJSON *item)
{
    return agree(in, item, in->config->vocab_size);
}

static clipc_status take_text_width(const reader *in, const cJSON *item)
{
    return agree(in, item, in->config->text.width);
}

static clipc_status take_text_layers(const reader *in, const cJSON *item)
{
    return agree(in, item, in->config->text.layers);
}

static clipc_status take_text_heads(const reader *in, const cJSON *item)
{
    return take_heads(in, item, &in->config->text.heads);
}

static clipc_status take_text_mlp(const reader *in, const cJSON *item)
{
    return agree(in, item, in->config->text.mlp_width);
}

static clipc_status take_vision_width(const reader *in, const cJSON *item)
{
    const clipc_config *config = in->config;

    return agree(in, item,
                 config->vision_kind == CLIPC_VISION_VIT ? config->vit.width
                                                         : config->resnet_width);
}

/* A number for a ViT, a list of four for a ResNet. */
static clipc_status take_vision_layers(const reader *in, const cJSON *item)
{
    const cJSON *stage;
    size_t i = 0;

    if (in->config->vision_kind == CLIPC_VISION_VIT)
        return agree(in, item, in->config->vit.layers);
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != CLIPC_RESNET_STAGES)
        return refuse(in, item, "a list of four numbers");
    cJSON_ArrayForEach(stage, item)
    {
        if (!cJSON_IsNumber(stage) || stage->valuedouble != (double)in->config->resnet_layers[i])
            return refuse(in, item, "what the tensors of the model say");
        i++;
    }
    return CLIPC_OK;
}

static clipc_status take_vision_heads(const reader *in, const cJSON *item)
{
    return take_heads(in, item, &in->config->vit.heads);
}

static clipc_status take_head_width(const reader *in, const cJSON *item)
{
    const bool is_vit = in->config->vision_kind == CLIPC_VISION_VIT;
    size_t width = 0, total;
    clipc_status status = take_heads(in, item, &width);

    if (status)
        return status;
    total = is_vit ? in->config->vit.width : in->config->resnet_width * 32;
    if (total % width != 0)
        return refuse(in, item, "a divisor of the width");
    *(is_vit ? &in->config->vit.heads : &in->config->attnpool_heads) = total / width;
    return CLIPC_OK;
}

static clipc_status take_vision_mlp(const reader *in, const cJSON *item)
{
    return agree(in, item, in->config->vit.mlp_width);
}

/* 32 or (for a ResNet's picture of 224, say) null; a ViT's must be its convolution's. */
static clipc_status take_patch_size(const reader *in, const cJSON *item)
{
    if (in->config->vision_kind == CLIPC_VISION_RESNET)
        return CLIPC_OK; /* open_clip writes null or leaves its default there */
    return agree(in, item, in->config->patch_size);
}

/* May be larger than the patches cover: pixels at the right and bottom are then not seen. */
static clipc_status take_image_size(const reader *in, const cJSON *item)
{
    clipc_config *config = in->config;
    const cJSON *side = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, 0) : item;
    double said;

    if (cJSON_IsArray(item) &&
        (cJSON_GetArraySize(item) != 2 || !cJSON_Compare(side, cJSON_GetArrayItem(item, 1), true)))
        return refuse(in, item, "a square");
    if (!cJSON_IsNumber(side))
        return refuse(in, item, "a number");
    said = side->valuedouble;
    if (config->vision_kind == CLIPC_VISION_RESNET || !(said >= 1.0) || said > 4096.0 ||
        said != floor(said) || (size_t)said / config->patch_size != config->grid) {
        return said == (double)config->image_size
                   ? CLIPC_OK
                   : contradicts(in, item->string, said, config->image_size);
    }
    config->image_size = (size_t)said;
    return CLIPC_OK;
}

/* --- Activation --- */

static clipc_status set_activation(const reader *in, const cJSON *item, clipc_activation activation)
{
    if (in->config->activation != CLIPC_ACTIVATION_AUTO && in->config->activation != activation)
        return refuse(in, item, "the activation named before it");
    in->config->activation = activation;
    return CLIPC_OK;
}

/* open_clip: GELU unless "quick_gelu" is true. */
static clipc_status take_quick_gelu(const reader *in, const cJSON *item)
{
    if (!cJSON_IsBool(item))
        return refuse(in, item, "true or false");
    return set_activation(in, item,
                          cJSON_IsTrue(item) ? CLIPC_ACTIVATION_QUICKGELU : CLIPC_ACTIVATION_GELU);
}

static clipc_status take_hidden_act(const reader *in, const cJSON *item)
{
    const char *name = cJSON_GetStringValue(item);

    if (name && strcmp(name, "quick_gelu") == 0)
        return set_activation(in, item, CLIPC_ACTIVATION_QUICKGELU);
    if (name && strcmp(name, "gelu") == 0)
        return set_activation(in, item, CLIPC_ACTIVATION_GELU);
    return refuse(in, item, "\"quick_gelu\" or \"gelu\"");
}

/* --- Preprocessing --- */

static clipc_status take_triple(const reader *in, const cJSON *item, float *out)
{
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 3)
        return refuse(in, item, "a list of three numbers");
    for (int i = 0; i < 3; i++) {
        const cJSON *value = cJSON_GetArrayItem(item, i);

        if (!cJSON_IsNumber(value) || !(fabs(value->valuedouble) < 1e6))
            return refuse(in, item, "a list of three numbers");
        out[i] = (float)value->valuedouble;
    }
    return CLIPC_OK;
}

static clipc_status take_mean(const reader *in, const cJSON *item)
{
    return take_triple(in, item, in->config->mean);
}

static clipc_status take_std(const reader *in, const cJSON *item)
{
    return take_triple(in, item, in->config->std);
}

static clipc_status take_value(const reader *in, const cJSON *item, double only)
{
    char expected[32];

    if (cJSON_IsNumber(item) && fabs(item->valuedouble - only) <= 1e-6 * only)
        return CLIPC_OK;
    snprintf(expected, sizeof(expected), "%.9g", only);
    return refuse(in, item, expected);
}

static clipc_status take_true(const reader *in, const cJSON *item)
{
    return cJSON_IsTrue(item) ? CLIPC_OK : refuse(in, item, "true");
}

static clipc_status take_text_value(const reader *in, const cJSON *item, const char *only)
{
    const char *value = cJSON_GetStringValue(item);
    char expected[64];

    if (value && strcmp(value, only) == 0)
        return CLIPC_OK;
    snprintf(expected, sizeof(expected), "\"%s\"", only);
    return refuse(in, item, expected);
}

static clipc_status take_interpolation(const reader *in, const cJSON *item)
{
    return take_text_value(in, item, "bicubic");
}

static clipc_status take_resize_mode(const reader *in, const cJSON *item)
{
    return take_text_value(in, item, "shortest");
}

/* Channels; and Pillow's number for bicubic. */
static clipc_status take_three(const reader *in, const cJSON *item)
{
    return take_value(in, item, 3.0);
}

static clipc_status take_rescale(const reader *in, const cJSON *item)
{
    return take_value(in, item, 1.0 / 255.0);
}

/* Hugging Face's sizes: 224, {"shortest_edge": 224}, {"height": 224, "width": 224}. */
static clipc_status take_edges(const reader *in, const cJSON *item)
{
    const cJSON *edge;

    if (cJSON_IsNumber(item))
        return agree(in, item, in->config->image_size);
    if (!cJSON_IsObject(item) || !item->child)
        return refuse(in, item, "a size");
    cJSON_ArrayForEach(edge, item)
    {
        clipc_status status = agree(in, edge, in->config->image_size);

        if (status)
            return status;
    }
    return CLIPC_OK;
}

static clipc_status take_mode(const reader *in, const cJSON *item)
{
    return take_text_value(in, item, "RGB");
}

/* --- Values that must be the ones CLIP has --- */

static clipc_status take_epsilon(const reader *in, const cJSON *item)
{
    return take_value(in, item, 1e-5);
}

static clipc_status take_pool_type(const reader *in, const cJSON *item)
{
    const char *value = cJSON_GetStringValue(item);

    if (value && (strcmp(value, "tok") == 0 || strcmp(value, "argmax") == 0))
        return CLIPC_OK;
    return refuse(in, item, "\"tok\" or \"argmax\"");
}

/* --- The tables --- */

static clipc_status take_object(const reader *in, const cJSON *object, const key *keys);

static const key vision_keys[] = {
    {"image_size", take_image_size},
    {"layers", take_vision_layers},
    {"width", take_vision_width},
    {"patch_size", take_patch_size},
    {"head_width", take_head_width},
    {"mlp_ratio", NULL}, /* the hidden layer's width stands in its tensor's shape */
    {"patch_dropout", NULL},
    {"pool_type", take_pool_type},
    {NULL, NULL},
};

static const key text_keys[] = {
    {"context_length", take_context_length},
    {"vocab_size", take_vocab_size},
    {"width", take_text_width},
    {"heads", take_text_heads},
    {"layers", take_text_layers},
    {"mlp_ratio", NULL},
    {"pool_type", take_pool_type},
    {NULL, NULL},
};

/* Hugging Face's files hold much that concerns training or generation: only these matter. */
static const key huggingface_text_keys[] = {
    {"vocab_size", take_vocab_size},
    {"hidden_size", take_text_width},
    {"intermediate_size", take_text_mlp},
    {"num_hidden_layers", take_text_layers},
    {"num_attention_heads", take_text_heads},
    {"max_position_embeddings", take_context_length},
    {"hidden_act", take_hidden_act},
    {"layer_norm_eps", take_epsilon},
    {NULL, NULL},
};

static clipc_status take_vision(const reader *in, const cJSON *item)
{
    return take_object(in, item, vision_keys);
}

static clipc_status take_text(const reader *in, const cJSON *item)
{
    return take_object(in, item, text_keys);
}

static const key model_keys[] = {
    {"embed_dim", take_embed_dim}, {"quick_gelu", take_quick_gelu},
    {"vision_cfg", take_vision},   {"text_cfg", take_text},
    {"custom_text", NULL}, /* a matter of tensor names */
    {"init_logit_scale", NULL},    {NULL, NULL},
};

static const key preprocess_keys[] = {
    {"mean", take_mean},
    {"std", take_std},
    {"size", take_image_size},
    {"mode", take_mode},
    {"interpolation", take_interpolation},
    {"resize_mode", take_resize_mode},
    {"fill_color", NULL}, /* for resize modes that pad */
    {NULL, NULL},
};

static const key huggingface_vision_keys[] = {
    {"image_size", take_image_size},
    {"hidden_size", take_vision_width},
    {"intermediate_size", take_vision_mlp},
    {"num_hidden_layers", take_vision_layers},
    {"num_attention_heads", take_vision_heads},
    {"patch_size", take_patch_size},
    {"num_channels", take_three},
    {"hidden_act", take_hidden_act},
    {"layer_norm_eps", take_epsilon},
    {NULL, NULL},
};

static clipc_status take_known(const reader *in, const cJSON *object, const key *keys)
{
    for (; keys->name; keys++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, keys->name);
        clipc_status status = item && !cJSON_IsNull(item) ? keys->take(in, item) : CLIPC_OK;

        if (status)
            return status;
    }
    return CLIPC_OK;
}

/* null, false, 0, "" and empty lists: an option that is switched off. */
static bool is_off(const cJSON *item)
{
    return cJSON_IsNull(item) || cJSON_IsFalse(item) ||
           (cJSON_IsNumber(item) && item->valuedouble == 0.0) ||
           (cJSON_IsString(item) && item->valuestring[0] == '\0') ||
           ((cJSON_IsArray(item) || cJSON_IsObject(item)) && item->child == NULL);
}

static const key *find_key(const key *keys, const char *name)
{
    for (; keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

static clipc_status take_object(const reader *in, const cJSON *object, const key *keys)
{
    const cJSON *item;

    if (!cJSON_IsObject(object))
        return refuse(in, object, "an object");
    cJSON_ArrayForEach(item, object)
    {
        const key *known = find_key(keys, item->string);
        clipc_status status = CLIPC_OK;

        if (!known && !is_off(item))
            return clipc_fail(in->error, CLIPC_ERROR_UNSUPPORTED,
                              "%s: \"%s\" is an option that clipc does not have", in->source,
                              item->string);
        if (known && known->take && !cJSON_IsNull(item))
            status = known->take(in, item);
        if (status)
            return status;
    }
    return CLIPC_OK;
}

/* --- Whole files --- */

/* Without "quick_gelu" open_clip means GELU. */
static clipc_status apply_open_clip(const reader *in, const cJSON *model, const cJSON *preprocess)
{
    clipc_status status = take_object(in, model, model_keys);

    if (!status && !cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(model, "quick_gelu")))
        in->config->activation = CLIPC_ACTIVATION_GELU;
    if (!status && preprocess)
        status = take_object(in, preprocess, preprocess_keys);
    return status;
}

/* Without "hidden_act" CLIPConfig means QuickGELU, which is the default for its layout. */
static clipc_status apply_huggingface(const reader *in, const cJSON *root)
{
    const cJSON *vision = cJSON_GetObjectItemCaseSensitive(root, "vision_config");
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(root, "text_config");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(root, "model_type");
    const cJSON *projection = cJSON_GetObjectItemCaseSensitive(root, "projection_dim");
    clipc_status status = CLIPC_OK;

    if (in->config->vision_kind == CLIPC_VISION_RESNET)
        return clipc_fail(in->error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: is of Hugging Face's CLIPModel, but the tensors are a ResNet's",
                          in->source);
    if (type)
        status = take_text_value(in, type, "clip");
    if (!status && projection)
        status = take_embed_dim(in, projection);
    if (!status && vision)
        status = take_known(in, vision, huggingface_vision_keys);
    if (!status && text)
        status = take_known(in, text, huggingface_text_keys);
    return status;
}

static clipc_status apply_preprocessor(const reader *in, const cJSON *root)
{
    static const key keys[] = {
        {"image_mean", take_mean},
        {"image_std", take_std},
        {"resample", take_three},
        {"size", take_edges},
        {"crop_size", take_edges},
        {"do_resize", take_true},
        {"do_center_crop", take_true},
        {"do_rescale", take_true},
        {"do_normalize", take_true},
        {"rescale_factor", take_rescale},
        {NULL, NULL},
    };

    return take_known(in, root, keys);
}

static clipc_status apply_root(const reader *in, const cJSON *root)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model_cfg");

    if (!cJSON_IsObject(root))
        return clipc_fail(in->error, CLIPC_ERROR_FORMAT, "%s: a JSON object was expected",
                          in->source);
    if (model)
        return apply_open_clip(in, model, cJSON_GetObjectItemCaseSensitive(root, "preprocess_cfg"));
    if (cJSON_GetObjectItemCaseSensitive(root, "vision_cfg"))
        return apply_open_clip(in, root, NULL);
    if (cJSON_GetObjectItemCaseSensitive(root, "vision_config"))
        return apply_huggingface(in, root);
    if (cJSON_GetObjectItemCaseSensitive(root, "image_mean"))
        return apply_preprocessor(in, root);
    return clipc_fail(in->error, CLIPC_ERROR_UNSUPPORTED,
                      "%s: is no configuration of a CLIP model (open_clip's has \"vision_cfg\", "
                      "Hugging Face's \"vision_config\")",
                      in->source);
}

clipc_status clipc_config_apply_json(clipc_config *config, const char *json, size_t size,
                                     const char *source, clipc_error *error)
{
    const reader in = {config, source, error};
    cJSON *root;
    clipc_status status = clipc_json_parse(&root, json, size, source, "its configuration", error);

    if (status)
        return status;
    status = apply_root(&in, root);
    cJSON_Delete(root);
    return status;
}
