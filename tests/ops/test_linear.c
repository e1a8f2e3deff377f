/* SPDX-License-Identifier: MIT */
/* linear and patch_embed against sums in double; the same bits in any division of the work. */
#include "ops/op_test.h"

static double apply(clipc_pointwise pointwise, double x)
{
    switch (pointwise) {
    case CLIPC_POINTWISE_NONE: return x;
    case CLIPC_POINTWISE_QUICKGELU: return x / (1.0 + exp(-1.702 * x));
    case CLIPC_POINTWISE_GELU: return 0.5 * x * (1.0 + erf(x / sqrt(2.0)));
    case CLIPC_POINTWISE_RELU: return x > 0.0 ? x : 0.0;
    }
    return x;
}

typedef struct linear_case {
    size_t rows, out, in;
    bool has_bias, has_residual;
    clipc_pointwise pointwise;
} linear_case;

static void check_linear(const linear_case *shape, unsigned workers)
{
    const clipc_shape in = clipc_shape_2(shape->rows, shape->in);
    const clipc_shape out = clipc_shape_2(shape->rows, shape->out);
    op_fixture fixture;
    clipc_parameter_id weight, bias = CLIPC_NO_PARAMETER;
    clipc_value x, residual = CLIPC_NO_VALUE;
    float *a, *r, *y = malloc(shape->rows * shape->out * sizeof(float));
    double *wanted = malloc(shape->rows * shape->out * sizeof(double));

    fixture_open(&fixture, shape->rows * 1000 + shape->out);
    a = random_values(&fixture.random, shape->rows * shape->in);
    r = random_values(&fixture.random, shape->rows * shape->out);
    x = clipc_program_bind(&fixture.program, 0, &in);
    if (shape->has_residual)
        residual = clipc_program_bind(&fixture.program, 1, &out);
    weight = fixture_parameter(&fixture, CLIPC_ROLE_MATRIX, clipc_shape_2(shape->out, shape->in));
    if (shape->has_bias)
        bias = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(shape->out));
    clipc_program_output(
        &fixture.program,
        clipc_op_linear(&fixture.program, x, weight, bias, residual, shape->pointwise), 2);
    fixture_run(&fixture, workers, (void *[]){a, r, y}, 3);
    for (size_t i = 0; i < shape->rows; i++)
        for (size_t j = 0; j < shape->out; j++) {
            double sum = shape->has_bias ? (double)fixture.raw[bias][j] : 0.0;

            for (size_t k = 0; k < shape->in; k++)
                sum +=
                    (double)a[i * shape->in + k] * (double)fixture.raw[weight][j * shape->in + k];
            if (shape->has_residual)
                sum += (double)r[i * shape->out + j];
            wanted[i * shape->out + j] = apply(shape->pointwise, sum);
        }
    assert_close(y, wanted, shape->rows * shape->out, 1e-5, "linear");
    fixture_close(&fixture);
    free(a);
    free(r);
    free(y);
    free(wanted);
}

static void test_linear_shapes(void **state)
{
    static const size_t rows[] = {1, 2, 3, 4, 5, 63, 64, 65, 130};
    static const size_t outs[] = {1, 7, 8, 9, 16, 33};
    static const size_t ins[] = {1, 3, 64, 77};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t j = 0; j < sizeof(outs) / sizeof(outs[0]); j++)
            for (size_t k = 0; k < sizeof(ins) / sizeof(ins[0]); k++) {
                const size_t kind = i + j + k;

                check_linear(&(linear_case){rows[i], outs[j], ins[k], kind % 2 == 0, kind % 3 == 0,
                                            (clipc_pointwise)(kind % 4)},
                             1 + (unsigned)(kind % 3));
            }
}

/* Runs a linear layer over some rows and returns its output. */
static float *run_rows(const float *a, size_t rows, unsigned workers)
{
    const clipc_shape in = clipc_shape_2(rows, 100);
    float *y = malloc(rows * 50 * sizeof(float));
    op_fixture fixture;
    clipc_value x;

    fixture_open(&fixture, 5);
    x = clipc_program_bind(&fixture.program, 0, &in);
    x = clipc_op_linear(&fixture.program, x,
                        fixture_parameter(&fixture, CLIPC_ROLE_MATRIX, clipc_shape_2(50, 100)),
                        fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(50)),
                        CLIPC_NO_VALUE, CLIPC_POINTWISE_QUICKGELU);
    clipc_program_output(&fixture.program, x, 1);
    fixture_run(&fixture, workers, (void *[]){(void *)(uintptr_t)a, y}, 2);
    fixture_close(&fixture);
    return y;
}

static void test_bits_do_not_depend_on_the_batch(void **state)
{
    random_state random = {9};
    float *a = random_values(&random, 131 * 100);
    float *together = run_rows(a, 131, 3);

    (void)state;
    for (size_t i = 0; i < 131; i++) {
        float *alone = run_rows(a + i * 100, 1, 1);

        assert_memory_equal(alone, together + i * 50, 50 * sizeof(float));
        free(alone);
    }
    free(a);
    free(together);
}

/* A picture's squares, by hand. */
static void test_patch_embed(void **state)
{
    enum { N = 3, SIZE = 13, PATCH = 4, GRID = 3, WIDTH = 10, TOKENS = 1 + GRID * GRID };
    const clipc_shape in = {.rank = 4, .extent = {N, 3, SIZE, SIZE}};
    op_fixture fixture;
    clipc_parameter_id weight, class_embedding, positions;
    float *pixels, *y = malloc(N * TOKENS * WIDTH * sizeof(float));
    double wanted[N * TOKENS * WIDTH];
    clipc_value x;

    (void)state;
    fixture_open(&fixture, 3);
    pixels = random_values(&fixture.random, N * 3 * SIZE * SIZE);
    x = clipc_program_bind(&fixture.program, 0, &in);
    weight = fixture_parameter(&fixture, CLIPC_ROLE_PATCH, clipc_shape_4(WIDTH, 3, PATCH, PATCH));
    class_embedding = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(WIDTH));
    positions = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_2(TOKENS, WIDTH));
    x = clipc_op_patch_embed(&fixture.program, x, weight, class_embedding, positions);
    clipc_program_output(&fixture.program, x, 1);
    fixture_run(&fixture, 2, (void *[]){pixels, y}, 2);
    for (size_t at = 0; at < N * TOKENS * WIDTH; at++) {
        const size_t n = at / (TOKENS * WIDTH), token = at / WIDTH % TOKENS, w = at % WIDTH;
        double sum = (double)fixture.raw[positions][token * WIDTH + w];

        if (token == 0)
            sum += (double)fixture.raw[class_embedding][w];
        for (size_t i = 0; token > 0 && i < 3 * PATCH * PATCH; i++) {
            const size_t c = i / (PATCH * PATCH), dy = i / PATCH % PATCH, dx = i % PATCH;
            const size_t top = (token - 1) / GRID * PATCH, left = (token - 1) % GRID * PATCH;

            sum += (double)pixels[((n * 3 + c) * SIZE + top + dy) * SIZE + left + dx] *
                   (double)fixture.raw[weight][w * 3 * PATCH * PATCH + i];
        }
        wanted[at] = sum;
    }
    assert_close(y, wanted, N * TOKENS * WIDTH, 1e-5, "patch_embed");
    fixture_close(&fixture);
    free(pixels);
    free(y);
}

static void test_wrong_width_is_refused(void **state)
{
    const clipc_shape in = clipc_shape_2(2, 5);
    clipc_error error;
    op_fixture fixture;
    clipc_value x;

    (void)state;
    fixture_open(&fixture, 1);
    x = clipc_program_bind(&fixture.program, 0, &in);
    x = clipc_op_linear(&fixture.program, x,
                        fixture_parameter(&fixture, CLIPC_ROLE_MATRIX, clipc_shape_2(4, 6)),
                        CLIPC_NO_PARAMETER, CLIPC_NO_VALUE, CLIPC_POINTWISE_NONE);
    assert_int_equal(x, CLIPC_NO_VALUE);
    assert_int_equal(clipc_program_plan(&fixture.program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "takes 6 features, 5 come in"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_shapes),
        cmocka_unit_test(test_bits_do_not_depend_on_the_batch),
        cmocka_unit_test(test_patch_embed),
        cmocka_unit_test(test_wrong_width_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
