/* SPDX-License-Identifier: MIT */
/* The pre-norm residual blocks that both of CLIP's Transformers are made of. */
#include "model/towers.h"

#include <stdio.h>

clipc_value clipc_record_layernorm(clipc_program *program, size_t width, const char *name,
                                   clipc_value x)
{
    const clipc_shape shape = clipc_shape_1(width);

    return clipc_op_layernorm(
        program, x, clipc_program_parameter(program, CLIPC_ROLE_VALUES, shape, "%s.weight", name),
        clipc_program_parameter(program, CLIPC_ROLE_VALUES, shape, "%s.bias", name));
}

/* A layer of shape [out][in] with a bias: "<block>.<name>.weight", "<block>.<name>.bias". */
static clipc_value linear(clipc_program *program, size_t out, size_t in, const char *block,
                          const char *name, clipc_value x, clipc_value residual,
                          clipc_pointwise pointwise)
{
    return clipc_op_linear(program, x,
                           clipc_program_parameter(program, CLIPC_ROLE_MATRIX,
                                                   clipc_shape_2(out, in), "%s.%s.weight", block,
                                                   name),
                           clipc_program_parameter(program, CLIPC_ROLE_VALUES, clipc_shape_1(out),
                                                   "%s.%s.bias", block, name),
                           residual, pointwise);
}

static clipc_value pick(clipc_program *program, const clipc_rows_read *read, clipc_value x)
{
    return read->step ? clipc_op_every(program, x, read->step)
                      : clipc_op_gather(program, x, read->rows);
}

/*
 * x + out_proj(attention(in_proj(ln_1(x)))). Where `read` is given, only the rows that it names ask
 * and go on, one of each sequence; under a causal mask the last, which sees its whole sequence.
 */
static clipc_value attention_half(clipc_program *program, const clipc_transformer_config *config,
                                  bool causal, const clipc_sequences *sequences,
                                  const clipc_rows_read *read, const char *block, clipc_value x)
{
    const size_t width = config->width;
    clipc_sequences asked = *sequences;
    char name[96];
    clipc_value y, qkv, query;

    snprintf(name, sizeof(name), "%s.ln_1", block);
    y = clipc_record_layernorm(program, width, name, x);
    /* torch names this layer's tensors in_proj_weight and in_proj_bias, not in_proj.weight */
    query = qkv = clipc_op_linear(
        program, y,
        clipc_program_parameter(program, CLIPC_ROLE_MATRIX, clipc_shape_2(3 * width, width),
                                "%s.attn.in_proj_weight", block),
        clipc_program_parameter(program, CLIPC_ROLE_VALUES, clipc_shape_1(3 * width),
                                "%s.attn.in_proj_bias", block),
        CLIPC_NO_VALUE, CLIPC_POINTWISE_NONE);
    if (read) {
        query = pick(program, read, qkv);
        x = pick(program, read, x);
        asked.queries = 1;
    }
    y = clipc_op_attention(program, (clipc_columns){query, 0}, (clipc_columns){qkv, width},
                           (clipc_columns){qkv, 2 * width}, width, config->heads, causal && !read,
                           &asked);
    return linear(program, width, width, block, "attn.out_proj", y, x, CLIPC_POINTWISE_NONE);
}

/* x + c_proj(gelu(c_fc(ln_2(x)))) */
static clipc_value mlp_half(clipc_program *program, const clipc_transformer_config *config,
                            clipc_pointwise gelu, const char *block, clipc_value x)
{
    char name[96];
    clipc_value y;

    snprintf(name, sizeof(name), "%s.ln_2", block);
    y = clipc_record_layernorm(program, config->width, name, x);
    y = linear(program, config->mlp_width, config->width, block, "mlp.c_fc", y, CLIPC_NO_VALUE,
               gelu);
    return linear(program, config->width, config->mlp_width, block, "mlp.c_proj", y, x,
                  CLIPC_POINTWISE_NONE);
}

clipc_value clipc_record_transformer(clipc_program *program, const clipc_transformer_config *config,
                                     clipc_activation activation, bool causal,
                                     const clipc_sequences *sequences, const clipc_rows_read *read,
                                     const char *prefix, clipc_value x)
{
    const clipc_pointwise gelu =
        activation == CLIPC_ACTIVATION_QUICKGELU ? CLIPC_POINTWISE_QUICKGELU : CLIPC_POINTWISE_GELU;
    char block[64];

    for (size_t i = 0; i < config->layers; i++) {
        snprintf(block, sizeof(block), "%stransformer.resblocks.%zu", prefix, i);
        x = attention_half(program, config, causal, sequences,
                           i + 1 == config->layers ? read : NULL, block, x);
        x = mlp_half(program, config, gelu, block, x);
        clipc_program_name(program, x, "%s", block);
    }
    return x;
}
