/* SPDX-License-Identifier: MIT */
/*
 * The Vision Transformer of CLIP (Radford et al. 2021, arXiv:2103.00020, section 2.4): patches and
 * a class token, a LayerNorm before the blocks and one after, on the class token alone, a
 * projection.
 */
#include "model/towers.h"

clipc_value clipc_record_vit(clipc_program *program, const clipc_config *config, clipc_value pixels)
{
    const size_t width = config->vit.width, patch = config->patch_size;
    const size_t tokens = 1 + config->grid * config->grid;
    const clipc_sequences pictures = {.count = clipc_program_shape(program, pixels)->extent[0],
                                      .length = tokens};
    const clipc_rows_read class_tokens = {.step = tokens};
    clipc_value x;

    x = clipc_op_patch_embed(
        program, pixels,
        clipc_program_parameter(program, CLIPC_ROLE_PATCH, clipc_shape_4(width, 3, patch, patch),
                                "visual.conv1.weight"),
        clipc_program_parameter(program, CLIPC_ROLE_VALUES, clipc_shape_1(width),
                                "visual.class_embedding"),
        clipc_program_parameter(program, CLIPC_ROLE_VALUES, clipc_shape_2(tokens, width),
                                "visual.positional_embedding"));
    x = clipc_record_layernorm(program, width, "visual.ln_pre", x);
    clipc_program_name(program, x, "visual.ln_pre");
    x = clipc_record_transformer(program, &config->vit, config->activation, false, &pictures,
                                 &class_tokens, "visual.", x);
    x = clipc_record_layernorm(program, width, "visual.ln_post", x);
    clipc_program_name(program, x, "visual.ln_post");
    return clipc_op_linear(program, x,
                           clipc_program_parameter(program, CLIPC_ROLE_MATRIX_TRANSPOSED,
                                                   clipc_shape_2(width, config->embed_dim),
                                                   "visual.proj"),
                           CLIPC_NO_PARAMETER, CLIPC_NO_VALUE, CLIPC_POINTWISE_NONE);
}
