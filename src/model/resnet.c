/* SPDX-License-Identifier: MIT */
/*
 * The modified ResNet of CLIP (Radford et al. 2021, arXiv:2103.00020, section 2.4): a stem of three
 * convolutions, average pooling before every strided convolution's place, attention pooling at the
 * end. Every convolution has stride 1 but the stem's first.
 */
#include "model/towers.h"

#include <stdio.h>

#define EXPANSION ((size_t)4) /* a bottleneck's outputs to its inner channels */

/* One convolution with the batch norm that follows it. */
typedef struct conv_layer {
    const char *block, *conv,
        *bn; /* parameters "<block>.<conv>.weight", "<block>.<bn>.bias", ... */
    size_t out, in, kernel, stride;
    clipc_pointwise pointwise;
    size_t pool; /* above 1: average pooling that follows in turn */
} conv_layer;

/*
 * Convolution, batch norm, residual, ReLU, pooling. For inference loading folds the batch norm into
 * the convolution's weight and into its own bias, which then is the convolution's bias.
 */
static clipc_value conv_bn(clipc_program *program, const conv_layer *layer, clipc_value x,
                           clipc_value residual)
{
    const char *block = layer->block, *bn = layer->bn;
    const clipc_shape shape = clipc_shape_1(layer->out);
    clipc_parameter_id weight, gain, bias;

    weight =
        clipc_program_parameter(program, CLIPC_ROLE_CONVOLUTION,
                                clipc_shape_4(layer->out, layer->in, layer->kernel, layer->kernel),
                                "%s.%s.weight", block, layer->conv);
    gain = clipc_program_parameter(program, CLIPC_ROLE_VALUES, shape, "%s.%s.weight", block, bn);
    bias = clipc_program_parameter(program, CLIPC_ROLE_VALUES, shape, "%s.%s.bias", block, bn);
    clipc_program_parameter(program, CLIPC_ROLE_STATISTIC, shape, "%s.%s.running_mean", block, bn);
    clipc_program_parameter(program, CLIPC_ROLE_STATISTIC, shape, "%s.%s.running_var", block, bn);
    clipc_program_normalise_after(program, weight, gain);
    return clipc_op_conv2d(program, x, weight, bias, residual,
                           &(clipc_convolution){.stride = layer->stride,
                                                .padding = layer->kernel / 2,
                                                .pointwise = layer->pointwise,
                                                .pool = layer->pool});
}

/* Three 3x3 convolutions, the first of stride 2, and an average pooling: S -> S / 4. */
static clipc_value stem(clipc_program *program, size_t width, clipc_value x)
{
    const size_t half = width / 2;
    const conv_layer layers[] = {
        {"visual", "conv1", "bn1", half, 3, 3, 2, CLIPC_POINTWISE_RELU, 1},
        {"visual", "conv2", "bn2", half, half, 3, 1, CLIPC_POINTWISE_RELU, 1},
        {"visual", "conv3", "bn3", width, half, 3, 1, CLIPC_POINTWISE_RELU, 2},
    };

    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        x = conv_bn(program, &layers[i], x, CLIPC_NO_VALUE);
    clipc_program_name(program, x, "visual.stem");
    return x;
}

/* 1x1, 3x3, pooling in place of a stride, 1x1; the shortcut is pooled and mapped where needed. */
static clipc_value bottleneck(clipc_program *program, const char *block, size_t in, size_t planes,
                              size_t stride, clipc_value x)
{
    const size_t out = planes * EXPANSION;
    const conv_layer reduce = {block, "conv1", "bn1", planes, in, 1, 1, CLIPC_POINTWISE_RELU, 1};
    const conv_layer look = {block, "conv2", "bn2", planes, planes, 3, 1, CLIPC_POINTWISE_RELU,
                             stride};
    const conv_layer expand = {block, "conv3", "bn3", out, planes, 1, 1, CLIPC_POINTWISE_RELU, 1};
    const conv_layer map = {
        block, "downsample.0", "downsample.1", out, in, 1, 1, CLIPC_POINTWISE_NONE, 1};
    clipc_value y, shortcut = x;

    y = conv_bn(program, &reduce, x, CLIPC_NO_VALUE);
    y = conv_bn(program, &look, y, CLIPC_NO_VALUE);
    if (stride > 1)
        shortcut = clipc_op_avgpool(program, shortcut, stride);
    if (stride > 1 || in != out)
        shortcut = conv_bn(program, &map, shortcut, CLIPC_NO_VALUE);
    return conv_bn(program, &expand, y, shortcut);
}

static clipc_value stage(clipc_program *program, const clipc_config *config, size_t index,
                         size_t *channels, clipc_value x)
{
    const size_t planes = config->resnet_width << index;
    char block[64];

    for (size_t i = 0; i < config->resnet_layers[index]; i++) {
        snprintf(block, sizeof(block), "visual.layer%zu.%zu", index + 1, i);
        x = bottleneck(program, block, *channels, planes, i == 0 && index > 0 ? 2 : 1, x);
        *channels = planes * EXPANSION;
    }
    clipc_program_name(program, x, "visual.layer%zu", index + 1);
    return x;
}

static clipc_parameter_id attnpool_bias(clipc_program *program, const char *name, size_t out)
{
    return clipc_program_parameter(program, CLIPC_ROLE_VALUES, clipc_shape_1(out),
                                   "visual.attnpool.%s.bias", name);
}

static clipc_parameter_id attnpool_weight(clipc_program *program, const char *name, clipc_role role,
                                          size_t out, size_t in)
{
    return clipc_program_parameter(program, role, clipc_shape_2(out, in),
                                   "visual.attnpool.%s.weight", name);
}

static clipc_value attnpool_linear(clipc_program *program, const char *name, size_t out, size_t in,
                                   clipc_value x)
{
    return clipc_op_linear(program, x, attnpool_weight(program, name, CLIPC_ROLE_MATRIX, out, in),
                           attnpool_bias(program, name, out), CLIPC_NO_VALUE, CLIPC_POINTWISE_NONE);
}

/* The mean of all places asks, every place and the mean answer: one row a picture. */
static clipc_value attnpool(clipc_program *program, const clipc_config *config, size_t width,
                            clipc_value x)
{
    const size_t tokens = 1 + config->attnpool_grid * config->attnpool_grid;
    clipc_parameter_id key, value;

    x = clipc_op_pool_tokens(program, x,
                             clipc_program_parameter(program, CLIPC_ROLE_VALUES,
                                                     clipc_shape_2(tokens, width),
                                                     "visual.attnpool.positional_embedding"));
    key = attnpool_weight(program, "k_proj", CLIPC_ROLE_MATRIX_TRANSPOSED, width, width);
    value = attnpool_weight(program, "v_proj", CLIPC_ROLE_MATRIX, width, width);
    attnpool_bias(program, "k_proj", width); /* adds the same to all scores of a query */
    x = clipc_op_attention_pool(
        program, x,
        attnpool_linear(program, "q_proj", width, width, clipc_op_every(program, x, tokens)), key,
        value, attnpool_bias(program, "v_proj", width), config->attnpool_heads);
    return attnpool_linear(program, "c_proj", config->embed_dim, width, x);
}

clipc_value clipc_record_resnet(clipc_program *program, const clipc_config *config,
                                clipc_value pixels)
{
    size_t channels = config->resnet_width;
    clipc_value x = stem(program, channels, clipc_op_channels_last(program, pixels));

    for (size_t i = 0; i < CLIPC_RESNET_STAGES; i++)
        x = stage(program, config, i, &channels, x);
    return attnpool(program, config, channels, x);
}
