/* SPDX-License-Identifier: MIT */
/* The costs that ops state, against sums made by hand: every op, every kind of sequences. */
#include "ops/op_test.h"

/* *cost = that of the node recorded last, with these bindings. */
static void last_cost(const op_fixture *fixture, void *const *bindings, size_t count,
                      clipc_cost *cost)
{
    const clipc_program *program = &fixture->program;
    const clipc_node *node = &program->nodes[program->node_count - 1];
    clipc_run run = {.program = program, .kernels = clipc_kernels_choose()};

    assert_int_equal(program->status, CLIPC_OK);
    for (size_t i = 0; i < count; i++)
        run.bindings[i] = bindings[i];
    *cost = node->op->cost(&run, node);
}

/* Fails unless the node recorded last costs this; bytes without those of packed weights. */
static void check(const op_fixture *fixture, const char *what, double flops, double bytes,
                  size_t depth)
{
    clipc_cost cost;

    last_cost(fixture, NULL, 0, &cost);
    if (cost.flops != flops || cost.bytes != bytes || cost.depth != depth)
        fail_msg("%s: %g flops, %g bytes, depth %zu; expected %g, %g, %zu", what, cost.flops,
                 cost.bytes, cost.depth, flops, bytes, depth);
}

static clipc_value bind(op_fixture *fixture, clipc_shape shape)
{
    return clipc_program_bind(&fixture->program, 0, &shape);
}

static double packed_bytes(const op_fixture *fixture, size_t out, size_t in)
{
    size_t bytes;

    assert_true(clipc_packed_bytes(fixture->parameters.kernels.matrix, out, in, &bytes));
    assert_true(bytes > 0);
    return (double)bytes;
}

static void test_products(void **state)
{
    op_fixture fixture;
    clipc_parameter_id filters;
    clipc_value x;

    (void)state;
    fixture_open(&fixture, 1);
    x = bind(&fixture, clipc_shape_2(5, 12));
    clipc_op_linear(&fixture.program, x,
                    fixture_parameter(&fixture, CLIPC_ROLE_MATRIX, clipc_shape_2(7, 12)),
                    fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(7)),
                    bind(&fixture, clipc_shape_2(5, 7)), CLIPC_POINTWISE_RELU);
    check(&fixture, "linear", 2 * 5 * 7 * 12,
          4 * (5 * 12 + 7 + 2 * 5 * 7) + packed_bytes(&fixture, 7, 12), 12);
    clipc_op_linear(
        &fixture.program, x,
        fixture_parameter(&fixture, CLIPC_ROLE_MATRIX_TRANSPOSED, clipc_shape_2(12, 70)),
        CLIPC_NO_PARAMETER, CLIPC_NO_VALUE, CLIPC_POINTWISE_NONE);
    check(&fixture, "linear, transposed", 2 * 5 * 70 * 12,
          4 * (5 * 12 + 5 * 70) + packed_bytes(&fixture, 70, 12), 12);
    clipc_op_conv2d(&fixture.program, bind(&fixture, clipc_shape_4(2, 9, 7, 4)),
                    fixture_parameter(&fixture, CLIPC_ROLE_CONVOLUTION, clipc_shape_4(6, 4, 3, 3)),
                    CLIPC_NO_PARAMETER, CLIPC_NO_VALUE,
                    &(clipc_convolution){.stride = 2, .padding = 1});
    check(&fixture, "conv2d", 2.0 * (2 * 5 * 4) * 6 * 36,
          4 * (2 * 9 * 7 * 4 + 2 * 5 * 4 * 6) + packed_bytes(&fixture, 6, 36), 36);
    /* what the convolution takes by its definition, whose places are pooled; the memory it needs */
    filters = fixture_parameter(&fixture, CLIPC_ROLE_CONVOLUTION, clipc_shape_4(6, 4, 3, 3));
    clipc_program_transform_filters(&fixture.program, filters);
    clipc_op_conv2d(&fixture.program, bind(&fixture, clipc_shape_4(2, 9, 7, 4)), filters,
                    CLIPC_NO_PARAMETER, CLIPC_NO_VALUE,
                    &(clipc_convolution){.stride = 1, .padding = 1, .pool = 2});
    check(&fixture, "winograd", 2.0 * (2 * 9 * 7) * 6 * 36,
          4 * (2 * 9 * 7 * 4 + 2 * 4 * 3 * 6) + 36 * packed_bytes(&fixture, 6, 4), 36);
    /* three pictures of five tokens: two heads' queries to the tokens, their means back */
    clipc_op_attention_pool(
        &fixture.program, bind(&fixture, clipc_shape_2(15, 8)), bind(&fixture, clipc_shape_2(3, 8)),
        fixture_parameter(&fixture, CLIPC_ROLE_MATRIX_TRANSPOSED, clipc_shape_2(8, 8)),
        fixture_parameter(&fixture, CLIPC_ROLE_MATRIX, clipc_shape_2(8, 8)),
        fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(8)), 2);
    check(&fixture, "attention_pool", 2 * (2 * 3 * 8 * 8) + 2 * (2 * 3 * 5 * 2 * 8),
          4 * (15 * 8 + 2 * 3 * 8 + 8) + 2 * packed_bytes(&fixture, 8, 8), 8);
    /* two pictures of three by three squares, and a token before each nine */
    clipc_op_patch_embed(&fixture.program, bind(&fixture, clipc_shape_4(2, 3, 12, 12)),
                         fixture_parameter(&fixture, CLIPC_ROLE_PATCH, clipc_shape_4(8, 3, 4, 4)),
                         fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(8)),
                         fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_2(10, 8)));
    check(&fixture, "patch_embed", 2 * 18 * 8 * 48 + 20 * 8,
          4 * (2 * 3 * 12 * 12 + 8 + 10 * 8 + 20 * 8) + packed_bytes(&fixture, 8, 48), 48);
    fixture_close(&fixture);
}

static void test_the_other_ops(void **state)
{
    op_fixture fixture;
    clipc_parameter_id table, positions;
    clipc_value rows, map, ids;

    (void)state;
    fixture_open(&fixture, 2);
    rows = bind(&fixture, clipc_shape_2(6, 10));
    map = bind(&fixture, clipc_shape_4(2, 5, 4, 3));
    ids = bind(&fixture, clipc_shape_1(4));
    clipc_op_layernorm(&fixture.program, rows,
                       fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(10)),
                       fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(10)));
    check(&fixture, "layernorm", 8 * 60, 4 * (60 + 60 + 20), 0);
    clipc_op_gather(&fixture.program, rows, ids);
    check(&fixture, "gather", 0, 4 * (40 + 40 + 4), 0);
    clipc_op_every(&fixture.program, rows, 3);
    check(&fixture, "every", 0, 4 * (20 + 20), 0);
    clipc_op_channels_last(&fixture.program, map);
    check(&fixture, "channels_last", 0, 4 * (120 + 120), 0);
    clipc_op_avgpool(&fixture.program, map, 2);
    check(&fixture, "avgpool", 4 * (2 * 2 * 2 * 3), 4 * (120 + 24), 0);
    clipc_op_pool_tokens(&fixture.program, map,
                         fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_2(21, 3)));
    check(&fixture, "pool_tokens", 2 * (2 * 21 * 3), 4 * (120 + 2 * 21 * 3 + 21 * 3), 0);

    table = fixture_parameter(&fixture, CLIPC_ROLE_TABLE, clipc_shape_2(100, 8));
    positions = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_2(77, 8));
    clipc_op_token_embed(&fixture.program, ids, ids, table, positions);
    check(&fixture, "token_embed", 32, 4 * (3 * 32 + 2 * 4), 0);
    fixture.parameters.items[table].form = CLIPC_FORM_HALF;
    check(&fixture, "token_embed, half", 32, 2 * 32 + 4 * (2 * 32 + 2 * 4), 0);
    fixture_close(&fixture);
}

/* Sequences of one length, all queries or the first of each. */
static void test_attention_of_one_length(void **state)
{
    const clipc_sequences every = {.count = 3, .length = 5};
    const clipc_sequences first = {.count = 3, .length = 5, .queries = 1};
    op_fixture fixture;
    clipc_value qkv, query;

    (void)state;
    fixture_open(&fixture, 3);
    qkv = bind(&fixture, clipc_shape_2(15, 24));
    query = bind(&fixture, clipc_shape_2(3, 8));
    clipc_op_attention(&fixture.program, (clipc_columns){qkv, 0}, (clipc_columns){qkv, 8},
                       (clipc_columns){qkv, 16}, 8, 2, false, &every);
    check(&fixture, "attention", 4 * (3 * 25) * 8, 4 * (4 * 15 * 8), 0);
    clipc_op_attention(&fixture.program, (clipc_columns){qkv, 0}, (clipc_columns){qkv, 8},
                       (clipc_columns){qkv, 16}, 8, 2, true, &every);
    check(&fixture, "causal attention", 4 * (3 * 15) * 8, 4 * (4 * 15 * 8), 0);
    clipc_op_attention(&fixture.program, (clipc_columns){query, 0}, (clipc_columns){qkv, 8},
                       (clipc_columns){qkv, 16}, 8, 2, false, &first);
    check(&fixture, "attention of one query", 4 * 15 * 8, 4 * (2 * 3 + 2 * 15) * 8, 0);
    fixture_close(&fixture);
}

/* Texts of 3 and 4 tokens that share the first 2, and a second copy of the longer. */
static void test_attention_of_listed_sequences(void **state)
{
    static const uint32_t offsets[] = {0, 3, 5, 5}, key_offsets[] = {0, 3, 7, 11};
    static const uint32_t key_rows[] = {0, 1, 2, 0, 1, 3, 4, 0, 1, 3, 4};
    const clipc_shape rows = clipc_shape_2(5, 24), bounds = clipc_shape_1(4);
    const clipc_shape listed = clipc_shape_1(11);
    clipc_sequences sequences = {.count = 3, .longest = 4, .is_listed = true};
    op_fixture fixture;
    clipc_cost cost;
    clipc_value qkv;

    (void)state;
    fixture_open(&fixture, 4);
    qkv = clipc_program_bind(&fixture.program, 0, &rows);
    sequences.offsets = clipc_program_bind(&fixture.program, 1, &bounds);
    sequences.key_rows = clipc_program_bind(&fixture.program, 2, &listed);
    sequences.key_offsets = clipc_program_bind(&fixture.program, 3, &bounds);
    clipc_op_attention(&fixture.program, (clipc_columns){qkv, 0}, (clipc_columns){qkv, 8},
                       (clipc_columns){qkv, 16}, 8, 2, true, &sequences);
    last_cost(&fixture,
              (void *[]){NULL, (void *)(uintptr_t)offsets, (void *)(uintptr_t)key_rows,
                         (void *)(uintptr_t)key_offsets},
              4, &cost);
    /* the first's queries see 1, 2, 3 keys, the second's own see 3 and 4; the third has none */
    assert_true(cost.flops == 4 * (1 + 2 + 3 + 3 + 4) * 8);
    assert_true(cost.bytes == 4 * ((2 * 3 + 2 * 3 + 2 * 2 + 2 * 4) * 8 + 4 + 11 + 4));
    assert_int_equal(cost.depth, 0);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_the_other_ops),
        cmocka_unit_test(test_attention_of_one_length),
        cmocka_unit_test(test_attention_of_listed_sequences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
