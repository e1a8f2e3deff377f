/* SPDX-License-Identifier: MIT */
/*
 * Every kernel of every level that this processor has, against sums in double precision: all shapes
 * around the tiles, strides, epilogues, values large, tiny and special. Buffers end at guard pages.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "guarded.h"

#include "ops/op_test.h"

#include <float.h>

static const clipc_kernels *level; /* under test */

/* Runs a test for every level; a failure names it. */
static void for_every_level(void (*check)(void))
{
    for (level = clipc_kernels_next(NULL); level; level = clipc_kernels_next(level)) {
        print_message("    %s\n", level->level);
        check();
    }
}

/* --- panel_product --- */

typedef struct product_case {
    size_t rows, columns, depth, gap; /* gap: floats between rows */
    bool has_bias, has_residual;
    clipc_pointwise pointwise;
    float scale; /* of the values */
} product_case;

typedef struct product_buffers {
    guarded a, panel, bias, residual, out;
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
    const size_t width = level->panel_columns;
    const size_t spread = (shape->rows - 1) * (shape->columns + shape->gap) + shape->columns;
    product_buffers buffers;
    float *panel;

    fill(&buffers.a, (shape->rows - 1) * (shape->depth + shape->gap) + shape->depth, random,
         shape->scale);
    fill(&buffers.panel, shape->depth * width, random, 1.0f);
    panel = buffers.panel.data;
    for (size_t k = 0; k < shape->depth; k++)
        for (size_t j = shape->columns; j < width; j++)
            panel[k * width + j] = 0.0f;
    fill(&buffers.bias, shape->columns, random, 1.0f);
    fill(&buffers.residual, spread, random, 1.0f);
    fill(&buffers.out, spread, random, 0.0f);
    return buffers;
}

static void close_buffers(product_buffers *buffers)
{
    guarded_close(&buffers->a);
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
        .a = buffers->a.data,
        .a_stride = shape->depth + shape->gap,
        .panel = buffers->panel.data,
        .bias = shape->has_bias ? buffers->bias.data : NULL,
        .residual = shape->has_residual ? buffers->residual.data : NULL,
        .residual_stride = shape->columns + shape->gap,
        .pointwise = shape->pointwise,
        .out = buffers->out.data,
        .out_stride = shape->columns + shape->gap,
    };
}

/* One value in double, and in *size the sum of what was added, without signs. */
static double product_value(const clipc_panel_product *product, size_t i, size_t j, double *size)
{
    double sum = 0.0;

    *size = 0.0;
    for (size_t k = 0; k < product->depth; k++) {
        const double term = (double)product->a[i * product->a_stride + k] *
                            (double)product->panel[k * level->panel_columns + j];

        sum += term;
        *size += fabs(term);
    }
    if (product->bias)
        sum += (double)product->bias[j];
    if (product->residual)
        sum += (double)product->residual[i * product->residual_stride + j];
    *size += 2.0;
    return sum;
}

static void check_product(const product_case *shape, random_state *random)
{
    product_buffers buffers = open_buffers(shape, random);
    const clipc_panel_product product = product_of(shape, &buffers);

    level->panel_product(&product);
    for (size_t i = 0; i < shape->rows; i++)
        for (size_t j = 0; j < shape->columns; j++) {
            double size;
            const double sum = product_value(&product, i, j, &size);
            const double wanted = pointwise_value(shape->pointwise, sum);
            const double got = (double)product.out[i * product.out_stride + j];
            /* Rounding of each step, which GELU can stretch by its slope. */
            const double bound = ((double)shape->depth + 4.0) * 1.2 * FLT_EPSILON * size;

            if (!(fabs(got - wanted) <= bound))
                fail_msg("%s: %zu x %zu x %zu, pointwise %d, scale %g: [%zu][%zu] is %.9g, "
                         "%.9g was expected",
                         level->level, shape->rows, shape->columns, shape->depth,
                         (int)shape->pointwise, (double)shape->scale, i, j, got, wanted);
        }
    /* Between the rows nothing was written. */
    for (size_t i = 0; i + 1 < shape->rows; i++)
        for (size_t j = shape->columns; j < shape->columns + shape->gap; j++)
            assert_true(product.out[i * product.out_stride + j] == 0.0f);
    close_buffers(&buffers);
}

static void check_products(void)
{
    static const size_t depths[] = {1, 2, 3, 17, 64};
    static const float scales[] = {1.0f, 1e-30f, 1e4f};
    random_state random = {3};
    size_t kind = 0;

    for (size_t rows = 1; rows <= 2 * level->tile_rows + 1; rows++)
        for (size_t columns = 1; columns <= level->panel_columns; columns++)
            for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++, kind++)
                check_product(&(product_case){rows, columns, depths[i], kind % 3, kind % 2 == 0,
                                              kind % 5 < 2, (clipc_pointwise)(kind % 4),
                                              scales[kind % 7 % 3]},
                              &random);
    check_product(&(product_case){50, level->panel_columns, 3072, 0, true, true,
                                  CLIPC_POINTWISE_QUICKGELU, 1.0f},
                  &random);
}

static void test_products(void **state)
{
    (void)state;
    for_every_level(check_products);
}

/* A row's bits are the same in whatever tile it is. */
static void check_tiles(void)
{
    random_state random = {4};
    const product_case shape = {.rows = 3 * level->tile_rows,
                                .columns = level->panel_columns,
                                .depth = 301,
                                .has_bias = true,
                                .pointwise = CLIPC_POINTWISE_GELU,
                                .scale = 1.0f};
    product_buffers buffers = open_buffers(&shape, &random);
    clipc_panel_product product = product_of(&shape, &buffers);
    float *alone = malloc(level->panel_columns * sizeof(float));

    level->panel_product(&product);
    for (size_t i = 0; i < shape.rows; i++) {
        clipc_panel_product one = product;

        one.rows = 1;
        one.a += i * one.a_stride;
        one.out = alone;
        level->panel_product(&one);
        assert_memory_equal(alone, product.out + i * product.out_stride,
                            shape.columns * sizeof(float));
    }
    free(alone);
    close_buffers(&buffers);
}

static void test_bits_do_not_depend_on_the_tile(void **state)
{
    (void)state;
    for_every_level(check_tiles);
}

/* pointwise(x) through a product of depth 1, for as many x as a panel has columns. */
static void run_pointwise(clipc_pointwise pointwise, const float *x, float *out)
{
    const float one = 1.0f;
    float *panel = clipc_alloc_aligned(level->panel_columns, sizeof(float));

    memcpy(panel, x, level->panel_columns * sizeof(float));
    level->panel_product(&(clipc_panel_product){.rows = 1,
                                                .columns = level->panel_columns,
                                                .depth = 1,
                                                .a = &one,
                                                .a_stride = 1,
                                                .panel = panel,
                                                .pointwise = pointwise,
                                                .out = out,
                                                .out_stride = level->panel_columns});
    free(panel);
}

/* A dense sweep of floats: every 4099th bit pattern from 2^-60 to 2^7, both signs. */
static void check_pointwise_accuracy(void)
{
    static const clipc_pointwise functions[] = {CLIPC_POINTWISE_QUICKGELU, CLIPC_POINTWISE_GELU};
    const uint32_t first = 67u << 23, last = 134u << 23;
    float x[32], y[32];
    size_t count = 0;

    assert_true(level->panel_columns <= sizeof(x) / sizeof(x[0]));
    for (uint32_t bits = first; bits < last; bits += 4099) {
        const uint32_t signed_bits = bits | (bits % 2 ? 0x80000000u : 0u);

        memcpy(&x[count++], &signed_bits, sizeof(x[0]));
        if (count < level->panel_columns)
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
                    fail_msg("%s: function %d of %.9g is %.9g, %.9g was expected", level->level,
                             (int)functions[f], (double)x[i], (double)y[i], wanted);
            }
        }
        count = 0;
    }
}

static void test_pointwise_accuracy(void **state)
{
    (void)state;
    for_every_level(check_pointwise_accuracy);
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
    for_every_level(check_special_values);
}

/* --- layernorm --- */

static void check_layernorm_row(size_t width, float offset, float scale, random_state *random)
{
    const float epsilon = 1e-5f;
    guarded x, gain, bias, out;
    double mean = 0.0, variance = 0.0;
    float *values;

    fill(&x, width, random, scale);
    fill(&gain, width, random, 1.0f);
    fill(&bias, width, random, 1.0f);
    fill(&out, width, random, 0.0f);
    values = x.data;
    for (size_t j = 0; j < width; j++)
        values[j] += offset;
    level->layernorm(values, gain.data, bias.data, width, epsilon, out.data);
    for (size_t j = 0; j < width; j++)
        mean += (double)values[j] / (double)width;
    for (size_t j = 0; j < width; j++)
        variance += ((double)values[j] - mean) * ((double)values[j] - mean) / (double)width;
    for (size_t j = 0; j < width; j++) {
        const double deviation = sqrt(variance + (double)epsilon);
        const double unit = ((double)values[j] - mean) / deviation;
        const double wanted =
            unit * (double)((float *)gain.data)[j] + (double)((float *)bias.data)[j];
        /* What rounding the mean to float32 costs, and a few roundings more. */
        const double bound = 8.0 * FLT_EPSILON * (fabs(mean) / deviation + fabs(unit) + 2.0);
        const double got = (double)((float *)out.data)[j];

        if (!(fabs(got - wanted) <= bound))
            fail_msg("%s: layernorm of %zu, offset %g: [%zu] is %.9g, %.9g was expected",
                     level->level, width, (double)offset, j, got, wanted);
    }
    guarded_close(&x);
    guarded_close(&gain);
    guarded_close(&bias);
    guarded_close(&out);
}

static void check_layernorm(void)
{
    random_state random = {5};

    for (size_t width = 1; width < 80; width++)
        check_layernorm_row(width, 0.0f, 1.0f, &random);
    check_layernorm_row(768, 0.0f, 1.0f, &random);
    check_layernorm_row(1024, 100.0f, 0.1f, &random); /* a mean far from zero */
    check_layernorm_row(768, -3.0f, 0.0f, &random);   /* all alike: only epsilon is left */
    check_layernorm_row(513, 0.0f, 1e4f, &random);
    check_layernorm_row(513, 0.0f, 1e-6f, &random);
}

static void test_layernorm(void **state)
{
    (void)state;
    for_every_level(check_layernorm);
}

/* --- softmax --- */

static void check_softmax_row(size_t count, float scale, random_state *random)
{
    guarded x;
    double max = -INFINITY, sum = 0.0;
    double *wanted = malloc(count * sizeof(double));
    float *values;

    fill(&x, count, random, scale);
    values = x.data;
    if (count > 2)
        values[count / 2] = -INFINITY; /* weighs nothing */
    for (size_t j = 0; j < count; j++)
        max = fmax(max, (double)values[j]);
    for (size_t j = 0; j < count; j++)
        sum += wanted[j] = exp((double)values[j] - max);
    level->softmax(values, count);
    for (size_t j = 0; j < count; j++) {
        wanted[j] /= sum;
        /* The difference from the maximum is rounded before its exponential is taken. */
        if (!(fabs((double)values[j] - wanted[j]) <=
              (8.0 + 2.0 * (double)scale) * FLT_EPSILON * wanted[j] + 1e-37))
            fail_msg("%s: softmax of %zu, scale %g: [%zu] is %.9g, %.9g was expected", level->level,
                     count, (double)scale, j, (double)values[j], wanted[j]);
    }
    free(wanted);
    guarded_close(&x);
}

static void check_softmax_extremes(void)
{
    float large[] = {1e4f, -1e4f, 9999.0f, 1e4f}, one[] = {-700.0f};
    float hidden[] = {-INFINITY, 0.0f, -INFINITY};

    level->softmax(large, 4);
    assert_true(fabs((double)large[0] - 1.0 / (2.0 + exp(-1.0))) < 1e-6);
    assert_true(large[1] == 0.0f && large[0] == large[3]);
    level->softmax(one, 1);
    assert_true(one[0] == 1.0f);
    level->softmax(hidden, 3);
    assert_true(hidden[0] == 0.0f && hidden[1] == 1.0f && hidden[2] == 0.0f);
}

static void check_softmax(void)
{
    random_state random = {6};

    for (size_t count = 1; count < 80; count++)
        check_softmax_row(count, 1.0f, &random);
    check_softmax_row(577, 10.0f, &random);
    check_softmax_row(577, 80.0f, &random); /* results below the normal numbers */
    check_softmax_row(1000, 0.0f, &random);
    check_softmax_extremes();
}

static void test_softmax(void **state)
{
    (void)state;
    for_every_level(check_softmax);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_bits_do_not_depend_on_the_tile),
        cmocka_unit_test(test_pointwise_accuracy),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_layernorm),
        cmocka_unit_test(test_softmax),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
