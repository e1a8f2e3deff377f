/* SPDX-License-Identifier: MIT */
/* Shape rules: what each op refuses while recording, by a message that names the op. */
#include "ops/op_test.h"

/* Values and parameters to record with, in a program under construction. */
typedef struct operands {
    op_fixture fixture;
    clipc_program *program;
    clipc_value ids, places;    /* [4], [3] */
    clipc_value rows;           /* [6][8] */
    clipc_value other_rows;     /* [5][8] */
    clipc_value map;            /* [2][5][5][3] */
    clipc_value pictures, wide; /* [2][3][8][8], [2][3][8][9] */
    clipc_parameter_id v7, v8, v10, matrix, table, filter, positions;
} operands;

static clipc_value bind(operands *o, uint32_t slot, clipc_shape shape)
{
    return clipc_program_bind(o->program, slot, &shape);
}

static clipc_parameter_id values(operands *o, clipc_shape shape)
{
    return fixture_parameter(&o->fixture, CLIPC_ROLE_VALUES, shape);
}

static clipc_parameter_id patch_weight(operands *o, clipc_shape shape)
{
    return fixture_parameter(&o->fixture, CLIPC_ROLE_PATCH, shape);
}

static void open_operands(operands *o)
{
    fixture_open(&o->fixture, 1);
    o->program = &o->fixture.program;
    o->ids = bind(o, 0, clipc_shape_1(4));
    o->places = bind(o, 1, clipc_shape_1(3));
    o->rows = bind(o, 2, clipc_shape_2(6, 8));
    o->other_rows = bind(o, 3, clipc_shape_2(5, 8));
    o->map = bind(o, 4, clipc_shape_4(2, 5, 5, 3));
    o->pictures = bind(o, 5, clipc_shape_4(2, 3, 8, 8));
    o->wide = bind(o, 6, clipc_shape_4(2, 3, 8, 9));
    o->v7 = values(o, clipc_shape_1(7));
    o->v8 = values(o, clipc_shape_1(8));
    o->v10 = values(o, clipc_shape_1(10));
    o->matrix = fixture_parameter(&o->fixture, CLIPC_ROLE_MATRIX, clipc_shape_2(10, 8));
    o->table = fixture_parameter(&o->fixture, CLIPC_ROLE_TABLE, clipc_shape_2(9, 8));
    o->filter = patch_weight(o, clipc_shape_4(10, 3, 4, 4));
    o->positions = values(o, clipc_shape_2(5, 10));
}

typedef clipc_value (*record_fn)(operands *o);

/* Recording gives no value, planning fails, and the message is this one. */
static void refused(record_fn record, const char *message)
{
    operands o;
    clipc_error error = {.code = CLIPC_OK};

    open_operands(&o);
    assert_int_equal(record(&o), CLIPC_NO_VALUE);
    if (clipc_program_plan(o.program, clipc_kernels_choose(), &error) == CLIPC_OK)
        fail_msg("was accepted: %s", message);
    assert_string_equal(error.message, message);
    fixture_close(&o.fixture);
}

static void accepted(record_fn record)
{
    operands o;
    clipc_error error = {.code = CLIPC_OK};

    open_operands(&o);
    assert_int_not_equal(record(&o), CLIPC_NO_VALUE);
    if (clipc_program_plan(o.program, clipc_kernels_choose(), &error) != CLIPC_OK)
        fail_msg("%s", error.message);
    fixture_close(&o.fixture);
}

/* --- layernorm, linear --- */

static clipc_value layernorm(operands *o)
{
    return clipc_op_layernorm(o->program, o->rows, o->v8, o->v8);
}

static clipc_value layernorm_gain(operands *o)
{
    return clipc_op_layernorm(o->program, o->rows, o->v7, o->v8);
}

static clipc_value layernorm_bias(operands *o)
{
    return clipc_op_layernorm(o->program, o->rows, o->v8, CLIPC_NO_PARAMETER);
}

static clipc_value layernorm_rank(operands *o)
{
    return clipc_op_layernorm(o->program, o->map, o->v8, o->v8);
}

static clipc_value layernorm_nothing(operands *o)
{
    return clipc_op_layernorm(o->program, 1000, o->v8, o->v8);
}

static clipc_value linear(operands *o)
{
    return clipc_op_linear(o->program, o->rows, o->matrix, o->v10, CLIPC_NO_VALUE,
                           CLIPC_POINTWISE_NONE);
}

static clipc_value linear_bias(operands *o)
{
    return clipc_op_linear(o->program, o->rows, o->matrix, o->v8, CLIPC_NO_VALUE,
                           CLIPC_POINTWISE_NONE);
}

static clipc_value linear_residual(operands *o)
{
    return clipc_op_linear(o->program, o->rows, o->matrix, o->v10, o->rows, CLIPC_POINTWISE_NONE);
}

static clipc_value linear_weight(operands *o)
{
    return clipc_op_linear(o->program, o->rows, CLIPC_NO_PARAMETER, o->v10, CLIPC_NO_VALUE,
                           CLIPC_POINTWISE_NONE);
}

static clipc_value linear_role(operands *o)
{
    return clipc_op_linear(o->program, o->rows, o->table, CLIPC_NO_PARAMETER, CLIPC_NO_VALUE,
                           CLIPC_POINTWISE_NONE);
}

static clipc_value linear_vector(operands *o)
{
    return clipc_op_linear(o->program, o->rows, o->v8, o->v10, CLIPC_NO_VALUE,
                           CLIPC_POINTWISE_NONE);
}

static void test_rows(void **state)
{
    (void)state;
    accepted(layernorm);
    refused(layernorm_gain, "layernorm: gain is [7], [8] was expected");
    refused(layernorm_bias, "layernorm: has no bias");
    refused(layernorm_rank, "layernorm: x has 4 dimensions, 2 were expected");
    refused(layernorm_nothing, "layernorm: has no x");
    accepted(linear);
    refused(linear_bias, "linear: bias is [8], [10] was expected");
    refused(linear_residual, "linear: residual is [6,8], [6,10] was expected");
    refused(linear_weight, "linear: has no weight");
    refused(linear_role, "linear: expects a weight declared as a matrix");
    refused(linear_vector, "linear: weight has 1 dimensions, 2 were expected");
}

/* --- attention --- */

static clipc_value attend(operands *o, clipc_value value, size_t first, size_t width,
                          clipc_sequences sequences, bool causal)
{
    return clipc_op_attention(o->program, (clipc_columns){o->rows, 0}, (clipc_columns){o->rows, 2},
                              (clipc_columns){value, first}, width, 2, causal, &sequences);
}

static clipc_value attention(operands *o)
{
    return attend(o, o->rows, 4, 4, (clipc_sequences){.count = 2, .length = 3}, true);
}

static clipc_value attention_columns(operands *o)
{
    return attend(o, o->rows, 5, 4, (clipc_sequences){.count = 2, .length = 3}, true);
}

static clipc_value attention_far(operands *o)
{
    return attend(o, o->rows, SIZE_MAX - 1, 4, (clipc_sequences){.count = 2, .length = 3}, true);
}

static clipc_value attention_values(operands *o)
{
    return attend(o, o->other_rows, 4, 4, (clipc_sequences){.count = 2, .length = 3}, true);
}

static clipc_value attention_length(operands *o)
{
    return attend(o, o->rows, 4, 4, (clipc_sequences){.count = 2, .length = 2}, true);
}

static clipc_value attention_none(operands *o)
{
    return attend(o, o->rows, 4, 4, (clipc_sequences){.count = 0, .length = 3}, true);
}

static clipc_value attention_offsets(operands *o)
{
    return attend(o, o->rows, 4, 4, (clipc_sequences){.count = 2, .offsets = o->ids, .longest = 3},
                  true);
}

static clipc_value attention_longest(operands *o)
{
    return attend(o, o->rows, 4, 4, (clipc_sequences){.count = 2, .offsets = o->ids}, true);
}

static clipc_value attention_queries(operands *o)
{
    return attend(o, o->rows, 4, 4, (clipc_sequences){.count = 2, .length = 3, .queries = 1},
                  false);
}

static clipc_value attention_causal_queries(operands *o)
{
    return attend(o, o->rows, 4, 4, (clipc_sequences){.count = 2, .length = 3, .queries = 3}, true);
}

static void test_attention(void **state)
{
    const char *columns = "attention: expects operands as wide as the columns read";

    (void)state;
    accepted(attention);
    refused(attention_columns, columns);
    refused(attention_far, columns);
    refused(attention_values, "attention: expects a value for each key");
    refused(attention_length, "attention: expects sequences that take up all keys");
    refused(attention_none, "attention: expects a sequence");
    refused(attention_offsets, "attention: offsets is [4], [3] was expected");
    refused(attention_longest, "attention: expects the longest sequence's length");
    refused(attention_queries, "attention: expects sequences that take up all queries");
    refused(attention_causal_queries,
            "attention: expects as many queries as keys under a causal mask");
}

/* --- patch_embed, token_embed, gather --- */

static clipc_value patches(operands *o)
{
    return clipc_op_patch_embed(o->program, o->pictures, o->filter, o->v10, o->positions);
}

static clipc_value patches_wide(operands *o)
{
    return clipc_op_patch_embed(o->program, o->wide, o->filter, o->v10, o->positions);
}

static clipc_value patches_filter(operands *o)
{
    return clipc_op_patch_embed(o->program, o->pictures,
                                patch_weight(o, clipc_shape_4(10, 4, 4, 4)), o->v10, o->positions);
}

static clipc_value patches_large(operands *o)
{
    return clipc_op_patch_embed(o->program, o->pictures,
                                patch_weight(o, clipc_shape_4(10, 3, 9, 9)), o->v10, o->positions);
}

static clipc_value patches_class(operands *o)
{
    return clipc_op_patch_embed(o->program, o->pictures, o->filter, o->v8, o->positions);
}

static clipc_value patches_positions(operands *o)
{
    return clipc_op_patch_embed(o->program, o->pictures, o->filter, o->v10, o->matrix);
}

static clipc_value patches_role(operands *o)
{
    return clipc_op_patch_embed(o->program, o->pictures, values(o, clipc_shape_4(10, 3, 4, 4)),
                                o->v10, o->positions);
}

static clipc_value tokens(operands *o)
{
    return clipc_op_token_embed(o->program, o->ids, o->ids, o->table,
                                values(o, clipc_shape_2(10, 8)));
}

static clipc_value tokens_role(operands *o)
{
    return clipc_op_token_embed(o->program, o->ids, o->ids, o->matrix, o->matrix);
}

static clipc_value tokens_places(operands *o)
{
    return clipc_op_token_embed(o->program, o->ids, o->places, o->table, o->matrix);
}

static clipc_value tokens_widths(operands *o)
{
    return clipc_op_token_embed(o->program, o->ids, o->ids, o->table, o->positions);
}

static clipc_value gather_rank(operands *o)
{
    return clipc_op_gather(o->program, o->rows, o->rows);
}

static clipc_value every_zero(operands *o)
{
    return clipc_op_every(o->program, o->rows, 0);
}

static clipc_value every_five(operands *o)
{
    return clipc_op_every(o->program, o->rows, 5);
}

static void test_embeddings(void **state)
{
    (void)state;
    accepted(patches);
    refused(patches_wide, "patch_embed: expects square pictures of three channels");
    refused(patches_filter, "patch_embed: weight is [10,4,4,4], [10,3,4,4] was expected");
    refused(patches_large, "patch_embed: expects a patch no larger than the picture");
    refused(patches_class, "patch_embed: class embedding is [8], [10] was expected");
    refused(patches_positions, "patch_embed: positions is [10,8], [5,10] was expected");
    refused(patches_role, "patch_embed: expects a weight declared as a patch's");
    accepted(tokens);
    refused(tokens_role, "token_embed: expects a table declared as one");
    refused(tokens_places, "token_embed: places is [3], [4] was expected");
    refused(tokens_widths, "token_embed: expects one width of table and positions");
    refused(gather_rank, "gather: rows has 2 dimensions, 1 were expected");
    refused(every_zero, "gather: expects a step that divides the rows");
    refused(every_five, "gather: expects a step that divides the rows");
}

/* --- Maps --- */

static clipc_parameter_id convolution_weight(operands *o, clipc_shape shape)
{
    return fixture_parameter(&o->fixture, CLIPC_ROLE_CONVOLUTION, shape);
}

static clipc_value convolve(operands *o, clipc_value x, clipc_shape filter, size_t stride,
                            size_t padding)
{
    return clipc_op_conv2d(o->program, x, convolution_weight(o, filter), o->v10, CLIPC_NO_VALUE,
                           &(clipc_convolution){.stride = stride, .padding = padding});
}

static clipc_value conv(operands *o)
{
    return convolve(o, o->map, clipc_shape_4(10, 3, 3, 3), 2, 1);
}

static clipc_value conv_role(operands *o)
{
    return clipc_op_conv2d(o->program, o->map, o->filter, o->v10, CLIPC_NO_VALUE,
                           &(clipc_convolution){.stride = 1, .padding = 1});
}

static clipc_value conv_stride(operands *o)
{
    return convolve(o, o->map, clipc_shape_4(10, 3, 3, 3), 0, 1);
}

static clipc_value conv_square(operands *o)
{
    return convolve(o, o->map, clipc_shape_4(10, 3, 3, 2), 1, 1);
}

static clipc_value conv_padding(operands *o)
{
    return convolve(o, o->map, clipc_shape_4(10, 3, 1, 1), 1, 1);
}

static clipc_value conv_channels(operands *o)
{
    return convolve(o, o->map, clipc_shape_4(10, 4, 3, 3), 1, 1);
}

static clipc_value conv_large(operands *o)
{
    return convolve(o, o->map, clipc_shape_4(10, 3, 6, 6), 1, 0);
}

static clipc_value conv_bias(operands *o)
{
    return convolve(o, o->map, clipc_shape_4(8, 3, 3, 3), 1, 1);
}

static clipc_value conv_residual(operands *o)
{
    return clipc_op_conv2d(o->program, o->map, convolution_weight(o, clipc_shape_4(3, 3, 3, 3)),
                           CLIPC_NO_PARAMETER, o->map,
                           &(clipc_convolution){.stride = 2, .padding = 1});
}

/* rows as the tokens of `queries` pictures. */
static clipc_value pool_attention(operands *o, clipc_value queries, size_t heads,
                                  clipc_parameter_id bias)
{
    const clipc_parameter_id matrix =
        fixture_parameter(&o->fixture, CLIPC_ROLE_MATRIX, clipc_shape_2(8, 8));

    return clipc_op_attention_pool(o->program, o->rows, queries, matrix, matrix, bias, heads);
}

static clipc_value attention_pool(operands *o)
{
    return pool_attention(o, bind(o, 7, clipc_shape_2(3, 8)), 4, o->v8);
}

static clipc_value attention_pool_rows(operands *o)
{
    return pool_attention(o, o->other_rows, 4, o->v8);
}

static clipc_value attention_pool_rank(operands *o)
{
    return pool_attention(o, o->map, 4, o->v8);
}

static clipc_value attention_pool_heads(operands *o)
{
    return pool_attention(o, o->rows, 3, o->v8);
}

static clipc_value attention_pool_bias(operands *o)
{
    return pool_attention(o, o->rows, 4, o->v7);
}

static clipc_value attention_pool_key(operands *o)
{
    return clipc_op_attention_pool(o->program, o->rows, o->rows, o->matrix, o->matrix, o->v8, 4);
}

static clipc_value pool_zero(operands *o)
{
    return clipc_op_avgpool(o->program, o->map, 0);
}

static clipc_value pool_large(operands *o)
{
    return clipc_op_avgpool(o->program, o->map, 6);
}

static clipc_value pool_rank(operands *o)
{
    return clipc_op_avgpool(o->program, o->rows, 2);
}

static clipc_value pool_tokens_positions(operands *o)
{
    return clipc_op_pool_tokens(o->program, o->map, o->positions);
}

static clipc_value channels_last_rank(operands *o)
{
    return clipc_op_channels_last(o->program, o->rows);
}

static void test_maps(void **state)
{
    (void)state;
    accepted(conv);
    refused(conv_role, "conv2d: expects a weight declared as a convolution's");
    refused(conv_stride, "conv2d: expects a stride of at least 1");
    refused(conv_square, "conv2d: expects a square kernel larger than the padding");
    refused(conv_padding, "conv2d: expects a square kernel larger than the padding");
    refused(conv_channels, "parameter7: takes 4 channels, 3 come in");
    refused(conv_large, "program: a tensor is empty or too large");
    refused(conv_bias, "conv2d: bias is [10], [8] was expected");
    refused(conv_residual, "conv2d: residual is [2,5,5,3], [2,3,3,3] was expected");
    accepted(attention_pool);
    refused(attention_pool_rows,
            "attention_pool: expects a query for so many tokens each, of their width");
    refused(attention_pool_rank, "attention_pool: query has 4 dimensions, 2 were expected");
    refused(attention_pool_heads, "attention_pool: expects a width that divides into heads");
    refused(attention_pool_bias, "attention_pool: value's bias is [7], [8] was expected");
    refused(attention_pool_key, "attention_pool: key is [10,8], [8,8] was expected");
    refused(pool_zero, "avgpool: expects a step of at least 1");
    refused(pool_large, "program: a tensor is empty or too large");
    refused(pool_rank, "avgpool: x has 2 dimensions, 4 were expected");
    refused(pool_tokens_positions, "pool_tokens: positions is [5,10], [26,3] was expected");
    refused(channels_last_rank, "channels_last: x has 2 dimensions, 4 were expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_embeddings),
        cmocka_unit_test(test_maps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
