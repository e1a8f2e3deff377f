/* SPDX-License-Identifier: MIT */
/*
 * Every matrix kernel of every level that this processor has, against sums in double precision: all
 * shapes around the tiles, strides, epilogues, values large, tiny and special. Buffers end at guard
 * pages.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "guarded.h"

#include "base/float_formats.h"
#include "base/sizes.h"
#include "compute/kernels/quantise.h"
#include "ops/op_test.h"

#include <float.h>

static const clipc_kernels *level; /* under test */
static const clipc_matrix_kernel *kernel;

/* Runs a test for every kernel of every level; a failure names them. */
static void for_every_kernel(void (*check)(void))
{
    for (level = clipc_kernels_next(NULL); level; level = clipc_kernels_next(level)) {
        const clipc_matrix_kernel *kernels[] = {level->f32, level->bf16, level->int8};

        for (size_t i = 0; i < 3; i++) {
            kernel = kernels[i];
            check();
        }
    }
}

static const char *dtype_name(void)
{
    return kernel->dtype == CLIPC_DTYPE_F32    ? "f32"
           : kernel->dtype == CLIPC_DTYPE_BF16 ? "bf16"
                                               : "int8";
}

/* --- Products --- */

typedef struct product_case {
    size_t rows, columns, depth, gap; /* gap: floats between rows */
    bool has_bias, has_residual;
    clipc_pointwise pointwise;
    float scale; /* of the values */
} product_case;

typedef struct product_buffers {
    guarded a, prepared, weights, panel, bias, residual, out;
    size_t a_stride; /* bytes, of what the product takes */
} product_buffers;

static void fill(guarded *buffer, size_t count, random_state *random, float scale)
{
    float *values = random_values(random, count);

    *buffer = guarded_open(count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        ((float *)buffer->data)[i] = scale * values[i];
    free(values);
}

static product_buffers open_buffers(const product_case *shape, random_state *random)
{
    const size_t spread = (shape->rows - 1) * (shape->columns + shape->gap) + shape->columns;
    const size_t bytes = kernel->row_bytes(shape->depth), stride = shape->depth + shape->gap;
    product_buffers buffers = {.a_stride = kernel->prepare ? bytes : stride * sizeof(float)};

    fill(&buffers.a, (shape->rows - 1) * stride + shape->depth, random, shape->scale);
    fill(&buffers.weights, shape->columns * shape->depth, random, 1.0f);
    buffers.prepared = guarded_open(shape->rows * bytes);
    for (size_t i = 0; kernel->prepare && i < shape->rows; i++)
        kernel->prepare((const float *)buffers.a.data + i * stride, shape->depth,
                        (char *)buffers.prepared.data + i * bytes);
    buffers.panel = guarded_open(clipc_panel_bytes(kernel, shape->depth));
    kernel->pack(buffers.weights.data, shape->columns, shape->depth, buffers.panel.data);
    fill(&buffers.bias, shape->columns, random, 1.0f);
    fill(&buffers.residual, spread, random, 1.0f);
    fill(&buffers.out, spread, random, 0.0f);
    return buffers;
}

static void close_buffers(product_buffers *buffers)
{
    guarded_close(&buffers->a);
    guarded_close(&buffers->prepared);
    guarded_close(&buffers->weights);
    guarded_close(&buffers->panel);
    guarded_close(&buffers->bias);
    guarded_close(&buffers->residual);
    guarded_close(&buffers->out);
}

static clipc_panel_product product_of(const product_case *shape, const product_buffers *buffers)
{
    return (clipc_panel_product){
        .rows = shape->rows,
        .columns = shape->columns,
        .depth = shape->depth,
        .a = kernel->prepare ? buffers->prepared.data : buffers->a.data,
        .a_stride = buffers->a_stride,
        .panel = buffers->panel.data,
        .bias = shape->has_bias ? buffers->bias.data : NULL,
        .residual = shape->has_residual ? buffers->residual.data : NULL,
        .residual_stride = shape->columns + shape->gap,
        .pointwise = shape->pointwise,
        .out = buffers->out.data,
        .out_stride = shape->columns + shape->gap,
    };
}

static double rounded_weight(float weight, float largest)
{
    switch (kernel->dtype) {
    case CLIPC_DTYPE_BF16: return (double)clipc_float_from_bf16(clipc_bf16_from_float(weight));
    case CLIPC_DTYPE_INT8:
        return (double)(largest / CLIPC_INT8_LARGEST) *
               clipc_int8_round(weight, clipc_int8_inverse_scale(largest));
    default: return (double)weight;
    }
}

/* A column's weights as the kernel multiplies with them. */
static double *rounded_weights(const float *weights, size_t depth)
{
    double *values = malloc(depth * sizeof(double));
    const float largest = clipc_largest_magnitude(weights, depth);

    assert_non_null(values);
    for (size_t k = 0; k < depth; k++)
        values[k] = rounded_weight(weights[k], largest);
    return values;
}

/* A row's values likewise. */
static double *rounded_row(const float *row, size_t depth)
{
    double *values = malloc(depth * sizeof(double));
    float low = 0.0f, high = 0.0f;
    clipc_row_range range;

    assert_non_null(values);
    clipc_row_bounds(row, depth, &low, &high);
    range = clipc_row_range_of(low, high);
    for (size_t k = 0; k < depth; k++)
        values[k] = kernel->dtype == CLIPC_DTYPE_INT8
                        ? (double)range.scale * clipc_row_round(row[k], &range)
                        : rounded_weight(row[k], 0.0f);
    return values;
}

static void check_value(const product_case *shape, const product_buffers *buffers, size_t i,
                        size_t j, const double *a, const double *b)
{
    const size_t at = i * (shape->columns + shape->gap) + j;
    const double got = (double)((float *)buffers->out.data)[at];
    double sum = 0.0, size = 2.0, wanted, bound;

    for (size_t k = 0; k < shape->depth; k++) {
        sum += a[k] * b[k];
        size += fabs(a[k] * b[k]);
    }
    if (shape->has_bias)
        sum += (double)((float *)buffers->bias.data)[j];
    if (shape->has_residual)
        sum += (double)((float *)buffers->residual.data)[at];
    wanted = pointwise_value(shape->pointwise, sum);
    /* Rounding of each step, of which 8-bit sums have none, which GELU can stretch by its slope. */
    bound = ((kernel->dtype == CLIPC_DTYPE_INT8 ? 0.0 : (double)shape->depth) + 4.0) * 1.2 *
            FLT_EPSILON * size;
    if (!(fabs(got - wanted) <= bound))
        fail_msg("%s %s: %zu x %zu x %zu, pointwise %d, scale %g: [%zu][%zu] is %.9g, "
                 "%.9g was expected",
                 level->level, dtype_name(), shape->rows, shape->columns, shape->depth,
                 (int)shape->pointwise, (double)shape->scale, i, j, got, wanted);
}

static void check_product(const product_case *shape, random_state *random)
{
    product_buffers buffers = open_buffers(shape, random);
    const clipc_panel_product product = product_of(shape, &buffers);
    double **b = malloc(shape->columns * sizeof(*b));

    assert_non_null(b);
    for (size_t j = 0; j < shape->columns; j++)
        b[j] =
            rounded_weights((const float *)buffers.weights.data + j * shape->depth, shape->depth);
    kernel->product(&product);
    for (size_t i = 0; i < shape->rows; i++) {
        double *a = rounded_row((const float *)buffers.a.data + i * (shape->depth + shape->gap),
                                shape->depth);

        for (size_t j = 0; j < shape->columns; j++)
            check_value(shape, &buffers, i, j, a, b[j]);
        free(a);
    }
    for (size_t j = 0; j < shape->columns; j++)
        free(b[j]);
    free(b);
    /* Between the rows nothing was written. */
    for (size_t i = 0; i + 1 < shape->rows; i++)
        for (size_t j = shape->columns; j < shape->columns + shape->gap; j++)
            assert_true(product.out[i * product.out_stride + j] == 0.0f);
    close_buffers(&buffers);
}

static void check_products(void)
{
    static const size_t depths[] = {1, 2, 3, 4, 17, 64};
    static const float scales[] = {1.0f, 1e-30f, 1e4f};
    random_state random = {3};
    size_t kind = 0;

    for (size_t rows = 1; rows <= 2 * kernel->tile_rows + 1; rows++)
        for (size_t columns = 1; columns <= kernel->panel_columns; columns++, kind++)
            check_product(&(product_case){rows, columns, depths[kind % 6], kind % 3, kind % 2 == 0,
                                          kind % 5 < 2, (clipc_pointwise)(kind / 6 % 4),
                                          scales[kind % 7 % 3]},
                          &random);
    for (size_t depth = 1; depth <= 70; depth++)
        check_product(&(product_case){kernel->tile_rows + 1, kernel->panel_columns, depth, 0, false,
                                      false, CLIPC_POINTWISE_NONE, 1.0f},
                      &random);
    check_product(&(product_case){50, kernel->panel_columns, 3072, 0, true, true,
                                  CLIPC_POINTWISE_QUICKGELU, 1.0f},
                  &random);
    check_product(&(product_case){1, kernel->panel_columns, 3071, 0, false, false,
                                  CLIPC_POINTWISE_NONE, 0.0f}, /* rows of zeros */
                  &random);
}

static void test_products(void **state)
{
    (void)state;
    for_every_kernel(check_products);
}

/* A row's bits are the same in whatever tile it is. */
static void check_tiles(void)
{
    random_state random = {4};
    const product_case shape = {.rows = 3 * kernel->tile_rows,
                                .columns = kernel->panel_columns,
                                .depth = 301,
                                .has_bias = true,
                                .pointwise = CLIPC_POINTWISE_GELU,
                                .scale = 1.0f};
    product_buffers buffers = open_buffers(&shape, &random);
    clipc_panel_product product = product_of(&shape, &buffers);
    float *alone = malloc(kernel->panel_columns * sizeof(float));

    kernel->product(&product);
    for (size_t i = 0; i < shape.rows; i++) {
        clipc_panel_product one = product;

        one.rows = 1;
        one.a = (const char *)one.a + i * one.a_stride;
        one.out = alone;
        kernel->product(&one);
        assert_memory_equal(alone, product.out + i * product.out_stride,
                            shape.columns * sizeof(float));
    }
    free(alone);
    close_buffers(&buffers);
}

static void test_bits_do_not_depend_on_the_tile(void **state)
{
    (void)state;
    for_every_kernel(check_tiles);
}

/*
 * The extremes of 8 bits: sums of 127 * 127 alone, of one sign and of both; and the largest depth,
 * whose sum nearly fills 32 bits.
 */
static void check_extremes(void)
{
    const size_t depth = CLIPC_INT8_LARGEST_DEPTH, columns = kernel->panel_columns;
    float *x, *weights, *out;
    void *row, *panel;

    if (kernel->dtype != CLIPC_DTYPE_INT8)
        return;
    out = malloc(columns * sizeof(float));
    x = malloc(depth * sizeof(float));
    weights = malloc(depth * columns * sizeof(float));
    row = clipc_alloc_aligned(kernel->row_bytes(depth), 1);
    panel = clipc_alloc_aligned(clipc_panel_bytes(kernel, depth), 1);
    for (size_t k = 0; k < depth; k++)
        x[k] = -1.0f;
    for (size_t i = 0; i < depth * columns; i++)
        weights[i] = i / depth % 2 ? -1.0f : 1.0f;
    kernel->prepare(x, depth, row);
    kernel->pack(weights, columns, depth, panel);
    kernel->product(&(clipc_panel_product){
        .rows = 1, .columns = columns, .depth = depth, .a = row, .panel = panel, .out = out});
    for (size_t j = 0; j < columns; j++) {
        const double wanted = j % 2 ? (double)depth : -(double)depth;

        assert_true(fabs((double)out[j] - wanted) <= 4.0 * FLT_EPSILON * (double)depth);
    }
    free(x);
    free(weights);
    free(out);
    free(row);
    free(panel);
}

static void test_extremes_of_8_bits(void **state)
{
    (void)state;
    for_every_kernel(check_extremes);
}

/* What the kernel makes of one row and `columns` rows of weights, panel by panel. */
static void multiply_row(const float *x, const float *weights, size_t columns, size_t depth,
                         float *out)
{
    void *row = clipc_alloc_aligned(kernel->row_bytes(depth), 1);
    void *panel = clipc_alloc_aligned(clipc_panel_bytes(kernel, depth), 1);

    kernel->prepare(x, depth, row);
    for (size_t j = 0; j < columns; j += kernel->panel_columns) {
        const size_t count = clipc_min_size(kernel->panel_columns, columns - j);

        kernel->pack(weights + j * depth, count, depth, panel);
        kernel->product(&(clipc_panel_product){
            .rows = 1, .columns = count, .depth = depth, .a = row, .panel = panel, .out = out + j});
    }
    free(row);
    free(panel);
}

/*
 * In 8 bits every level gives the same bits, of panels full or not, for values that are ties of the
 * rounding, NaN or so small that their scale has no inverse.
 */
static void test_levels_agree_in_8_bits(void **state)
{
    enum { DEPTH = 131, COLUMNS = 72 };
    random_state random = {12};
    float *x = random_values(&random, DEPTH), *weights = random_values(&random, DEPTH * COLUMNS);
    float first[COLUMNS], out[COLUMNS];

    (void)state;
    for (size_t k = 0; k < 40; k++)
        x[k] = ((float)k + 0.5f) / 128.0f;
    x[40] = -127.0f / 128.0f;
    x[41] = 1.0f;
    for (size_t j = 3; j < COLUMNS; j += 5) {
        float *column = weights + j * DEPTH;

        for (size_t k = 0; k < DEPTH; k++)
            column[k] = j == 8    ? 1e-40f * column[k]
                        : j == 13 ? 0.0f
                                  : ((float)((k * j) % 253) - 126.5f) / 127.0f;
        if (j != 8 && j != 13)
            column[j] = 1.0f;
        if (j % 4 == 0)
            column[j + 1] = NAN;
    }
    for (level = clipc_kernels_next(NULL); level; level = clipc_kernels_next(level)) {
        kernel = level->int8;
        multiply_row(x, weights, COLUMNS, DEPTH, out);
        if (level == clipc_kernels_next(NULL))
            memcpy(first, out, sizeof(first));
        if (memcmp(first, out, sizeof(first)) != 0)
            fail_msg("%s is unlike the first level", level->level);
    }
    free(x);
    free(weights);
}

/* --- Pointwise functions --- */

/* pointwise(0 + x) for as many x as a panel has columns. */
static void run_pointwise(clipc_pointwise pointwise, const float *x, float *out)
{
    const float zero = 0.0f;
    void *row = clipc_alloc_aligned(kernel->row_bytes(1) + 1, 1);
    void *panel = clipc_alloc_aligned(clipc_panel_bytes(kernel, 1), 1);

    if (kernel->prepare)
        kernel->prepare(&zero, 1, row);
    else
        memcpy(row, &zero, sizeof(zero));
    kernel->pack(&zero, 1, 1, panel);
    kernel->product(&(clipc_panel_product){.rows = 1,
                                           .columns = kernel->panel_columns,
                                           .depth = 1,
                                           .a = row,
                                           .panel = panel,
                                           .bias = x,
                                           .pointwise = pointwise,
                                           .out = out});
    free(row);
    free(panel);
}

/* A dense sweep of floats: every 4099th bit pattern from 2^-60 to 2^7, both signs. */
static void check_pointwise_accuracy(void)
{
    static const clipc_pointwise functions[] = {CLIPC_POINTWISE_QUICKGELU, CLIPC_POINTWISE_GELU};
    const uint32_t first = 67u << 23, last = 134u << 23;
    float x[32], y[32];
    size_t count = 0;

    assert_true(kernel->panel_columns <= sizeof(x) / sizeof(x[0]));
    for (uint32_t bits = first; bits < last; bits += 4099) {
        const uint32_t signed_bits = bits | (bits % 2 ? 0x80000000u : 0u);

        memcpy(&x[count++], &signed_bits, sizeof(x[0]));
        if (count < kernel->panel_columns)
            continue;
        for (size_t f = 0; f < 2; f++) {
            run_pointwise(functions[f], x, y);
            for (size_t i = 0; i < count; i++) {
                const double wanted = pointwise_value(functions[f], (double)x[i]);
                const double size = fabs((double)x[i]);
                /* The exponent is rounded before its exponential is taken; 1 + erf() cancels for
                 * negative x, in the reference too. */
                const double bound =
                    functions[f] == CLIPC_POINTWISE_GELU
                        ? FLT_EPSILON * (6.0 * fabs(wanted) + 1.5 * fmin(size, 6.0))
                        : FLT_EPSILON * (6.0 + 2.0 * size) * fabs(wanted) + 1e-36;

                if (!(fabs((double)y[i] - wanted) <= bound))
                    fail_msg("%s %s: function %d of %.9g is %.9g, %.9g was expected", level->level,
                             dtype_name(), (int)functions[f], (double)x[i], (double)y[i], wanted);
            }
        }
        count = 0;
    }
}

static void test_pointwise_accuracy(void **state)
{
    (void)state;
    for_every_kernel(check_pointwise_accuracy);
}

static void check_special_values(void)
{
    float x[32] = {0}, y[32];

    x[0] = INFINITY;
    x[1] = -INFINITY;
    x[2] = NAN;
    x[3] = FLT_MAX;
    x[4] = -FLT_MAX;
    run_pointwise(CLIPC_POINTWISE_RELU, x, y);
    assert_true(y[0] == INFINITY && y[1] == 0.0f && isnan(y[2]) && y[3] == FLT_MAX && y[4] == 0.0f);
    run_pointwise(CLIPC_POINTWISE_QUICKGELU, x, y);
    assert_true(y[0] == INFINITY && isnan(y[2]) && y[3] == FLT_MAX && y[4] == 0.0f);
    run_pointwise(CLIPC_POINTWISE_GELU, x, y);
    assert_true(y[0] == INFINITY && isnan(y[2]) && y[3] == FLT_MAX && y[4] == 0.0f);
}

static void test_special_values(void **state)
{
    (void)state;
    for_every_kernel(check_special_values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_bits_do_not_depend_on_the_tile),
        cmocka_unit_test(test_extremes_of_8_bits),
        cmocka_unit_test(test_levels_agree_in_8_bits),
        cmocka_unit_test(test_pointwise_accuracy),
        cmocka_unit_test(test_special_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
