/* SPDX-License-Identifier: MIT */
/*
 * Pictures to tokens (Dosovitskiy et al. 2021, arXiv:2010.11929): a linear map of each square of
 * pixels, the class embedding before them, positional embeddings added.
 */
#include "compute/cost.h"
#include "compute/matmul.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

#include <string.h>

typedef struct patch_attributes {
    size_t image_size, patch, grid; /* grid = image_size / patch; pixels beyond it are not seen */
} patch_attributes;

typedef struct patch_source {
    const patch_attributes *attributes;
    const float *pixels;
} patch_source;

#define CHANNELS ((size_t)3)

/* Row r is square r of all pictures in order: its pixels as [3][patch][patch]. */
static void gather_patches(const void *context, size_t first, size_t rows, float *block)
{
    const patch_source *source = context;
    const size_t size = source->attributes->image_size, patch = source->attributes->patch;
    const size_t grid = source->attributes->grid;

    for (size_t row = first; row < first + rows; row++) {
        const size_t picture = row / (grid * grid), square = row % (grid * grid);
        const float *corner = source->pixels + picture * CHANNELS * size * size +
                              square / grid * patch * size + square % grid * patch;

        for (size_t c = 0; c < CHANNELS; c++)
            for (size_t y = 0; y < patch; y++, block += patch)
                memcpy(block, corner + (c * size + y) * size, patch * sizeof(*block));
    }
}

/* Squares come as [n][grid^2][width], from the back of out: [n][1 + grid^2][width]. */
static void add_class_and_positions(const float *squares, const float *class_embedding,
                                    const float *positions, size_t pictures, size_t tokens,
                                    size_t width, float *out)
{
    for (size_t i = 0; i < pictures; i++) {
        float *token = out + i * tokens * width;
        const float *square = squares + i * (tokens - 1) * width;

        for (size_t j = 0; j < width; j++)
            token[j] = class_embedding[j] + positions[j];
        for (size_t j = 0; j < (tokens - 1) * width; j++)
            token[width + j] = square[j] + positions[width + j];
    }
}

static void patch_embed_forward(const clipc_run *run, const clipc_node *node)
{
    const patch_attributes *attributes = node->attributes;
    const size_t squares = attributes->grid * attributes->grid;
    const clipc_shape *shape = clipc_program_shape(run->program, node->output);
    const size_t width = shape->extent[1], pictures = shape->extent[0] / (squares + 1);
    patch_source source = {attributes, clipc_run_value(run, node->inputs[0])};
    float *out = clipc_run_value(run, node->output);
    /* The products are written to the end of the output and spread out from its front: token 0 of
     * each picture is one row behind, so what is written never overtakes what is still to be read.
     */
    float *products = out + pictures * width;

    clipc_matmul_run(run, &(clipc_matmul){
                              .kernel = clipc_run_kernel(run, node->parameters[0]),
                              .rows = pictures * squares,
                              .out_features = width,
                              .in_features = CHANNELS * attributes->patch * attributes->patch,
                              .gather = gather_patches,
                              .gather_context = &source,
                              .packed = clipc_run_parameter(run, node->parameters[0]),
                              .out = products,
                          });
    add_class_and_positions(products, clipc_run_parameter(run, node->parameters[1]),
                            clipc_run_parameter(run, node->parameters[2]), pictures, squares + 1,
                            width, out);
}

static size_t patch_embed_scratch(const clipc_program *program, const clipc_node *node,
                                  const clipc_kernels *kernels)
{
    const patch_attributes *attributes = node->attributes;

    (void)kernels;
    return clipc_matmul_scratch(clipc_program_kernel(program, node->parameters[0]),
                                CHANNELS * attributes->patch * attributes->patch);
}

static clipc_cost patch_embed_cost(const clipc_run *run, const clipc_node *node)
{
    const patch_attributes *attributes = node->attributes;
    const size_t squares = attributes->grid * attributes->grid;
    const size_t tokens = clipc_program_shape(run->program, node->output)->extent[0];
    clipc_cost cost = clipc_cost_product(run, node, 3, tokens / (squares + 1) * squares,
                                         CHANNELS * attributes->patch * attributes->patch);

    cost.flops += (double)clipc_cost_elements(run, node->output); /* positions */
    return cost;
}

static const clipc_op patch_embed_op = {.name = "patch_embed",
                                        .scratch = patch_embed_scratch,
                                        .forward = patch_embed_forward,
                                        .cost = patch_embed_cost};

clipc_value clipc_op_patch_embed(clipc_program *program, clipc_value pixels,
                                 clipc_parameter_id weight, clipc_parameter_id class_embedding,
                                 clipc_parameter_id positions)
{
    const clipc_shape *in = clipc_program_shape(program, pixels);
    const clipc_parameter *filter = clipc_program_parameter_facts(program, weight);
    const char *op = patch_embed_op.name;
    patch_attributes attributes;
    size_t tokens, width; /* tokens of one picture */

    if (!clipc_rule_rank(program, op, "pixels", pixels, 4) ||
        !clipc_rule(program, op, in->extent[1] == CHANNELS && in->extent[2] == in->extent[3],
                    "square pictures of three channels") ||
        !clipc_rule_parameter_rank(program, op, "weight", weight, 4) ||
        !clipc_rule(program, op, filter->role == CLIPC_ROLE_PATCH,
                    "a weight declared as a patch's"))
        return CLIPC_NO_VALUE;
    width = filter->shape.extent[0];
    attributes.image_size = in->extent[2];
    attributes.patch = filter->shape.extent[2];
    attributes.grid = attributes.image_size / attributes.patch;
    tokens = attributes.grid * attributes.grid + 1;
    if (!clipc_rule_parameter(program, op, "weight", weight,
                              clipc_shape_4(width, CHANNELS, attributes.patch, attributes.patch)) ||
        !clipc_rule(program, op, attributes.grid > 0, "a patch no larger than the picture") ||
        !clipc_rule_parameter(program, op, "class embedding", class_embedding,
                              clipc_shape_1(width)) ||
        !clipc_rule_parameter(program, op, "positions", positions, clipc_shape_2(tokens, width)))
        return CLIPC_NO_VALUE;
    return clipc_program_append(program, &(clipc_node_recipe){
                                             .op = &patch_embed_op,
                                             .inputs = {pixels},
                                             .input_count = 1,
                                             .parameters = {weight, class_embedding, positions},
                                             .attributes = &attributes,
                                             .attributes_size = sizeof(attributes),
                                             .shape = clipc_shape_2(in->extent[0] * tokens, width),
                                         });
}
