/* SPDX-License-Identifier: MIT */
/* attention, layernorm, token_embed and gather against the definitions, in double. */
#include "ops/op_test.h"

#include "base/float_formats.h"

/* One query's output column `column`, by the definition. */
static double attend(const float *q, const float *k, const float *v, size_t stride, size_t keys,
                     size_t head_size, size_t column)
{
    double scores[64], max = -INFINITY, sum = 0.0, out = 0.0;

    for (size_t i = 0; i < keys; i++) {
        scores[i] = 0.0;
        for (size_t j = 0; j < head_size; j++)
            scores[i] += (double)q[j] * (double)k[i * stride + j];
        scores[i] /= sqrt((double)head_size);
        max = scores[i] > max ? scores[i] : max;
    }
    for (size_t i = 0; i < keys; i++)
        sum += exp(scores[i] - max);
    for (size_t i = 0; i < keys; i++)
        out += exp(scores[i] - max) / sum * (double)v[i * stride + column];
    return out;
}

/* Sequences of 1, 5, 3 and 33 tokens, packed; width 12 in 3 heads. */
static void check_packed(bool causal)
{
    enum { TOKENS = 42, WIDTH = 12, HEADS = 3, SIZE = WIDTH / HEADS, COUNT = 4 };
    static const uint32_t offsets[COUNT + 1] = {0, 1, 6, 9, TOKENS};
    const clipc_shape qkv_shape = clipc_shape_2(TOKENS, 3 * WIDTH);
    const clipc_shape bounds = clipc_shape_1(COUNT + 1);
    float *qkv, y[TOKENS * WIDTH];
    double wanted[TOKENS * WIDTH];
    op_fixture fixture;
    clipc_value x;
    clipc_sequences sequences = {.count = COUNT, .longest = 33};

    fixture_open(&fixture, 11);
    qkv = random_values(&fixture.random, TOKENS * 3 * WIDTH);
    x = clipc_program_bind(&fixture.program, 0, &qkv_shape);
    sequences.offsets = clipc_program_bind(&fixture.program, 1, &bounds);
    x = clipc_op_attention(&fixture.program, (clipc_columns){x, 0}, (clipc_columns){x, WIDTH},
                           (clipc_columns){x, 2 * WIDTH}, WIDTH, HEADS, causal, &sequences);
    clipc_program_output(&fixture.program, x, 2);
    fixture_run(&fixture, 3, (void *[]){qkv, (void *)(uintptr_t)offsets, y}, 3);
    for (size_t s = 0; s < COUNT; s++)
        for (size_t i = offsets[s]; i < offsets[s + 1]; i++)
            for (size_t c = 0; c < WIDTH; c++) {
                const size_t head = c / SIZE * SIZE;
                const float *first = qkv + offsets[s] * 3 * WIDTH + head;

                wanted[i * WIDTH + c] =
                    attend(qkv + i * 3 * WIDTH + head, first + WIDTH, first + 2 * WIDTH, 3 * WIDTH,
                           (causal ? i + 1 : offsets[s + 1]) - offsets[s], SIZE, c - head);
            }
    assert_close(y, wanted, TOKENS * WIDTH, 1e-5, causal ? "causal attention" : "attention");
    fixture_close(&fixture);
    free(qkv);
}

static void test_packed_attention(void **state)
{
    (void)state;
    check_packed(false);
    check_packed(true);
}

/*
 * Three texts as a trie: "a b c", "a b d e" and "a b d e" again, of rows {0 1 2}, {0 1 3 4} and the
 * same; each row of its own is a query. The same bits as each text alone.
 */
static void test_listed_attention(void **state)
{
    enum { ROWS = 5, WIDTH = 20, HEADS = 2, COUNT = 3 };
    static const uint32_t offsets[COUNT + 1] = {0, 3, 5, 5};
    static const uint32_t key_rows[] = {0, 1, 2, 0, 1, 3, 4, 0, 1, 3, 4};
    static const uint32_t key_offsets[COUNT + 1] = {0, 3, 7, 11};
    static const uint32_t path[] = {0, 1, 3, 4}; /* the second text */
    const clipc_shape bounds = clipc_shape_1(COUNT + 1), listed = clipc_shape_1(11);
    float shared[ROWS * WIDTH] = {0}, alone[4 * WIDTH] = {0}, *qkv, text[4 * 3 * WIDTH];
    random_state random = {12};

    (void)state;
    qkv = random_values(&random, ROWS * 3 * WIDTH);
    for (size_t i = 0; i < 4; i++)
        memcpy(text + i * 3 * WIDTH, qkv + path[i] * 3 * WIDTH, 3 * WIDTH * sizeof(float));
    for (int is_listed = 0; is_listed < 2; is_listed++) {
        const clipc_shape rows = clipc_shape_2(is_listed ? ROWS : 4, 3 * WIDTH);
        clipc_sequences sequences = {.count = is_listed ? COUNT : 1,
                                     .length = is_listed ? 0 : 4,
                                     .longest = 4,
                                     .is_listed = is_listed};
        op_fixture fixture;
        clipc_value x;

        fixture_open(&fixture, 1);
        x = clipc_program_bind(&fixture.program, 0, &rows);
        sequences.offsets = clipc_program_bind(&fixture.program, 1, &bounds);
        sequences.key_rows = clipc_program_bind(&fixture.program, 2, &listed);
        sequences.key_offsets = clipc_program_bind(&fixture.program, 3, &bounds);
        x = clipc_op_attention(&fixture.program, (clipc_columns){x, 0}, (clipc_columns){x, WIDTH},
                               (clipc_columns){x, 2 * WIDTH}, WIDTH, HEADS, true, &sequences);
        clipc_program_output(&fixture.program, x, 4);
        fixture_run(&fixture, 2,
                    (void *[]){is_listed ? qkv : text, (void *)(uintptr_t)offsets,
                               (void *)(uintptr_t)key_rows, (void *)(uintptr_t)key_offsets,
                               is_listed ? shared : alone},
                    5);
        fixture_close(&fixture);
    }
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(shared + path[i] * WIDTH, alone + i * WIDTH, WIDTH * sizeof(float));
    free(qkv);
}

/* One query a sequence, as attention pooling asks. */
static void test_pooling_attention(void **state)
{
    enum { COUNT = 3, LENGTH = 7, WIDTH = 8, HEADS = 2, SIZE = WIDTH / HEADS };
    const clipc_shape q_shape = clipc_shape_2(COUNT, WIDTH);
    const clipc_shape kv_shape = clipc_shape_2(COUNT * LENGTH, WIDTH);
    const clipc_sequences sequences = {.count = COUNT, .length = LENGTH, .queries = 1};
    float *q, *k, *v, y[COUNT * WIDTH];
    double wanted[COUNT * WIDTH];
    op_fixture fixture;
    clipc_value x;

    (void)state;
    fixture_open(&fixture, 12);
    q = random_values(&fixture.random, COUNT * WIDTH);
    k = random_values(&fixture.random, COUNT * LENGTH * WIDTH);
    v = random_values(&fixture.random, COUNT * LENGTH * WIDTH);
    x = clipc_op_attention(&fixture.program,
                           (clipc_columns){clipc_program_bind(&fixture.program, 0, &q_shape), 0},
                           (clipc_columns){clipc_program_bind(&fixture.program, 1, &kv_shape), 0},
                           (clipc_columns){clipc_program_bind(&fixture.program, 2, &kv_shape), 0},
                           WIDTH, HEADS, false, &sequences);
    clipc_program_output(&fixture.program, x, 3);
    fixture_run(&fixture, 2, (void *[]){q, k, v, y}, 4);
    for (size_t at = 0; at < COUNT * WIDTH; at++) {
        const size_t s = at / WIDTH, c = at % WIDTH, head = c / SIZE * SIZE;

        wanted[at] = attend(q + s * WIDTH + head, k + s * LENGTH * WIDTH + head,
                            v + s * LENGTH * WIDTH + head, WIDTH, LENGTH, SIZE, c - head);
    }
    assert_close(y, wanted, COUNT * WIDTH, 1e-5, "pooling attention");
    fixture_close(&fixture);
    free(q);
    free(k);
    free(v);
}

typedef struct dense_case {
    size_t count, length, queries, width, heads;
    bool causal;
    float factor; /* of queries: large ones make scores that overflow exp() */
} dense_case;

/* Sequences of one length; queries, keys and values in matrices of different widths. */
static void check_dense(const dense_case *shape, unsigned workers)
{
    const size_t width = shape->width, size = width / shape->heads;
    const size_t queries = shape->queries ? shape->queries : shape->length;
    const size_t rows = shape->count * queries, keys = shape->count * shape->length;
    const clipc_shape q_shape = clipc_shape_2(rows, width + 1);
    const clipc_shape kv_shape = clipc_shape_2(keys, 2 * width + 3);
    const clipc_sequences sequences = {
        .count = shape->count, .length = shape->length, .queries = shape->queries};
    float *q, *kv, *y = malloc(rows * width * sizeof(*y));
    double *wanted = malloc(rows * width * sizeof(*wanted));
    op_fixture fixture;
    clipc_value query, memory, x;

    fixture_open(&fixture, width * 100 + shape->length);
    q = random_values(&fixture.random, rows * (width + 1));
    kv = random_values(&fixture.random, keys * (2 * width + 3));
    for (size_t i = 0; i < rows * (width + 1); i++)
        q[i] *= shape->factor;
    query = clipc_program_bind(&fixture.program, 0, &q_shape);
    memory = clipc_program_bind(&fixture.program, 1, &kv_shape);
    x = clipc_op_attention(&fixture.program, (clipc_columns){query, 1}, (clipc_columns){memory, 0},
                           (clipc_columns){memory, width + 3}, width, shape->heads, shape->causal,
                           &sequences);
    clipc_program_output(&fixture.program, x, 2);
    fixture_run(&fixture, workers, (void *[]){q, kv, y}, 3);
    for (size_t at = 0; at < rows * width; at++) {
        const size_t row = at / width, c = at % width, head = c / size * size;
        const float *first = kv + row / queries * shape->length * (2 * width + 3) + head;

        wanted[at] =
            attend(q + row * (width + 1) + 1 + head, first, first + width + 3, 2 * width + 3,
                   shape->causal ? row % queries + 1 : shape->length, size, c - head);
    }
    /* a score of 3000 has an error of 1e-4 in float32, and so has its exponential, relatively */
    assert_close(y, wanted, rows * width, shape->factor > 1.0f ? 1e-3 : 1e-5, "dense attention");
    fixture_close(&fixture);
    free(q);
    free(kv);
    free(y);
    free(wanted);
}

static void test_dense_attention(void **state)
{
    static const dense_case cases[] = {
        {1, 1, 0, 1, 1, false, 1.0f},   {1, 1, 0, 6, 6, true, 1.0f},
        {5, 2, 0, 3, 1, true, 1.0f},    {2, 64, 0, 66, 2, false, 1.0f},
        {3, 17, 1, 64, 1, false, 1.0f}, {2, 5, 3, 10, 5, false, 1.0f},
        {1, 50, 0, 63, 7, true, 1.0f},  {2, 9, 0, 32, 2, false, 1000.0f},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_dense(&cases[i], 1 + (unsigned)i % 3);
}

static void test_heads_must_divide_the_width(void **state)
{
    const clipc_shape shape = clipc_shape_2(4, 30);
    const clipc_sequences sequences = {.count = 1, .length = 4};
    clipc_error error;
    op_fixture fixture;
    clipc_value x;

    (void)state;
    fixture_open(&fixture, 1);
    x = clipc_program_bind(&fixture.program, 0, &shape);
    clipc_op_attention(&fixture.program, (clipc_columns){x, 0}, (clipc_columns){x, 10},
                       (clipc_columns){x, 20}, 10, 3, false, &sequences);
    assert_int_equal(clipc_program_plan(&fixture.program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_FORMAT);
    fixture_close(&fixture);
}

static void test_layernorm(void **state)
{
    enum { ROWS = 37, WIDTH = 19 };
    const clipc_shape shape = clipc_shape_2(ROWS, WIDTH);
    float *x, y[ROWS * WIDTH];
    double wanted[ROWS * WIDTH];
    op_fixture fixture;
    clipc_parameter_id gain, bias;
    clipc_value value;

    (void)state;
    fixture_open(&fixture, 13);
    x = random_values(&fixture.random, ROWS * WIDTH);
    for (size_t j = 0; j < WIDTH; j++) {
        x[j] = 3.0f;                                 /* no variance at all */
        x[WIDTH + j] = 1000.0f + x[WIDTH + j];       /* a mean far from zero */
        x[2 * WIDTH + j] = 1e-4f * x[2 * WIDTH + j]; /* where epsilon counts */
    }
    value = clipc_program_bind(&fixture.program, 0, &shape);
    gain = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(WIDTH));
    bias = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(WIDTH));
    clipc_program_output(&fixture.program, clipc_op_layernorm(&fixture.program, value, gain, bias),
                         1);
    fixture_run(&fixture, 2, (void *[]){x, y}, 2);
    for (size_t i = 0; i < ROWS; i++) {
        double mean = 0.0, variance = 0.0;

        for (size_t j = 0; j < WIDTH; j++)
            mean += (double)x[i * WIDTH + j] / WIDTH;
        for (size_t j = 0; j < WIDTH; j++)
            variance += pow((double)x[i * WIDTH + j] - mean, 2.0) / WIDTH;
        for (size_t j = 0; j < WIDTH; j++)
            wanted[i * WIDTH + j] = ((double)x[i * WIDTH + j] - mean) / sqrt(variance + 1e-5) *
                                        (double)fixture.raw[gain][j] +
                                    (double)fixture.raw[bias][j];
    }
    /* a float32 mean of 1000 has an error of 3e-5 beside a deviation of 0.5 */
    assert_close(y, wanted, ROWS * WIDTH, 2e-4, "layernorm");
    fixture_close(&fixture);
    free(x);
}

static void test_token_embed_and_gather(void **state)
{
    enum { TOKENS = 20, VOCAB = 9, CONTEXT = 6, WIDTH = 5, PICKED = 3 };
    const clipc_shape tokens = clipc_shape_1(TOKENS), picked = clipc_shape_1(PICKED);
    uint32_t ids[TOKENS], places[TOKENS], rows[PICKED] = {19, 0, 7};
    float y[PICKED * WIDTH];
    double wanted[PICKED * WIDTH];
    op_fixture fixture;
    clipc_parameter_id table, positions;
    clipc_value x;

    (void)state;
    fixture_open(&fixture, 14);
    for (uint32_t i = 0; i < TOKENS; i++) {
        ids[i] = i * 7 % VOCAB;
        places[i] = i % CONTEXT;
    }
    table = fixture_parameter(&fixture, CLIPC_ROLE_TABLE, clipc_shape_2(VOCAB, WIDTH));
    positions = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_2(CONTEXT, WIDTH));
    x = clipc_op_token_embed(&fixture.program, clipc_program_bind(&fixture.program, 0, &tokens),
                             clipc_program_bind(&fixture.program, 1, &tokens), table, positions);
    x = clipc_op_gather(&fixture.program, x, clipc_program_bind(&fixture.program, 2, &picked));
    clipc_program_output(&fixture.program, x, 3);
    fixture_run(&fixture, 2, (void *[]){ids, places, rows, y}, 4);
    for (size_t at = 0; at < PICKED * WIDTH; at++) {
        const size_t row = rows[at / WIDTH], j = at % WIDTH;

        wanted[at] = (double)fixture.raw[table][ids[row] * WIDTH + j] +
                     (double)fixture.raw[positions][places[row] * WIDTH + j];
    }
    assert_close(y, wanted, PICKED * WIDTH, 1e-6, "token_embed");
    fixture_close(&fixture);
}

/* Half precision stays so in memory; every value of it is exact in float32. */
static void test_token_embed_of_a_half_table(void **state)
{
    enum { VOCAB = 3, WIDTH = 4 };
    static const float values[VOCAB * WIDTH] = {1.0f,   -0.5f, 65504.0f, 0x1p-24f, 0.0f,     -0.0f,
                                                0.333f, 7.25f, 100.0f,   -3.0f,    0x1p-14f, 2.0f};
    const clipc_shape tokens = clipc_shape_1(2);
    uint32_t ids[] = {2, 0}, places[] = {0, 0};
    uint16_t *half = malloc(sizeof(values) / 2);
    float y[2 * WIDTH];
    op_fixture fixture;
    clipc_parameter_id table, positions;
    clipc_value x;

    (void)state;
    assert_non_null(half);
    fixture_open(&fixture, 15);
    table = fixture_parameter(&fixture, CLIPC_ROLE_TABLE, clipc_shape_2(VOCAB, WIDTH));
    positions = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_2(1, WIDTH));
    for (size_t i = 0; i < VOCAB * WIDTH; i++)
        half[i] = clipc_f16_from_float(values[i]);
    free(fixture.parameters.items[table].data);
    fixture.parameters.items[table].data = half;
    fixture.parameters.items[table].form = CLIPC_FORM_HALF;
    memset(fixture.parameters.items[positions].data, 0, WIDTH * sizeof(float));
    x = clipc_op_token_embed(&fixture.program, clipc_program_bind(&fixture.program, 0, &tokens),
                             clipc_program_bind(&fixture.program, 1, &tokens), table, positions);
    clipc_program_output(&fixture.program, x, 2);
    fixture_run(&fixture, 1, (void *[]){ids, places, y}, 3);
    for (size_t j = 0; j < WIDTH; j++) {
        assert_true(y[j] == values[2 * WIDTH + j]);
        assert_true(y[WIDTH + j] == values[j]);
    }
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed_attention),
        cmocka_unit_test(test_listed_attention),
        cmocka_unit_test(test_pooling_attention),
        cmocka_unit_test(test_dense_attention),
        cmocka_unit_test(test_heads_must_divide_the_width),
        cmocka_unit_test(test_layernorm),
        cmocka_unit_test(test_token_embed_and_gather),
        cmocka_unit_test(test_token_embed_of_a_half_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
