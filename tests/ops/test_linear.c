/* SPDX-License-Identifier: MIT */
/* linear and patch_embed against sums in double; the same bits in any division of the work. */
#include "ops/op_test.h"

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
            wanted[i * shape->out + j] = pointwise_value(shape->pointwise, sum);
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

/* Sums of thousands of products, and of more rows than a block has. */
static void test_linear_of_great_depth(void **state)
{
    (void)state;
    check_linear(&(linear_case){3, 10, 4096, true, false, CLIPC_POINTWISE_NONE}, 2);
    check_linear(&(linear_case){200, 3, 700, true, true, CLIPC_POINTWISE_GELU}, 3);
}

/* The transposed form of a weight, and a residual that is overwritten by the output. */
static void test_transposed_weight_and_residual_in_place(void **state)
{
    enum { ROWS = 70, IN = 13, OUT = 21 };
    const clipc_shape in = clipc_shape_2(ROWS, IN), out = clipc_shape_2(ROWS, OUT);
    op_fixture fixture;
    clipc_parameter_id weight;
    float *a, *y, *transposed = malloc(IN * OUT * sizeof(float));
    double *wanted = malloc(ROWS * OUT * sizeof(double));
    clipc_value x, residual;

    (void)state;
    fixture_open(&fixture, 77);
    a = random_values(&fixture.random, ROWS * IN);
    y = random_values(&fixture.random, ROWS * OUT);
    x = clipc_program_bind(&fixture.program, 0, &in);
    residual = clipc_program_bind(&fixture.program, 1, &out);
    weight = fixture_parameter(&fixture, CLIPC_ROLE_MATRIX_TRANSPOSED, clipc_shape_2(IN, OUT));
    for (size_t i = 0; i < ROWS * OUT; i++) {
        wanted[i] = (double)y[i];
        for (size_t k = 0; k < IN; k++)
            wanted[i] +=
                (double)a[i / OUT * IN + k] * (double)fixture.raw[weight][k * OUT + i % OUT];
    }
    for (size_t i = 0; i < IN * OUT; i++)
        transposed[i % OUT * IN + i / OUT] = fixture.raw[weight][i];
    free(fixture.parameters.items[weight].data);
    fixture.parameters.items[weight].data =
        pack_matrix(fixture.parameters.kernels.matrix, transposed, OUT, IN);
    x = clipc_op_linear(&fixture.program, x, weight, CLIPC_NO_PARAMETER, residual,
                        CLIPC_POINTWISE_NONE);
    clipc_program_output(&fixture.program, x, 2);
    fixture_run(&fixture, 3, (void *[]){a, y, y}, 3);
    assert_close(y, wanted, ROWS * OUT, 1e-5, "transposed linear");
    fixture_close(&fixture);
    free(a);
    free(y);
    free(transposed);
    free(wanted);
}

/* Squares of pictures by the definition; pixels beyond the last square are not seen. */
static void check_patch_embed(size_t n, size_t size, size_t patch, size_t width)
{
    const size_t grid = size / patch, tokens = 1 + grid * grid, area = patch * patch;
    const clipc_shape in = clipc_shape_4(n, 3, size, size);
    op_fixture fixture;
    clipc_parameter_id weight, class_embedding, positions;
    float *pixels, *y = malloc(n * tokens * width * sizeof(float));
    double *wanted = malloc(n * tokens * width * sizeof(double));
    clipc_value x;

    fixture_open(&fixture, 3);
    pixels = random_values(&fixture.random, n * 3 * size * size);
    x = clipc_program_bind(&fixture.program, 0, &in);
    weight = fixture_parameter(&fixture, CLIPC_ROLE_PATCH, clipc_shape_4(width, 3, patch, patch));
    class_embedding = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(width));
    positions = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_2(tokens, width));
    x = clipc_op_patch_embed(&fixture.program, x, weight, class_embedding, positions);
    clipc_program_output(&fixture.program, x, 1);
    fixture_run(&fixture, 2, (void *[]){pixels, y}, 2);
    for (size_t at = 0; at < n * tokens * width; at++) {
        const size_t token = at / width % tokens, w = at % width;
        const float *picture = pixels + at / (tokens * width) * 3 * size * size;
        double sum = (double)fixture.raw[positions][token * width + w];

        if (token == 0)
            sum += (double)fixture.raw[class_embedding][w];
        for (size_t i = 0; token > 0 && i < 3 * area; i++) {
            const size_t top = (token - 1) / grid * patch, left = (token - 1) % grid * patch;

            sum +=
                (double)
                    picture[(i / area * size + top + i / patch % patch) * size + left + i % patch] *
                (double)fixture.raw[weight][w * 3 * area + i];
        }
        wanted[at] = sum;
    }
    assert_close(y, wanted, n * tokens * width, 1e-5, "patch_embed");
    fixture_close(&fixture);
    free(pixels);
    free(y);
    free(wanted);
}

static void test_patch_embed(void **state)
{
    (void)state;
    check_patch_embed(3, 13, 4, 10);
    check_patch_embed(1, 5, 5, 3); /* one square */
    check_patch_embed(2, 9, 1, 2); /* squares of one pixel */
    check_patch_embed(4, 7, 4, 8); /* almost half of the picture unseen */
    check_patch_embed(1, 6, 2, 150);
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
        cmocka_unit_test(test_linear_of_great_depth),
        cmocka_unit_test(test_transposed_weight_and_residual_in_place),
        cmocka_unit_test(test_patch_embed),
        cmocka_unit_test(test_wrong_width_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
