/* SPDX-License-Identifier: MIT */
/*
 * 2-d convolution over channels-last maps: as a matrix product, a row of which is one output place,
 * its window laid out as [k][k][in]; or by Winograd's filtering. Batch norm is folded into weight
 * and bias when a model is loaded.
 */
#include "base/sizes.h"
#include "compute/cost.h"
#include "compute/matmul.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"
#include "compute/winograd.h"

#include <string.h>

/*
 * Winograd's filtering needs enough channels to be worth its transforms, and of one picture enough
 * tiles to be worth reading four times the weights: these come from memory at one word for so many
 * tiles' multiply-adds. It is left alone where the weights alone would fill the caches.
 */
#define LEAST_CHANNELS ((size_t)16)
#define LEAST_TILES ((size_t)16)
#define MOST_WEIGHTS ((size_t)512 * 512) /* of a point */

typedef struct conv_attributes {
    size_t kernel;
    clipc_convolution how;
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
    const size_t kernel = source->attributes->kernel;
    const size_t padding = source->attributes->how.padding;
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
    const size_t kernel = source->attributes->kernel;
    const size_t stride = source->attributes->how.stride;
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
    return attributes->kernel == 1 && attributes->how.stride == 1 && attributes->how.padding == 0;
}

static void direct_forward(const clipc_run *run, const clipc_node *node)
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
                 .pointwise = attributes->how.pointwise,
                 .out = clipc_run_value(run, node->output),
             });
}

static size_t direct_scratch(const clipc_program *program, const clipc_node *node,
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

static size_t direct_shared(const clipc_program *program, const clipc_node *node)
{
    const clipc_shape *in = clipc_program_shape(program, node->inputs[0]);

    if (!is_plain(node->attributes))
        return 0;
    return clipc_matmul_shared(clipc_program_kernel(program, node->parameters[0]),
                               in->extent[0] * in->extent[1] * in->extent[2], in->extent[3]);
}

static clipc_cost direct_cost(const clipc_run *run, const clipc_node *node)
{
    const conv_attributes *attributes = node->attributes;
    const clipc_shape *in = clipc_program_shape(run->program, node->inputs[0]);
    const clipc_shape *out = clipc_program_shape(run->program, node->output);

    return clipc_cost_product(run, node, 2, out->extent[0] * out->extent[1] * out->extent[2],
                              attributes->kernel * attributes->kernel * in->extent[3]);
}

static const clipc_op direct_op = {.name = "conv2d",
                                   .scratch = direct_scratch,
                                   .shared = direct_shared,
                                   .forward = direct_forward,
                                   .cost = direct_cost};

/* --- By Winograd's filtering --- */

static void winograd_forward(const clipc_run *run, const clipc_node *node)
{
    const conv_attributes *attributes = node->attributes;
    const clipc_shape *in = clipc_program_shape(run->program, node->inputs[0]);
    const clipc_shape *out = clipc_program_shape(run->program, node->output);

    clipc_winograd_run(run, &(clipc_winograd){
                                .kernel = clipc_run_kernel(run, node->parameters[0]),
                                .x = clipc_run_value(run, node->inputs[0]),
                                .n = in->extent[0],
                                .height = in->extent[1],
                                .width = in->extent[2],
                                .in = in->extent[3],
                                .out_channels = out->extent[3],
                                .packed = clipc_run_parameter(run, node->parameters[0]),
                                .bias = clipc_run_parameter(run, node->parameters[1]),
                                .relu = attributes->how.pointwise == CLIPC_POINTWISE_RELU,
                                .pool = attributes->how.pool,
                                .out = clipc_run_value(run, node->output),
                            });
}

static size_t winograd_scratch(const clipc_program *program, const clipc_node *node,
                               const clipc_kernels *kernels)
{
    (void)kernels;
    return clipc_winograd_scratch(clipc_program_kernel(program, node->parameters[0]),
                                  clipc_program_shape(program, node->inputs[0])->extent[3]);
}

/* The flops of the convolution that it stands for, to be compared: it makes do with a third. */
static clipc_cost winograd_cost(const clipc_run *run, const clipc_node *node)
{
    const clipc_shape *in = clipc_program_shape(run->program, node->inputs[0]);

    return clipc_cost_product(run, node, 2, in->extent[0] * in->extent[1] * in->extent[2],
                              9 * in->extent[3]);
}

static const clipc_op winograd_op = {.name = "winograd",
                                     .scratch = winograd_scratch,
                                     .forward = winograd_forward,
                                     .cost = winograd_cost};

/* Whether a convolution can be computed so at all. */
static bool fits_winograd(const conv_attributes *attributes, clipc_value residual)
{
    const clipc_convolution *how = &attributes->how;

    return attributes->kernel == 3 && how->stride == 1 && how->padding == 1 && how->pool <= 2 &&
           residual == CLIPC_NO_VALUE &&
           (how->pointwise == CLIPC_POINTWISE_NONE || how->pointwise == CLIPC_POINTWISE_RELU);
}

/* Whether it is faster: enough tiles for the products, enough channels for the transforms. */
static bool favours_winograd(const clipc_shape *in, const clipc_shape *filter)
{
    const size_t tiles = (in->extent[1] + CLIPC_WINOGRAD_OUTPUTS - 1) / CLIPC_WINOGRAD_OUTPUTS *
                         ((in->extent[2] + CLIPC_WINOGRAD_OUTPUTS - 1) / CLIPC_WINOGRAD_OUTPUTS);

    return tiles >= LEAST_TILES && filter->extent[0] >= LEAST_CHANNELS &&
           filter->extent[1] >= LEAST_CHANNELS &&
           filter->extent[1] <= MOST_WEIGHTS / filter->extent[0];
}

/* --- Recording --- */

static size_t out_extent(size_t in, const conv_attributes *attributes)
{
    const size_t padded = in + 2 * attributes->how.padding;

    return padded < attributes->kernel ? 0
                                       : (padded - attributes->kernel) / attributes->how.stride + 1;
}

/* The form that a weight is declared in stays: whoever records next finds it so. */
static bool uses_winograd(clipc_program *program, clipc_parameter_id weight, const clipc_shape *in,
                          const conv_attributes *attributes, clipc_value residual)
{
    const clipc_parameter *filter = clipc_program_parameter_facts(program, weight);

    if (!fits_winograd(attributes, residual) || filter->kernel->dtype != CLIPC_DTYPE_F32)
        return false;
    if (program->declared && program->declared->kernels.allows_winograd &&
        favours_winograd(in, &filter->shape))
        clipc_program_transform_filters(program, weight);
    return filter->form == CLIPC_FORM_WINOGRAD;
}

clipc_value clipc_op_conv2d(clipc_program *program, clipc_value x, clipc_parameter_id weight,
                            clipc_parameter_id bias, clipc_value residual,
                            const clipc_convolution *convolution)
{
    const clipc_shape *in = clipc_program_shape(program, x);
    const clipc_parameter *filter = clipc_program_parameter_facts(program, weight);
    conv_attributes attributes = {.how = *convolution};
    const size_t pool = clipc_max_size(convolution->pool, 1);
    clipc_value y;
    clipc_shape out;
    bool is_winograd;

    if (!clipc_rule_rank(program, direct_op.name, "x", x, 4) ||
        !clipc_rule_parameter_rank(program, direct_op.name, "weight", weight, 4) ||
        !clipc_rule(program, direct_op.name, filter->role == CLIPC_ROLE_CONVOLUTION,
                    "a weight declared as a convolution's") ||
        !clipc_rule(program, direct_op.name, convolution->stride > 0, "a stride of at least 1"))
        return CLIPC_NO_VALUE;
    if (filter->shape.extent[1] != in->extent[3]) {
        clipc_program_fail(program, CLIPC_ERROR_FORMAT, "%s: takes %zu channels, %zu come in",
                           filter->name, filter->shape.extent[1], in->extent[3]);
        return CLIPC_NO_VALUE;
    }
    attributes.kernel = filter->shape.extent[2];
    out = clipc_shape_4(in->extent[0], out_extent(in->extent[1], &attributes),
                        out_extent(in->extent[2], &attributes), filter->shape.extent[0]);
    if (!clipc_rule(program, direct_op.name,
                    filter->shape.extent[3] == attributes.kernel &&
                        convolution->padding < attributes.kernel,
                    "a square kernel larger than the padding") ||
        !clipc_rule_optional_parameter(program, direct_op.name, "bias", bias,
                                       clipc_shape_1(out.extent[3])) ||
        !clipc_rule_optional_shape(program, direct_op.name, "residual", residual, out))
        return CLIPC_NO_VALUE;
    attributes.how.pool = pool;
    is_winograd = uses_winograd(program, weight, in, &attributes, residual);
    if (is_winograd)
        out =
            clipc_shape_4(out.extent[0], out.extent[1] / pool, out.extent[2] / pool, out.extent[3]);
    y = clipc_program_append(program, &(clipc_node_recipe){
                                          .op = is_winograd ? &winograd_op : &direct_op,
                                          .inputs = {x, residual},
                                          .input_count = 2,
                                          .parameters = {weight, bias},
                                          .attributes = &attributes,
                                          .attributes_size = sizeof(attributes),
                                          .shape = out,
                                      });
    return is_winograd || pool == 1 ? y : clipc_op_avgpool(program, y, pool);
}
