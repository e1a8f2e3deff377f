/* SPDX-License-Identifier: MIT */
/*
 * The text tower of CLIP (Radford et al. 2021, arXiv:2103.00020, section 2.4): a causal Transformer
 * read at the end token. Being causal, nothing after that token can matter, so texts come packed
 * without it; and a token's features depend on those before it alone, so what texts begin with in
 * common is there once.
 */
#include "model/towers.h"

clipc_value clipc_record_text_tower(clipc_program *program, const clipc_config *config,
                                    const clipc_packed_texts *texts)
{
    const size_t width = config->text.width;
    const clipc_sequences sequences = {.count = texts->count,
                                       .offsets = texts->offsets,
                                       .longest = config->context_length,
                                       .is_listed = true,
                                       .key_rows = texts->token_rows,
                                       .key_offsets = texts->token_offsets};
    const clipc_rows_read end_tokens = {.rows = texts->ends};
    clipc_value x;

    x = clipc_op_token_embed(program, texts->ids, texts->places,
                             clipc_program_parameter(program, CLIPC_ROLE_TABLE,
                                                     clipc_shape_2(config->vocab_size, width),
                                                     "token_embedding.weight"),
                             clipc_program_parameter(program, CLIPC_ROLE_VALUES,
                                                     clipc_shape_2(config->context_length, width),
                                                     "positional_embedding"));
    clipc_program_name(program, x, "embedding");
    x = clipc_record_transformer(program, &config->text, config->activation, true, &sequences,
                                 &end_tokens, "", x);
    x = clipc_record_layernorm(program, width, "ln_final", x);
    clipc_program_name(program, x, "ln_final");
    return clipc_op_linear(program, x,
                           clipc_program_parameter(program, CLIPC_ROLE_MATRIX_TRANSPOSED,
                                                   clipc_shape_2(width, config->embed_dim),
                                                   "text_projection"),
                           CLIPC_NO_PARAMETER, CLIPC_NO_VALUE, CLIPC_POINTWISE_NONE);
}
