/* SPDX-License-Identifier: MIT */
/*
 * 2-d convolution over channels-last maps as a matrix product: a row is one output place, its
 * window laid out as [k][k][in]. Batch norm is folded into weight and bias when a model is loaded.
 */
#include "compute/cost.h"
#include "compute/matmul.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

#include <string.h>

typedef struct conv_attributes {
    size_t kernel, stride, padding;
    clipc_pointwise pointwise;
} conv_attributes;

typedef struct conv_source {
    const conv_attributes *attributes;
    const float *x;
    size_t height, width, channels; /* of the input */
    size_t out_height, out_width;
} conv_source;

/* One row of a window: `kernel` places of the input's row y from column x on, zero outside. */
static void copy_window_row(const conv_source *source, const float *map, size_t y, size_t x,
                            float *out)
{
    const size_t kernel = source->attributes->kernel, padding = source->attributes->padding;
    const size_t channels = source->channels, width = source->width;
    size_t before, after;

    memset(out, 0, kernel * channels * sizeof(*out));
    if (y < padding || y - padding >= source->height)
        return;
    before = x < padding ? padding - x : 0; /* places left of the map */
    after = x + kernel > width + padding ? x + kernel - width - padding : 0;
    if (before + after >= kernel)
        return;
    memcpy(out + before * channels,
           map + ((y - padding) * width + (x + before - padding)) * channels,
           (kernel - before - after) * channels * sizeof(*out));
}

static void gather_windows(const void *context, size_t first, size_t rows, float *block)
{
    const conv_source *source = context;
    const size_t kernel = source->attributes->kernel, stride = source->attributes->stride;
    const size_t places = source->out_height * source->out_width;
    const size_t row_floats = kernel * source->channels;

    for (size_t row = first; row < first + rows; row++) {
        const size_t place = row % places;
        const size_t y = place / source->out_width * stride, x = place % source->out_width * stride;
        const float *map =
            source->x + row / places * source->height * source->width * source->channels;

        for (size_t i = 0; i < kernel; i++, block += row_floats)
            copy_window_row(source, map, y + i, x, block);
    }
}

/* 1x1: the map is the matrix already. */
static bool is_plain(const conv_attributes *attributes)
{
    return attributes->kernel == 1 && attributes->stride == 1 && attributes->padding == 0;
}

static void conv_forward(const clipc_run *run, const clipc_node *node)
{
    const conv_attributes *attributes = node->attributes;
    const clipc_shape *in = clipc_program_shape(run->program, node->inputs[0]);
    const clipc_shape *out = clipc_program_shape(run->program, node->output);
    const clipc_value residual = node->inputs[1];
    conv_source source = {
        .attributes = attributes,
        .x = clipc_run_value(run, node->inputs[0]),
        .height = in->extent[1],
        .width = in->extent[2],
        .channels = in->extent[3],
        .out_height = out->extent[1],
        .out_width = out->extent[2],
    };

    clipc_matmul_run(
        run, &(clipc_matmul){
                 .kernel = clipc_run_kernel(run, node->parameters[0]),
                 .rows = out->extent[0] * out->extent[1] * out->extent[2],
                 .out_features = out->extent[3],
                 .in_features = attributes->kernel * attributes->kernel * source.channels,
                 .a = source.x,
                 .gather = is_plain(attributes) ? NULL : gather_windows,
                 .gather_context = &source,
                 .packed = clipc_run_parameter(run, node->parameters[0]),
                 .bias = clipc_run_parameter(run, node->parameters[1]),
                 .residual = residual == CLIPC_NO_VALUE ? NULL : clipc_run_value(run, residual),
                 .pointwise = attributes->pointwise,
                 .out = clipc_run_value(run, node->output),
             });
}

static size_t conv_scratch(const clipc_program *program, const clipc_node *node,
                           const clipc_kernels *kernels)
{
    const conv_attributes *attributes = node->attributes;
    const clipc_shape *in = clipc_program_shape(program, node->inputs[0]);

    (void)kernels;
    if (is_plain(attributes))
        return 0;
    return clipc_matmul_scratch(clipc_program_kernel(program, node->parameters[0]),
                                attributes->kernel * attributes->kernel * in->extent[3]);
}

static size_t conv_shared(const clipc_program *program, const clipc_node *node)
{
    const clipc_shape *in = clipc_program_shape(program, node->inputs[0]);

    if (!is_plain(node->attributes))
        return 0;
    return clipc_matmul_shared(clipc_program_kernel(program, node->parameters[0]),
                               in->extent[0] * in->extent[1] * in->extent[2], in->extent[3]);
}

static clipc_cost conv_cost(const clipc_run *run, const clipc_node *node)
{
    const conv_attributes *attributes = node->attributes;
    const clipc_shape *in = clipc_program_shape(run->program, node->inputs[0]);
    const clipc_shape *out = clipc_program_shape(run->program, node->output);

    return clipc_cost_product(run, node, 2, out->extent[0] * out->extent[1] * out->extent[2],
                              attributes->kernel * attributes->kernel * in->extent[3]);
}

static const clipc_op conv_op = {.name = "conv2d",
                                 .scratch = conv_scratch,
                                 .shared = conv_shared,
                                 .forward = conv_forward,
                                 .cost = conv_cost};

static size_t out_extent(size_t in, const conv_attributes *attributes)
{
    const size_t padded = in + 2 * attributes->padding;

    return padded < attributes->kernel ? 0 : (padded - attributes->kernel) / attributes->stride + 1;
}

clipc_value clipc_op_conv2d(clipc_program *program, clipc_value x, clipc_parameter_id weight,
                            clipc_parameter_id bias, clipc_value residual, size_t stride,
                            size_t padding, clipc_pointwise pointwise)
{
    const clipc_shape *in = clipc_program_shape(program, x);
    const clipc_parameter *filter = clipc_program_parameter_facts(program, weight);
    conv_attributes attributes = {.stride = stride, .padding = padding, .pointwise = pointwise};
    clipc_shape out;

    if (!clipc_rule_rank(program, conv_op.name, "x", x, 4) ||
        !clipc_rule_parameter_rank(program, conv_op.name, "weight", weight, 4) ||
        !clipc_rule(program, conv_op.name, filter->role == CLIPC_ROLE_CONVOLUTION,
                    "a weight declared as a convolution's") ||
        !clipc_rule(program, conv_op.name, stride > 0, "a stride of at least 1"))
        return CLIPC_NO_VALUE;
    if (filter->shape.extent[1] != in->extent[3]) {
        clipc_program_fail(program, CLIPC_ERROR_FORMAT, "%s: takes %zu channels, %zu come in",
                           filter->name, filter->shape.extent[1], in->extent[3]);
        return CLIPC_NO_VALUE;
    }
    attributes.kernel = filter->shape.extent[2];
    out = clipc_shape_4(in->extent[0], out_extent(in->extent[1], &attributes),
                        out_extent(in->extent[2], &attributes), filter->shape.extent[0]);
    if (!clipc_rule(program, conv_op.name,
                    filter->shape.extent[3] == attributes.kernel && padding < attributes.kernel,
                    "a square kernel larger than the padding") ||
        !clipc_rule_optional_parameter(program, conv_op.name, "bias", bias,
                                       clipc_shape_1(out.extent[3])) ||
        !clipc_rule_optional_shape(program, conv_op.name, "residual", residual, out))
        return CLIPC_NO_VALUE;
    return clipc_program_append(program, &(clipc_node_recipe){
                                             .op = &conv_op,
                                             .inputs = {x, residual},
                                             .input_count = 2,
                                             .parameters = {weight, bias},
                                             .attributes = &attributes,
                                             .attributes_size = sizeof(attributes),
                                             .shape = out,
                                         });
}
