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
typedef struct convolution {
    size_t out, in, kernel, stride;
    const char *conv, *bn; /* parameter names without ".weight" and so on */
} convolution;

/*
 * Convolution, batch norm, residual, ReLU. For inference loading folds the batch norm into the
 * convolution's weight and into its own bias, which then is the convolution's bias.
 */
static clipc_value conv_bn(clipc_program *program, const convolution *layer, clipc_value x,
                           clipc_value residual, clipc_pointwise pointwise)
{
    const clipc_shape shape = clipc_shape_1(layer->out);
    clipc_parameter_id weight, gain, bias;

    weight =
        clipc_program_parameter(program, CLIPC_ROLE_CONVOLUTION,
                                clipc_shape_4(layer->out, layer->in, layer->kernel, layer->kernel),
                                "%s.weight", layer->conv);
    gain = clipc_program_parameter(program, CLIPC_ROLE_VALUES, shape, "%s.weight", layer->bn);
    bias = clipc_program_parameter(program, CLIPC_ROLE_VALUES, shape, "%s.bias", layer->bn);
    clipc_program_parameter(program, CLIPC_ROLE_STATISTIC, shape, "%s.running_mean", layer->bn);
    clipc_program_parameter(program, CLIPC_ROLE_STATISTIC, shape, "%s.running_var", layer->bn);
    clipc_program_normalise_after(program, weight, gain);
    return clipc_op_conv2d(program, x, weight, bias, residual, layer->stride, layer->kernel / 2,
                           pointwise);
}

/* Three 3x3 convolutions, the first of stride 2, and an average pooling: S -> S / 4. */
static clipc_value stem(clipc_program *program, size_t width, clipc_value x)
{
    x = conv_bn(program, &(convolution){width / 2, 3, 3, 2, "visual.conv1", "visual.bn1"}, x,
                CLIPC_NO_VALUE, CLIPC_POINTWISE_RELU);
    x = conv_bn(program, &(convolution){width / 2, width / 2, 3, 1, "visual.conv2", "visual.bn2"},
                x, CLIPC_NO_VALUE, CLIPC_POINTWISE_RELU);
    x = conv_bn(program, &(convolution){width, width / 2, 3, 1, "visual.conv3", "visual.bn3"}, x,
                CLIPC_NO_VALUE, CLIPC_POINTWISE_RELU);
    x = clipc_op_avgpool(program, x, 2);
    clipc_program_name(program, x, "visual.stem");
    return x;
}

/* A convolution of a bottleneck: its parameters are "<block>.<conv>" and "<block>.<bn>". */
static clipc_value block_conv(clipc_program *program, const char *block, const char *conv,
                              const char *bn, size_t out, size_t in, size_t kernel, clipc_value x,
                              clipc_value residual, clipc_pointwise pointwise)
{
    char conv_name[96], bn_name[96];

    snprintf(conv_name, sizeof(conv_name), "%s.%s", block, conv);
    snprintf(bn_name, sizeof(bn_name), "%s.%s", block, bn);
    return conv_bn(program, &(convolution){out, in, kernel, 1, conv_name, bn_name}, x, residual,
                   pointwise);
}

/* 1x1, 3x3, pooling in place of a stride, 1x1; the shortcut is pooled and mapped where needed. */
static clipc_value bottleneck(clipc_program *program, const char *block, size_t in, size_t planes,
                              size_t stride, clipc_value x)
{
    const size_t out = planes * EXPANSION;
    clipc_value y, shortcut = x;

    y = block_conv(program, block, "conv1", "bn1", planes, in, 1, x, CLIPC_NO_VALUE,
                   CLIPC_POINTWISE_RELU);
    y = block_conv(program, block, "conv2", "bn2", planes, planes, 3, y, CLIPC_NO_VALUE,
                   CLIPC_POINTWISE_RELU);
    if (stride > 1) {
        y = clipc_op_avgpool(program, y, stride);
        shortcut = clipc_op_avgpool(program, shortcut, stride);
    }
    if (stride > 1 || in != out)
        shortcut = block_conv(program, block, "downsample.0", "downsample.1", out, in, 1, shortcut,
                              CLIPC_NO_VALUE, CLIPC_POINTWISE_NONE);
    return block_conv(program, block, "conv3", "bn3", out, planes, 1, y, shortcut,
                      CLIPC_POINTWISE_RELU);
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

static clipc_value attnpool_linear(clipc_program *program, const char *name, size_t out, size_t in,
                                   clipc_value x)
{
    return clipc_op_linear(program, x,
                           clipc_program_parameter(program, CLIPC_ROLE_MATRIX,
                                                   clipc_shape_2(out, in),
                                                   "visual.attnpool.%s.weight", name),
                           clipc_program_parameter(program, CLIPC_ROLE_VALUES, clipc_shape_1(out),
                                                   "visual.attnpool.%s.bias", name),
                           CLIPC_NO_VALUE, CLIPC_POINTWISE_NONE);
}

/* The mean of all places asks, every place and the mean answer: one row a picture. */
static clipc_value attnpool(clipc_program *program, const clipc_config *config, size_t width,
                            clipc_value x)
{
    const size_t tokens = 1 + config->attnpool_grid * config->attnpool_grid;
    const clipc_sequences pictures = {
        .count = clipc_program_shape(program, x)->extent[0], .length = tokens, .queries = 1};
    clipc_value query, key, value;

    x = clipc_op_pool_tokens(program, x,
                             clipc_program_parameter(program, CLIPC_ROLE_VALUES,
                                                     clipc_shape_2(tokens, width),
                                                     "visual.attnpool.positional_embedding"));
    query = clipc_op_every(program, x, tokens);
    query = attnpool_linear(program, "q_proj", width, width, query);
    key = attnpool_linear(program, "k_proj", width, width, x);
    value = attnpool_linear(program, "v_proj", width, width, x);
    x = clipc_op_attention(program, (clipc_columns){query, 0}, (clipc_columns){key, 0},
                           (clipc_columns){value, 0}, width, config->attnpool_heads, false,
                           &pictures);
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
