/* SPDX-License-Identifier: MIT */
/*
 * Attention pooling against its definition in double, which projects every token to a key and a
 * value; in every precision, and with the same bits in any batch and with any number of threads.
 */
#include "ops/op_test.h"

typedef struct pool_case {
    size_t n, tokens, width, heads;
} pool_case;

/* The parameters, in the order they are declared. */
enum { KEY, VALUE, VALUE_BIAS };

/* The key's weight as loading keeps it: [out][in] of the checkpoint, packed as [in][out]. */
static void pack_key(op_fixture *fixture, size_t width)
{
    clipc_parameter *key = &fixture->parameters.items[KEY];
    float *transposed = malloc(width * width * sizeof(float));

    assert_non_null(transposed);
    for (size_t i = 0; i < width * width; i++)
        transposed[i] = fixture->raw[KEY][i % width * width + i / width];
    free(key->data);
    key->data = pack_matrix(key->kernel, transposed, width, width);
    free(transposed);
}

/* Records and runs it; out: [n][width]. Returns the kernel that the key was kept for. */
static const clipc_matrix_kernel *run_pool(const pool_case *shape,
                                           const clipc_matrix_kernel *kernel, op_fixture *fixture,
                                           unsigned threads, float *tokens, float *query,
                                           float *out)
{
    const size_t width = shape->width;
    const clipc_shape rows = clipc_shape_2(shape->n * shape->tokens, width);
    const clipc_shape asked = clipc_shape_2(shape->n, width);
    clipc_value x, q;

    fixture_open(fixture, 5 * width);
    fixture->parameters.kernels.matrix = kernel;
    fixture_parameter(fixture, CLIPC_ROLE_MATRIX_TRANSPOSED, clipc_shape_2(width, width));
    fixture_parameter(fixture, CLIPC_ROLE_MATRIX, clipc_shape_2(width, width));
    fixture_parameter(fixture, CLIPC_ROLE_VALUES, clipc_shape_1(width));
    x = clipc_program_bind(&fixture->program, 0, &rows);
    q = clipc_program_bind(&fixture->program, 1, &asked);
    x = clipc_op_attention_pool(&fixture->program, x, q, KEY, VALUE, VALUE_BIAS, shape->heads);
    assert_false(fixture->program.status);
    pack_key(fixture, width);
    clipc_program_output(&fixture->program, x, 2);
    fixture_run(fixture, threads, (void *[]){tokens, query, out}, 3);
    return fixture->parameters.items[KEY].kernel;
}

/* weights [out][in] times x [in], at row `row`. */
static double project(const float *weights, const float *x, size_t width, size_t row)
{
    double sum = 0.0;

    for (size_t k = 0; k < width; k++)
        sum += (double)weights[row * width + k] * (double)x[k];
    return sum;
}

/* One head of one picture: wanted[size]. */
static void attend(const pool_case *shape, float *const *raw, const float *tokens,
                   const float *query, size_t head, double *wanted)
{
    const size_t width = shape->width, size = width / shape->heads, first = head * size;
    double *scores = calloc(shape->tokens, sizeof(double)), max = -INFINITY, sum = 0.0;

    assert_non_null(scores);
    for (size_t t = 0; t < shape->tokens; t++) {
        for (size_t i = first; i < first + size; i++)
            scores[t] += (double)query[i] * project(raw[KEY], tokens + t * width, width, i) /
                         sqrt((double)size);
        max = scores[t] > max ? scores[t] : max;
    }
    for (size_t t = 0; t < shape->tokens; t++) {
        scores[t] = exp(scores[t] - max);
        sum += scores[t];
    }
    for (size_t i = 0; i < size; i++) {
        wanted[i] = (double)raw[VALUE_BIAS][first + i];
        for (size_t t = 0; t < shape->tokens; t++)
            wanted[i] +=
                scores[t] / sum * project(raw[VALUE], tokens + t * width, width, first + i);
    }
    free(scores);
}

static void check_pool(const pool_case *shape, const clipc_matrix_kernel *kernel, double tolerance)
{
    const size_t width = shape->width, size = width / shape->heads;
    random_state random = {width + shape->tokens};
    float *tokens = random_values(&random, shape->n * shape->tokens * width);
    float *query = random_values(&random, shape->n * width);
    float *out = malloc(shape->n * width * sizeof(float));
    double *wanted = malloc(shape->n * width * sizeof(double));
    op_fixture fixture;

    for (size_t i = 0; i < shape->n * width; i++)
        query[i] *= 2.0f / sqrtf((float)width); /* scores that tell tokens apart, not one of them */
    run_pool(shape, kernel, &fixture, 2, tokens, query, out);
    for (size_t i = 0; i < shape->n * shape->heads; i++)
        attend(shape, fixture.raw, tokens + i / shape->heads * shape->tokens * width,
               query + i / shape->heads * width, i % shape->heads,
               wanted + i / shape->heads * width + i % shape->heads * size);
    assert_close(out, wanted, shape->n * width, tolerance * sqrt((double)width), "attention_pool");
    fixture_close(&fixture);
    free(tokens);
    free(query);
    free(out);
    free(wanted);
}

static void test_pooling(void **state)
{
    static const pool_case cases[] = {
        {1, 1, 1, 1},   {2, 3, 5, 1},    {1, 2, 6, 3},    {3, 5, 24, 3},   {1, 50, 64, 1},
        {2, 26, 80, 5}, {1, 7, 130, 13}, {4, 17, 96, 24}, {2, 50, 128, 2}, {1, 10, 192, 48},
    };
    const clipc_kernels *kernels = clipc_kernels_choose();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_pool(&cases[i], kernels->f32, 1e-6);
        check_pool(&cases[i], kernels->bf16, 4e-3);
        check_pool(&cases[i], kernels->int8, 1e-2);
    }
}

/* Panels of some kernels have no slices: then the key is kept in float32. */
static void test_kernels_of_keys(void **state)
{
    const clipc_kernels *kernels = clipc_kernels_choose();
    const pool_case even = {1, 3, 64, 2}, odd = {1, 3, 15, 5};
    float tokens[3 * 64] = {0.0f}, query[64] = {0.0f}, out[64];
    op_fixture fixture;

    (void)state;
    assert_ptr_equal(run_pool(&even, kernels->bf16, &fixture, 1, tokens, query, out),
                     kernels->bf16);
    fixture_close(&fixture);
    assert_ptr_equal(run_pool(&odd, kernels->bf16, &fixture, 1, tokens, query, out), kernels->f32);
    fixture_close(&fixture);
    assert_ptr_equal(run_pool(&even, kernels->int8, &fixture, 1, tokens, query, out), kernels->f32);
    fixture_close(&fixture);
}

static void check_same_bits(const clipc_matrix_kernel *kernel)
{
    const pool_case batch = {5, 17, 192, 3}, one = {1, 17, 192, 3};
    random_state random = {3};
    float *tokens = random_values(&random, batch.n * batch.tokens * batch.width);
    float *query = random_values(&random, batch.n * batch.width);
    float *together = malloc(batch.n * batch.width * sizeof(float));
    float *alone = malloc(batch.width * sizeof(float));
    op_fixture fixture;

    run_pool(&batch, kernel, &fixture, 3, tokens, query, together);
    fixture_close(&fixture);
    for (size_t i = 0; i < batch.n; i++) {
        run_pool(&one, kernel, &fixture, i % 2 ? 1 : 7, tokens + i * batch.tokens * batch.width,
                 query + i * batch.width, alone);
        fixture_close(&fixture);
        assert_memory_equal(alone, together + i * batch.width, batch.width * sizeof(float));
    }
    free(tokens);
    free(query);
    free(together);
    free(alone);
}

static void test_same_bits(void **state)
{
    const clipc_kernels *kernels = clipc_kernels_choose();

    (void)state;
    check_same_bits(kernels->f32);
    check_same_bits(kernels->bf16);
    check_same_bits(kernels->int8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_kernels_of_keys),
        cmocka_unit_test(test_same_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
