/* SPDX-License-Identifier: MIT */
/* Packing, and the kernels themselves, against the definitions in double; nothing beyond is hit. */
#include "ops/op_test.h"

/* The packed form by its definition. */
static void check_pack(size_t out, size_t in, size_t columns, size_t chunk)
{
    random_state random = {out * 100 + in};
    float *weights = random_values(&random, out * in), *transposed = malloc(out * in * 4);
    float *packed, *other;
    size_t floats;

    assert_non_null(transposed);
    assert_true(clipc_packed_size(out, in, columns, &floats));
    assert_int_equal(floats, (out + columns - 1) / columns * columns * in);
    packed = clipc_calloc(floats, sizeof(float));
    other = clipc_calloc(floats, sizeof(float));
    for (size_t i = 0; i < out; i++)
        for (size_t k = 0; k < in; k++)
            transposed[k * out + i] = weights[i * in + k];
    for (size_t first = 0; first < out; first += chunk)
        clipc_pack_rows(packed, in, columns, first, first + chunk < out ? chunk : out - first,
                        weights + first * in);
    for (size_t first = 0; first < in; first += chunk)
        clipc_pack_transposed_rows(other, out, in, columns, first,
                                   first + chunk < in ? chunk : in - first,
                                   transposed + first * out);
    for (size_t at = 0; at < floats; at++) {
        const size_t column = at / (columns * in) * columns + at % columns;
        const size_t k = at / columns % in;

        assert_true(packed[at] == (column < out ? weights[column * in + k] : 0.0f));
    }
    assert_memory_equal(packed, other, floats * sizeof(float));
    free(weights);
    free(transposed);
    free(packed);
    free(other);
}

static void test_packing(void **state)
{
    size_t floats;

    (void)state;
    check_pack(1, 1, 8, 1);
    check_pack(8, 5, 8, 3);
    check_pack(17, 9, 8, 4);
    check_pack(30, 2, 16, 7);
    check_pack(5, 33, 1, 100);
    assert_false(clipc_packed_size(SIZE_MAX - 3, 1, 8, &floats));
    assert_false(clipc_packed_size(SIZE_MAX / 4, 16, 8, &floats));
}

#define GUARD 12345.0f

/* One panel product with strides larger than its rows. */
static void check_panel(size_t rows, size_t columns, size_t depth, unsigned parts)
{
    const clipc_kernels *kernels = clipc_kernels_choose();
    const size_t width = kernels->panel_columns, a_stride = depth + 3, out_stride = width + 5;
    random_state random = {rows * 1000 + columns * 10 + parts};
    float *a = random_values(&random, rows * a_stride), *panel = malloc(depth * width * 4);
    float *out = malloc(rows * out_stride * sizeof(float));
    float *bias = random_values(&random, columns);
    float *residual = random_values(&random, rows * out_stride);

    assert_non_null(panel);
    assert_non_null(out);
    for (size_t i = 0; i < depth * width; i++)
        panel[i] = i % width < columns ? random_value(&random) : 0.0f;
    for (size_t i = 0; i < rows * out_stride; i++)
        out[i] = GUARD;
    kernels->panel_product(&(clipc_panel_product){
        .rows = rows,
        .columns = columns,
        .depth = depth,
        .a = a,
        .a_stride = a_stride,
        .panel = panel,
        .bias = parts & 1 ? bias : NULL,
        .residual = parts & 2 ? residual : NULL,
        .residual_stride = out_stride,
        .out = out,
        .out_stride = out_stride,
    });
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < out_stride; j++) {
            double sum = parts & 1 && j < columns ? (double)bias[j] : 0.0;

            for (size_t k = 0; k < depth && j < columns; k++)
                sum += (double)a[i * a_stride + k] * (double)panel[k * width + j];
            if (parts & 2)
                sum += (double)residual[i * out_stride + j];
            if (j >= columns)
                assert_true(out[i * out_stride + j] == GUARD);
            else
                assert_close(out + i * out_stride + j, &sum, 1, 1e-5, "panel product");
        }
    free(a);
    free(panel);
    free(out);
    free(bias);
    free(residual);
}

static void test_panel_product(void **state)
{
    const size_t width = clipc_kernels_choose()->panel_columns;

    (void)state;
    for (size_t rows = 1; rows <= 9; rows++)
        for (size_t columns = 1; columns <= width; columns += columns + 3 < width ? 3 : 1)
            for (unsigned parts = 0; parts < 4; parts++)
                check_panel(rows, columns, 1 + rows * columns % 70, parts);
}

static void test_softmax(void **state)
{
    const clipc_kernels *kernels = clipc_kernels_choose();
    float large[] = {1e4f, -1e4f, 9999.0f, 1e4f}, one[] = {-700.0f};
    float hidden[] = {-INFINITY, 0.0f, -INFINITY}, flat[600];

    (void)state;
    kernels->softmax(large, 4);
    assert_true(fabs((double)large[0] - 1.0 / (2.0 + exp(-1.0))) < 1e-6);
    assert_true(large[1] == 0.0f && large[0] == large[3]);
    kernels->softmax(one, 1);
    assert_true(one[0] == 1.0f);
    kernels->softmax(hidden, 3);
    assert_true(hidden[0] == 0.0f && hidden[1] == 1.0f && hidden[2] == 0.0f);
    for (size_t i = 0; i < 600; i++)
        flat[i] = 3.0f;
    kernels->softmax(flat, 600);
    for (size_t i = 0; i < 600; i++)
        assert_true(fabs((double)flat[i] * 600.0 - 1.0) < 1e-5);
}

static void test_dot_and_axpy(void **state)
{
    const clipc_kernels *kernels = clipc_kernels_choose();
    random_state random = {5};
    float *a = random_values(&random, 100), *b = random_values(&random, 100);

    (void)state;
    for (size_t count = 0; count <= 67; count++) {
        double sum = 0.0;
        float got, out[68];

        for (size_t j = 0; j < count; j++)
            sum += (double)a[j] * (double)b[j];
        got = kernels->dot(a, b, count);
        assert_close(&got, &sum, 1, 1e-5, "dot");
        for (size_t j = 0; j < 68; j++)
            out[j] = b[j];
        kernels->axpy(0.75f, a, count, out);
        for (size_t j = 0; j < count; j++) {
            sum = (double)b[j] + 0.75 * (double)a[j];
            assert_close(out + j, &sum, 1, 1e-6, "axpy");
        }
        assert_true(out[count] == b[count]);
    }
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_panel_product),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_dot_and_axpy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
