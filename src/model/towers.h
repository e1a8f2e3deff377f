/* SPDX-License-Identifier: MIT */
/*
 * The towers, recorded as programs: each function reads like the model's definition in its paper.
 * The first recording declares the parameters, so the towers are also the list of a model's
 * weights.
 */
#ifndef CLIPC_MODEL_TOWERS_H
#define CLIPC_MODEL_TOWERS_H

#include "compute/ops/ops.h"
#include "model/config.h"

/* pixels: [n][3][S][S] -> image embeddings [n][embed_dim], not normalised */
clipc_value clipc_record_image_tower(clipc_program *program, const clipc_config *config,
                                     clipc_value pixels);
clipc_value clipc_record_vit(clipc_program *program, const clipc_config *config,
                             clipc_value pixels);
clipc_value clipc_record_resnet(clipc_program *program, const clipc_config *config,
                                clipc_value pixels);

/*
 * The bound inputs of the text tower: texts without padding, and what several of them begin with
 * once. Each text adds the rows of its own tokens; all its rows, shared ones first, are listed.
 */
typedef struct clipc_packed_texts {
    size_t count;              /* texts */
    clipc_value ids;           /* uint32 [tokens] */
    clipc_value places;        /* uint32 [tokens]: each token's position in its text */
    clipc_value offsets;       /* uint32 [count + 1]: where each text's own tokens begin */
    clipc_value token_rows;    /* uint32 [...]: of each text, the rows of all its tokens */
    clipc_value token_offsets; /* uint32 [count + 1]: where each text's list begins */
    clipc_value ends;          /* uint32 [count]: the row of each text's end token */
} clipc_packed_texts;

/* -> text embeddings [count][embed_dim], not normalised */
clipc_value clipc_record_text_tower(clipc_program *program, const clipc_config *config,
                                    const clipc_packed_texts *texts);

/* The one row of each sequence that is read of a Transformer's result: the last under a mask. */
typedef struct clipc_rows_read {
    size_t step;      /* rows 0, step, 2 step, ...; or 0: */
    clipc_value rows; /* uint32 [sequences], bound */
} clipc_rows_read;

/*
 * The residual blocks that both Transformers are made of; names are "<prefix>transformer...". x:
 * [rows][width] -> [sequences][width], the rows read: in the last block the others are keys and
 * values only.
 */
clipc_value clipc_record_transformer(clipc_program *program, const clipc_transformer_config *config,
                                     clipc_activation activation, bool causal,
                                     const clipc_sequences *sequences, const clipc_rows_read *read,
                                     const char *prefix, clipc_value x);

/* LayerNorm with parameters "<name>.weight" and "<name>.bias". */
clipc_value clipc_record_layernorm(clipc_program *program, size_t width, const char *name,
                                   clipc_value x);

#endif
