/* SPDX-License-Identifier: MIT */
/*
 * Every op that a tower can be recorded with: one function an op, which checks shapes, appends the
 * node and returns its output. Each op's file holds its shape rule and its forward.
 *
 * Activations are rows: [tokens][width] for transformers, [n][height][width][channels] (channels
 * last) for convolutions. All are float32.
 */
#ifndef CLIPC_COMPUTE_OPS_OPS_H
#define CLIPC_COMPUTE_OPS_OPS_H

#include "compute/program.h"

/*
 * Pictures to tokens, as ViT: each patch x patch square of pixels: [n][3][S][S] through the weight
 * (PATCH, [width][3][patch][patch]), class_embedding ([width]) put before them, positions
 * ([1 + grid^2][width]) added. -> [n * (1 + grid^2)][width]
 */
clipc_value clipc_op_patch_embed(clipc_program *program, clipc_value pixels,
                                 clipc_parameter_id weight, clipc_parameter_id class_embedding,
                                 clipc_parameter_id positions);

/*
 * Ids to tokens: table (TABLE, [vocab][width]) row ids[t] plus positions ([context][width]) row
 * places[t]. ids, places: uint32 [tokens], bound. -> [tokens][width]
 */
clipc_value clipc_op_token_embed(clipc_program *program, clipc_value ids, clipc_value places,
                                 clipc_parameter_id table, clipc_parameter_id positions);

/* Each row to mean 0 and variance 1, times gain plus bias ([width]); epsilon 1e-5. Same shape. */
clipc_value clipc_op_layernorm(clipc_program *program, clipc_value x, clipc_parameter_id gain,
                               clipc_parameter_id bias);

/*
 * pointwise(x * weight^T + bias + residual). x: [rows][in], weight: MATRIX [out][in] or
 * MATRIX_TRANSPOSED [in][out]; bias ([out]) may be CLIPC_NO_PARAMETER, residual ([rows][out])
 * CLIPC_NO_VALUE. -> [rows][out]
 */
clipc_value clipc_op_linear(clipc_program *program, clipc_value x, clipc_parameter_id weight,
                            clipc_parameter_id bias, clipc_value residual,
                            clipc_pointwise pointwise);

/* Columns [first, first + width) of a value, as attention reads its queries, keys and values. */
typedef struct clipc_columns {
    clipc_value value;
    size_t first;
} clipc_columns;

/*
 * How the rows of attention's operands divide into sequences. Either all are `length` rows long, or
 * (length 0) sequence s is rows offsets[s] .. offsets[s + 1] - 1, of queries and of keys. With
 * is_listed these are its queries alone, of which there may be none, and its keys are the rows
 * key_rows[key_offsets[s]] .. key_rows[key_offsets[s + 1] - 1], of which the last belong to its
 * queries: so texts that begin alike share the rows of their beginning.
 */
typedef struct clipc_sequences {
    size_t count;
    size_t length;           /* keys of each sequence when all are alike; else 0 */
    size_t queries;          /* query rows of each sequence, in order; 0: as described above */
    clipc_value offsets;     /* length 0: uint32 [count + 1], bound */
    size_t longest;          /* length 0: no sequence has more keys */
    bool is_listed;          /* length 0 */
    clipc_value key_rows;    /* is_listed: uint32 [at least key_offsets[count]], bound */
    clipc_value key_offsets; /* is_listed: uint32 [count + 1], bound */
} clipc_sequences;

/*
 * Multi-head scaled dot-product attention within each sequence; head h reads columns
 * [h * width / heads, ...). With causal, a sequence's last query sees all its keys, the one before
 * it all but the last, and so on. -> [query rows][width]
 */
clipc_value clipc_op_attention(clipc_program *program, clipc_columns query, clipc_columns key,
                               clipc_columns value, size_t width, size_t heads, bool causal,
                               const clipc_sequences *sequences);

/*
 * Attention of one query a picture to all of its tokens, projections of keys and values included:
 * tokens: [n * t][width], query: [n][width]; key: MATRIX_TRANSPOSED [width][width], whose bias
 * would change nothing; value: MATRIX [width][width], value_bias: [width]. -> [n][width]
 */
clipc_value clipc_op_attention_pool(clipc_program *program, clipc_value tokens, clipc_value query,
                                    clipc_parameter_id key, clipc_parameter_id value,
                                    clipc_parameter_id value_bias, size_t heads);

/* Rows of x: [rows][width]: those that `rows` (uint32 [m], bound) lists. -> [m][width] */
clipc_value clipc_op_gather(clipc_program *program, clipc_value x, clipc_value rows);

/* Rows 0, step, 2 step, ... of x. -> [rows / step][width] */
clipc_value clipc_op_every(clipc_program *program, clipc_value x, size_t step);

/* [n][channels][h][w] to channels last: [n][h][w][channels]. */
clipc_value clipc_op_channels_last(clipc_program *program, clipc_value x);

typedef struct clipc_convolution {
    size_t stride, padding; /* zeros on each side */
    clipc_pointwise pointwise;
    size_t pool; /* above 1: then the mean of each pool x pool square */
} clipc_convolution;

/*
 * pointwise(convolution + bias + residual), pooled. x: [n][h][w][in], weight: CONVOLUTION
 * [out][in][k][k]; bias and residual as for linear.
 * -> [n][((h + 2 padding - k) / stride + 1) / pool][...][out]
 */
clipc_value clipc_op_conv2d(clipc_program *program, clipc_value x, clipc_parameter_id weight,
                            clipc_parameter_id bias, clipc_value residual,
                            const clipc_convolution *convolution);

/* The mean of each step x step square. x: [n][h][w][c] -> [n][h / step][w / step][c] */
clipc_value clipc_op_avgpool(clipc_program *program, clipc_value x, size_t step);

/*
 * A map to tokens for attention pooling: the mean of all places put before them, positions
 * ([1 + h * w][c]) added. x: [n][h][w][c] -> [n * (1 + h * w)][c]
 */
clipc_value clipc_op_pool_tokens(clipc_program *program, clipc_value x,
                                 clipc_parameter_id positions);

#endif
