/* SPDX-License-Identifier: MIT */
/*
 * Winograd's convolution: the transforms of every level that this processor has against their
 * matrices in double precision, buffers ending at guard pages; the packed form of the filters; and
 * how much less exact the whole is than the direct convolution.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "guarded.h"

#include "compute/kernels/winograd.h"
#include "compute/winograd.h"
#include "ops/op_test.h"

#include <float.h>

#define INPUTS CLIPC_WINOGRAD_INPUTS
#define OUTPUTS CLIPC_WINOGRAD_OUTPUTS
#define POINTS CLIPC_WINOGRAD_POINTS

/* The interpolation points but for infinity. */
static const double points[INPUTS - 1] = {0.0, CLIPC_WINOGRAD_A, -CLIPC_WINOGRAD_A,
                                          CLIPC_WINOGRAD_B, -CLIPC_WINOGRAD_B};

static const clipc_kernels *level; /* under test */

static void for_every_level(void (*check)(void))
{
    for (level = clipc_kernels_next(NULL); level; level = clipc_kernels_next(level)) {
        print_message("    %s\n", level->level);
        check();
    }
}

/* --- The matrices, from the points --- */

/* coefficients[0..4] = of the product of (x - p) over all points p but points[skip]. */
static void multiply_out(size_t skip, double *coefficients)
{
    memset(coefficients, 0, INPUTS * sizeof(*coefficients));
    coefficients[0] = 1.0;
    for (size_t i = 0; i < INPUTS - 1; i++)
        for (size_t k = INPUTS; i != skip && k-- > 0;)
            coefficients[k] = (k ? coefficients[k - 1] : 0.0) - points[i] * coefficients[k];
}

/* B^T: row i interpolates at points[i], the last one at infinity. */
static double input_matrix(size_t i, size_t k)
{
    double coefficients[INPUTS];

    multiply_out(i, coefficients);
    return coefficients[k];
}

/* A^T: powers of the points. */
static double output_matrix(size_t i, size_t k)
{
    if (k == INPUTS - 1)
        return i == OUTPUTS - 1 ? 1.0 : 0.0;
    return pow(points[k], (double)i);
}

/* G: powers, divided by the product of the differences from the other points. */
static double filter_matrix(size_t i, size_t k)
{
    double scale = 1.0;

    if (i == INPUTS - 1)
        return k == 2 ? 1.0 : 0.0;
    for (size_t j = 0; j < INPUTS - 1; j++)
        scale *= j == i ? 1.0 : points[i] - points[j];
    return pow(points[i], (double)k) / scale;
}

/* --- Transforms --- */

static guarded random_buffer(size_t count, random_state *random)
{
    float *values = random_values(random, count);
    guarded buffer = guarded_open(count * sizeof(float));

    memcpy(buffer.data, values, count * sizeof(float));
    free(values);
    return buffer;
}

static void check_input(size_t channels, size_t gap)
{
    random_state random = {channels};
    const size_t stride = channels + gap;
    guarded pixels[POINTS], out = guarded_open(((POINTS - 1) * stride + channels) * sizeof(float));
    const float *places[POINTS];

    for (size_t i = 0; i < POINTS; i++) {
        pixels[i] = random_buffer(channels, &random);
        places[i] = pixels[i].data;
    }
    level->winograd_input(places, channels, out.data, stride);
    for (size_t point = 0; point < POINTS; point++) {
        double weights[POINTS];

        for (size_t i = 0; i < POINTS; i++)
            weights[i] =
                input_matrix(point / INPUTS, i / INPUTS) * input_matrix(point % INPUTS, i % INPUTS);
        for (size_t c = 0; c < channels; c++) {
            const double got = (double)((float *)out.data)[point * stride + c];
            double wanted = 0.0;

            for (size_t i = 0; i < POINTS; i++)
                wanted += weights[i] * (double)places[i][c];
            if (!(fabs(got - wanted) <= 30.0 * FLT_EPSILON)) /* of values up to 25 */
                fail_msg("%s: %zu channels: point %zu of channel %zu is %.9g, %.9g was expected",
                         level->level, channels, point, c, got, wanted);
        }
    }
    for (size_t i = 0; i < POINTS; i++)
        guarded_close(&pixels[i]);
    guarded_close(&out);
}

static void check_inputs(void)
{
    for (size_t channels = 1; channels <= 35; channels++)
        check_input(channels, channels % 3);
    check_input(128, 16);
}

static void test_input_transform(void **state)
{
    (void)state;
    for_every_level(check_inputs);
}

typedef struct output_case {
    size_t columns, rows, width;
    bool has_bias, relu, pools;
} output_case;

/* The 4x4 places of one column, and what becomes of them. */
static void expected_places(const output_case *shape, const float *sums, size_t point_stride,
                            double bias, double *wanted)
{
    double places[OUTPUTS][OUTPUTS], matrix[OUTPUTS][INPUTS];

    for (size_t i = 0; i < OUTPUTS * INPUTS; i++)
        matrix[i / INPUTS][i % INPUTS] = output_matrix(i / INPUTS, i % INPUTS);
    for (size_t y = 0; y < OUTPUTS; y++)
        for (size_t x = 0; x < OUTPUTS; x++) {
            double sum = bias;

            for (size_t i = 0; i < POINTS; i++)
                sum +=
                    matrix[y][i / INPUTS] * matrix[x][i % INPUTS] * (double)sums[i * point_stride];
            places[y][x] = shape->relu && sum < 0.0 ? 0.0 : sum;
        }
    for (size_t y = 0; y < shape->rows; y++)
        for (size_t x = 0; x < shape->width; x++)
            wanted[y * shape->width + x] =
                shape->pools ? (places[2 * y][2 * x] + places[2 * y][2 * x + 1] +
                                places[2 * y + 1][2 * x] + places[2 * y + 1][2 * x + 1]) /
                                   4.0
                             : places[y][x];
}

/* Places stand `columns` + 1 apart; what is between them must stay as it was. */
static void check_output(const output_case *shape)
{
    random_state random = {shape->columns * 16 + shape->rows};
    const size_t columns = shape->columns, stride = columns + 3, place_stride = columns + 1;
    const size_t row_stride = shape->width * place_stride + 2;
    const size_t floats =
        (shape->rows - 1) * row_stride + (shape->width - 1) * place_stride + columns;
    guarded sums = random_buffer((POINTS - 1) * stride + columns, &random);
    guarded bias = random_buffer(columns, &random), out = guarded_open(floats * sizeof(float));
    float *values = out.data;
    size_t untouched = 0;

    for (size_t i = 0; i < floats; i++)
        values[i] = 777.0f;
    level->winograd_output(&(clipc_winograd_tile){
        .sums = sums.data,
        .point_stride = stride,
        .columns = columns,
        .bias = shape->has_bias ? bias.data : NULL,
        .relu = shape->relu,
        .pools = shape->pools,
        .rows = shape->rows,
        .width = shape->width,
        .out = values,
        .row_stride = row_stride,
        .place_stride = place_stride,
    });
    for (size_t j = 0; j < columns; j++) {
        double wanted[OUTPUTS * OUTPUTS];

        expected_places(shape, (float *)sums.data + j, stride,
                        shape->has_bias ? (double)((float *)bias.data)[j] : 0.0, wanted);
        for (size_t i = 0; i < shape->rows * shape->width; i++) {
            const double got =
                (double)values[i / shape->width * row_stride + i % shape->width * place_stride + j];

            if (!(fabs(got - wanted[i]) <= 100.0 * FLT_EPSILON)) /* of values up to 100 */
                fail_msg("%s: %zu columns, %zu x %zu places: place %zu of column %zu is %.9g, "
                         "%.9g was expected",
                         level->level, columns, shape->rows, shape->width, i, j, got, wanted[i]);
        }
    }
    for (size_t i = 0; i < floats; i++)
        untouched += values[i] == 777.0f;
    assert_int_equal(untouched, floats - columns * shape->rows * shape->width);
    guarded_close(&sums);
    guarded_close(&bias);
    guarded_close(&out);
}

static void check_outputs(void)
{
    for (size_t columns = 1; columns <= 33; columns += columns < 9 ? 1 : 3)
        for (size_t size = 0; size < OUTPUTS * OUTPUTS; size++)
            check_output(&(output_case){.columns = columns,
                                        .rows = size / OUTPUTS + 1,
                                        .width = size % OUTPUTS + 1,
                                        .has_bias = columns % 2 == 0,
                                        .relu = size % 3 != 0});
    for (size_t columns = 1; columns <= 33; columns++)
        for (size_t size = 0; size < 4; size++)
            check_output(&(output_case){.columns = columns,
                                        .rows = size / 2 + 1,
                                        .width = size % 2 + 1,
                                        .has_bias = true,
                                        .relu = columns % 3 != 0,
                                        .pools = true});
}

static void test_output_transform(void **state)
{
    (void)state;
    for_every_level(check_outputs);
}

/* A NaN stays one through ReLU, as in the reference. */
static void check_nan(void)
{
    float sums[POINTS] = {[7] = NAN}, out[OUTPUTS * OUTPUTS];

    level->winograd_output(&(clipc_winograd_tile){.sums = sums,
                                                  .point_stride = 1,
                                                  .columns = 1,
                                                  .relu = true,
                                                  .rows = OUTPUTS,
                                                  .width = OUTPUTS,
                                                  .out = out,
                                                  .row_stride = OUTPUTS,
                                                  .place_stride = 1});
    for (size_t i = 0; i < OUTPUTS * OUTPUTS; i++)
        assert_true(isnan(out[i]));
}

static void test_nan(void **state)
{
    (void)state;
    for_every_level(check_nan);
}

/* --- Filters --- */

/* The panel of a point holds what packing that point's matrix gives. */
static void check_packing(size_t out, size_t in, size_t chunk_panels)
{
    const clipc_matrix_kernel *kernel = level->f32;
    const size_t panel_bytes = clipc_panel_bytes(kernel, in);
    const size_t panels = (out + kernel->panel_columns - 1) / kernel->panel_columns;
    const size_t chunk = chunk_panels * kernel->panel_columns;
    const clipc_parameter parameter = {.shape = clipc_shape_4(out, in, 3, 3),
                                       .role = CLIPC_ROLE_CONVOLUTION,
                                       .form = CLIPC_FORM_WINOGRAD,
                                       .kernel = kernel};
    random_state random = {out};
    float *weights = random_values(&random, out * 9 * in), *matrix = malloc(out * in * 4), *scratch;
    char *packed, *one;
    size_t bytes;

    assert_true(clipc_parameter_bytes(&parameter, &bytes));
    assert_int_equal(bytes, panels * POINTS * panel_bytes);
    packed = clipc_alloc_aligned(bytes, 1);
    scratch = malloc(clipc_pack_winograd_floats(kernel, in) * sizeof(float));
    for (size_t first = 0; first < out; first += chunk)
        clipc_pack_winograd(kernel, packed, in, first, out - first < chunk ? out - first : chunk,
                            weights + first * 9 * in, scratch);
    for (size_t point = 0; point < POINTS; point++) {
        for (size_t i = 0; i < out * in; i++) {
            double sum = 0.0;

            for (size_t place = 0; place < 9; place++)
                sum += filter_matrix(point / INPUTS, place / 3) *
                       filter_matrix(point % INPUTS, place % 3) *
                       (double)weights[(i / in * 9 + place) * in + i % in];
            matrix[i] = (float)sum;
        }
        one = pack_matrix(kernel, matrix, out, in);
        for (size_t panel = 0; panel < panels; panel++)
            for (size_t i = 0; i < in * kernel->panel_columns; i++) {
                const float got =
                    ((const float *)(void *)(packed + (panel * POINTS + point) * panel_bytes))[i];
                const float wanted = ((const float *)(void *)(one + panel * panel_bytes))[i];

                assert_true(fabsf(got - wanted) <= FLT_EPSILON);
            }
        free(one);
    }
    free(weights);
    free(matrix);
    free(scratch);
    free(packed);
}

static void check_packings(void)
{
    check_packing(1, 1, 1);
    check_packing(40, 7, 1);
    check_packing(97, 5, 2);
}

static void test_packing(void **state)
{
    const clipc_parameter endless = {.shape = clipc_shape_4(SIZE_MAX / 600, 16, 3, 3),
                                     .form = CLIPC_FORM_WINOGRAD,
                                     .kernel = clipc_kernels_portable.f32};
    size_t bytes;

    (void)state;
    for_every_level(check_packings);
    assert_false(clipc_parameter_bytes(&endless, &bytes));
}

/* --- The whole --- */

typedef struct errors {
    double squares, largest;
} errors;

static void add_error(errors *all, double error)
{
    all->squares += error * error;
    all->largest = fabs(error) > all->largest ? fabs(error) : all->largest;
}

/*
 * One output of a map of positive pixels, as a ReLU leaves them, by both ways in float32 and in
 * double. Winograd's way may lose twice as much as the direct sum, which is a chain of
 * multiply-adds: about one bit.
 */
static void test_exactness(void **state)
{
    enum { SIZE = 16, IN = 128, OUT = 32, COUNT = SIZE * SIZE * OUT };
    const clipc_shape in = {.rank = 4, .extent = {1, SIZE, SIZE, IN}};
    float *y[2] = {malloc(COUNT * sizeof(float)), malloc(COUNT * sizeof(float))}, *pixels = NULL;
    double *wanted = calloc(COUNT, sizeof(double)), size = 0.0;
    errors lost[2] = {{0.0, 0.0}, {0.0, 0.0}};

    (void)state;
    for (int way = 0; way < 2; way++) {
        op_fixture fixture;
        clipc_parameter_id weight;
        clipc_value x;

        fixture_open(&fixture, 11);
        fixture.parameters.kernels.allows_winograd = way == 1;
        free(pixels);
        pixels = random_values(&fixture.random, SIZE * SIZE * IN);
        for (size_t i = 0; i < SIZE * SIZE * IN; i++)
            pixels[i] = pixels[i] < 0.0f ? 0.0f : pixels[i];
        x = clipc_program_bind(&fixture.program, 0, &in);
        weight = fixture_parameter(&fixture, CLIPC_ROLE_CONVOLUTION, clipc_shape_4(OUT, IN, 3, 3));
        x = clipc_op_conv2d(&fixture.program, x, weight, CLIPC_NO_PARAMETER, CLIPC_NO_VALUE,
                            &(clipc_convolution){.stride = 1, .padding = 1});
        assert_int_equal(fixture.parameters.items[weight].form,
                         way ? CLIPC_FORM_WINOGRAD : CLIPC_FORM_PANELS);
        fixture_pack_filters(&fixture, weight);
        clipc_program_output(&fixture.program, x, 1);
        fixture_run(&fixture, 1, (void *[]){pixels, y[way]}, 2);
        for (size_t at = 0; way && at < COUNT; at++)
            for (size_t i = 0; i < 9 * IN; i++) {
                const size_t row = at / OUT / SIZE + i / 3 % 3, column = at / OUT % SIZE + i % 3;

                if (row >= 1 && row <= SIZE && column >= 1 && column <= SIZE)
                    wanted[at] += (double)pixels[((row - 1) * SIZE + column - 1) * IN + i / 9] *
                                  (double)fixture.raw[weight][at % OUT * 9 * IN + i];
            }
        fixture_close(&fixture);
    }
    for (size_t at = 0; at < COUNT; at++) {
        size += wanted[at] * wanted[at];
        add_error(&lost[0], (double)y[0][at] - wanted[at]);
        add_error(&lost[1], (double)y[1][at] - wanted[at]);
    }
    print_message("    relative to the root mean square: direct %.1e, at most %.1e; "
                  "Winograd %.1e, at most %.1e\n",
                  sqrt(lost[0].squares / size), lost[0].largest / sqrt(size / COUNT),
                  sqrt(lost[1].squares / size), lost[1].largest / sqrt(size / COUNT));
    assert_true(sqrt(lost[1].squares / size) < 1.5e-6);
    assert_true(lost[1].largest / sqrt(size / COUNT) < 1.5e-5);
    free(y[0]);
    free(y[1]);
    free(pixels);
    free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_transform),
        cmocka_unit_test(test_output_transform),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_exactness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
