/* SPDX-License-Identifier: MIT */
/* conv2d, avgpool, channels_last and pool_tokens against the definitions, in double. */
#include "ops/op_test.h"

typedef struct conv_case {
    size_t n, height, width, in, out, kernel, stride, padding, pool;
    bool has_residual;
} conv_case;

/* The parameters of a convolution, in the order they are declared. */
enum { WEIGHT, BIAS };

static void open_conv(op_fixture *fixture, const conv_case *shape, clipc_form form)
{
    fixture_open(fixture, shape->height * 100 + shape->out);
    fixture_parameter(fixture, CLIPC_ROLE_CONVOLUTION,
                      clipc_shape_4(shape->out, shape->in, shape->kernel, shape->kernel));
    fixture_parameter(fixture, CLIPC_ROLE_VALUES, clipc_shape_1(shape->out));
    if (form == CLIPC_FORM_WINOGRAD)
        clipc_program_transform_filters(&fixture->program, WEIGHT);
}

/* Before pooling. */
static clipc_shape out_shape(const conv_case *shape)
{
    return clipc_shape_4(
        shape->n, (shape->height + 2 * shape->padding - shape->kernel) / shape->stride + 1,
        (shape->width + 2 * shape->padding - shape->kernel) / shape->stride + 1, shape->out);
}

/* The input at a place of the padded map. */
static double padded(const conv_case *shape, const float *x, size_t n, size_t y, size_t column,
                     size_t channel)
{
    if (y < shape->padding || column < shape->padding || y >= shape->height + shape->padding ||
        column >= shape->width + shape->padding)
        return 0.0;
    return (double)
        x[((n * shape->height + y - shape->padding) * shape->width + column - shape->padding) *
              shape->in +
          channel];
}

static double convolve(const conv_case *shape, const float *x, const float *filter, size_t n,
                       size_t y, size_t column)
{
    double sum = 0.0;

    for (size_t c = 0; c < shape->in; c++)
        for (size_t i = 0; i < shape->kernel; i++)
            for (size_t j = 0; j < shape->kernel; j++)
                sum += padded(shape, x, n, y * shape->stride + i, column * shape->stride + j, c) *
                       (double)filter[(c * shape->kernel + i) * shape->kernel + j];
    return sum;
}

/* The convolution of the whole batch before pooling, in double. */
static double *convolve_all(const conv_case *shape, const clipc_shape *out, const float *x,
                            const float *filter, const float *bias, const float *residual)
{
    const size_t count = clipc_shape_count(out), depth = shape->in * shape->kernel * shape->kernel;
    double *values = malloc(count * sizeof(double));

    assert_non_null(values);
    for (size_t at = 0; at < count; at++) {
        const size_t o = at % shape->out, place = at / shape->out;
        const size_t row = place / out->extent[2];
        double sum = (double)bias[o] + (shape->has_residual ? (double)residual[at] : 0.0);

        sum += convolve(shape, x, filter + o * depth, row / out->extent[1], row % out->extent[1],
                        place % out->extent[2]);
        values[at] = sum > 0.0 ? sum : 0.0;
    }
    return values;
}

/* The mean of each pool x pool square, in place. Returns how many there are. */
static size_t pool_all(const clipc_shape *in, size_t pool, double *values)
{
    const size_t height = in->extent[1] / pool, width = in->extent[2] / pool;
    const size_t channels = in->extent[3], count = in->extent[0] * height * width * channels;

    for (size_t at = 0; at < count; at++) {
        const size_t row = at / channels / width, x = at / channels % width * pool;
        const size_t top = row / height * in->extent[1] + row % height * pool;
        double sum = 0.0;

        for (size_t i = 0; i < pool * pool; i++)
            sum += values[((top + i / pool) * in->extent[2] + x + i % pool) * channels +
                          at % channels];
        values[at] = sum / (double)(pool * pool); /* only places before it are overwritten */
    }
    return count;
}

/* Records and runs one convolution; y: its output. */
static void run_conv(op_fixture *fixture, const conv_case *shape, unsigned threads, float *pixels,
                     float *residual, float *y)
{
    const clipc_shape in = clipc_shape_4(shape->n, shape->height, shape->width, shape->in);
    const clipc_shape out = out_shape(shape);
    clipc_value x = clipc_program_bind(&fixture->program, 0, &in), added = CLIPC_NO_VALUE;

    if (shape->has_residual)
        added = clipc_program_bind(&fixture->program, 1, &out);
    x = clipc_op_conv2d(&fixture->program, x, WEIGHT, BIAS, added,
                        &(clipc_convolution){.stride = shape->stride,
                                             .padding = shape->padding,
                                             .pointwise = CLIPC_POINTWISE_RELU,
                                             .pool = shape->pool});
    assert_false(fixture->program.status);
    fixture_pack_filters(fixture, WEIGHT);
    clipc_program_output(&fixture->program, x, 2);
    fixture_run(fixture, threads, (void *[]){pixels, residual, y}, 3);
}

static void check_conv(const conv_case *shape, clipc_form form)
{
    const clipc_shape out = out_shape(shape);
    const size_t count = clipc_shape_count(&out);
    float *y = malloc(count * sizeof(float)), *pixels, *residual;
    size_t pooled = count;
    op_fixture fixture;
    double *wanted;

    open_conv(&fixture, shape, form);
    pixels = random_values(&fixture.random, shape->n * shape->height * shape->width * shape->in);
    residual = random_values(&fixture.random, count);
    run_conv(&fixture, shape, 2, pixels, residual, y);
    assert_int_equal(fixture.parameters.items[WEIGHT].form, form);
    wanted = convolve_all(shape, &out, pixels, fixture.raw[WEIGHT], fixture.raw[BIAS], residual);
    if (shape->pool > 1)
        pooled = pool_all(&out, shape->pool, wanted);
    /* Winograd's way loses a little of the largest sums that a tile has, wherever it is small. */
    assert_close(y, wanted, pooled,
                 form == CLIPC_FORM_WINOGRAD ? 1e-5 * sqrt((double)shape->in) : 1e-5,
                 form == CLIPC_FORM_WINOGRAD ? "conv2d by Winograd" : "conv2d");
    fixture_close(&fixture);
    free(pixels);
    free(residual);
    free(y);
    free(wanted);
}

static void test_convolutions(void **state)
{
    static const conv_case cases[] = {
        {1, 8, 8, 3, 5, 3, 2, 1, 0, false},   {2, 7, 9, 4, 9, 3, 1, 1, 0, true},
        {1, 1, 1, 2, 3, 3, 1, 1, 1, true},    {3, 5, 5, 6, 8, 1, 1, 0, 0, true},
        {1, 9, 6, 2, 130, 3, 2, 1, 0, true},  {2, 2, 3, 1, 1, 3, 1, 1, 1, false},
        {1, 12, 10, 3, 17, 5, 3, 2, 0, true}, {1, 6, 6, 2, 4, 1, 2, 0, 0, false},
        {1, 9, 9, 2, 300, 3, 1, 1, 1, true},  {5, 1, 7, 3, 2, 7, 1, 3, 0, true},
        {1, 4, 4, 1, 3, 4, 1, 0, 0, false},   {1, 11, 13, 65, 7, 1, 1, 0, 0, true},
        {2, 7, 9, 4, 9, 3, 1, 1, 2, true},    {1, 11, 8, 3, 5, 1, 1, 0, 3, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_conv(&cases[i], CLIPC_FORM_PANELS);
}

/* All sizes of a map's last tiles, few and many channels, with and without pooling. */
static void test_winograd(void **state)
{
    static const conv_case cases[] = {
        {1, 1, 1, 1, 1, 3, 1, 1, 1, false},     {2, 2, 3, 5, 17, 3, 1, 1, 1, false},
        {1, 3, 2, 9, 33, 3, 1, 1, 0, false},    {3, 4, 4, 8, 16, 3, 1, 1, 1, false},
        {2, 5, 7, 13, 40, 3, 1, 1, 1, false},   {1, 7, 6, 32, 64, 3, 1, 1, 1, false},
        {1, 20, 1, 3, 5, 3, 1, 1, 1, false},    {1, 1, 30, 70, 6, 3, 1, 1, 1, false},
        {5, 8, 12, 16, 300, 3, 1, 1, 1, false}, {1, 14, 13, 130, 20, 3, 1, 1, 1, false},
        {1, 2, 2, 3, 4, 3, 1, 1, 2, false},     {2, 3, 5, 16, 33, 3, 1, 1, 2, false},
        {3, 7, 9, 5, 17, 3, 1, 1, 2, false},    {1, 10, 8, 24, 32, 3, 1, 1, 2, false},
        {1, 9, 6, 40, 48, 3, 1, 1, 2, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_conv(&cases[i], CLIPC_FORM_WINOGRAD);
}

/* A picture's map has the same bits alone, in a batch, and with any number of threads. */
static void check_same_bits(const conv_case *batch, clipc_form form)
{
    const clipc_shape out = out_shape(batch);
    const size_t floats = batch->height * batch->width * batch->in;
    const size_t outputs = clipc_shape_count(&out) / batch->n;
    float *together = malloc(batch->n * outputs * sizeof(float));
    float *alone = malloc(outputs * sizeof(float)), *pixels;
    conv_case one = *batch;
    op_fixture fixture;

    one.n = 1;
    open_conv(&fixture, batch, form);
    pixels = random_values(&fixture.random, batch->n * floats);
    run_conv(&fixture, batch, 3, pixels, NULL, together);
    fixture_close(&fixture);
    for (size_t i = 0; i < batch->n; i++) {
        open_conv(&fixture, &one, form);
        run_conv(&fixture, &one, i % 2 ? 1 : 7, pixels + i * floats, NULL, alone);
        assert_memory_equal(alone, together + i * outputs, outputs * sizeof(float));
        fixture_close(&fixture);
    }
    free(pixels);
    free(together);
    free(alone);
}

static void test_same_bits(void **state)
{
    (void)state;
    check_same_bits(&(conv_case){5, 13, 11, 24, 130, 3, 1, 1, 1, false}, CLIPC_FORM_PANELS);
    check_same_bits(&(conv_case){5, 13, 11, 24, 130, 3, 1, 1, 1, false}, CLIPC_FORM_WINOGRAD);
    check_same_bits(&(conv_case){3, 30, 29, 64, 48, 3, 1, 1, 1, false}, CLIPC_FORM_WINOGRAD);
}

/* Filters are transformed where that is faster, and the choice is the declaring recording's. */
static void check_choice(const conv_case *shape, bool is_allowed, clipc_form form)
{
    const clipc_shape in = clipc_shape_4(1, shape->height, shape->width, shape->in);
    op_fixture fixture;

    open_conv(&fixture, shape, CLIPC_FORM_PANELS);
    fixture.parameters.kernels.allows_winograd = is_allowed;
    clipc_op_conv2d(&fixture.program, clipc_program_bind(&fixture.program, 0, &in), WEIGHT, BIAS,
                    CLIPC_NO_VALUE,
                    &(clipc_convolution){.stride = shape->stride, .padding = shape->padding});
    assert_false(fixture.program.status);
    assert_int_equal(fixture.parameters.items[WEIGHT].form, form);
    fixture_close(&fixture);
}

static void test_choice(void **state)
{
    (void)state;
    check_choice(&(conv_case){1, 14, 14, 64, 64, 3, 1, 1, 1, false}, true, CLIPC_FORM_WINOGRAD);
    check_choice(&(conv_case){1, 14, 14, 64, 64, 3, 1, 1, 1, false}, false, CLIPC_FORM_PANELS);
    check_choice(&(conv_case){1, 14, 14, 64, 64, 3, 2, 1, 1, false}, true, CLIPC_FORM_PANELS);
    check_choice(&(conv_case){1, 14, 14, 64, 64, 3, 1, 0, 1, false}, true, CLIPC_FORM_PANELS);
    check_choice(&(conv_case){1, 14, 14, 64, 64, 1, 1, 0, 1, false}, true, CLIPC_FORM_PANELS);
    check_choice(&(conv_case){1, 14, 14, 3, 64, 3, 1, 1, 1, false}, true, CLIPC_FORM_PANELS);
    check_choice(&(conv_case){1, 3, 3, 64, 64, 3, 1, 1, 1, false}, true, CLIPC_FORM_PANELS);
}

/* What the last step does not cover is left out. */
static void check_avgpool(size_t n, size_t height, size_t width, size_t channels, size_t step)
{
    const size_t out_height = height / step, out_width = width / step;
    const clipc_shape in = clipc_shape_4(n, height, width, channels);
    float *y = malloc(n * out_height * out_width * channels * sizeof(float)), *pixels;
    double *wanted = malloc(n * out_height * out_width * channels * sizeof(double));
    op_fixture fixture;
    clipc_value x;

    fixture_open(&fixture, 2);
    pixels = random_values(&fixture.random, n * height * width * channels);
    x = clipc_op_avgpool(&fixture.program, clipc_program_bind(&fixture.program, 0, &in), step);
    clipc_program_output(&fixture.program, x, 1);
    fixture_run(&fixture, 2, (void *[]){pixels, y}, 2);
    for (size_t at = 0; at < n * out_height * out_width * channels; at++) {
        const size_t c = at % channels, column = at / channels % out_width;
        const size_t row = at / channels / out_width; /* of all maps one below the other */
        const size_t top = row / out_height * height + row % out_height * step;

        wanted[at] = 0.0;
        for (size_t i = 0; i < step * step; i++)
            wanted[at] += (double)
                pixels[((top + i / step) * width + column * step + i % step) * channels + c];
        wanted[at] /= (double)(step * step);
    }
    assert_close(y, wanted, n * out_height * out_width * channels, 1e-6, "avgpool");
    fixture_close(&fixture);
    free(pixels);
    free(y);
    free(wanted);
}

static void test_avgpool(void **state)
{
    (void)state;
    check_avgpool(2, 5, 7, 3, 2);
    check_avgpool(1, 3, 3, 1, 3);
    check_avgpool(3, 4, 6, 17, 1);
    check_avgpool(2, 9, 8, 2, 4);
}

static void test_channels_last_then_tokens(void **state)
{
    enum { N = 2, C = 5, H = 3, W = 4, TOKENS = 1 + H * W };
    const clipc_shape in = {.rank = 4, .extent = {N, C, H, W}};
    float y[N * TOKENS * C], *pixels;
    double wanted[N * TOKENS * C];
    op_fixture fixture;
    clipc_parameter_id positions;
    clipc_value x;

    (void)state;
    fixture_open(&fixture, 4);
    pixels = random_values(&fixture.random, N * C * H * W);
    x = clipc_op_channels_last(&fixture.program, clipc_program_bind(&fixture.program, 0, &in));
    positions = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_2(TOKENS, C));
    x = clipc_op_pool_tokens(&fixture.program, x, positions);
    clipc_program_output(&fixture.program, x, 1);
    fixture_run(&fixture, 2, (void *[]){pixels, y}, 2);
    for (size_t at = 0; at < N * TOKENS * C; at++) {
        const size_t c = at % C, token = at / C % TOKENS, n = at / C / TOKENS;
        const float *map = pixels + (n * C + c) * H * W;

        wanted[at] = (double)fixture.raw[positions][token * C + c];
        for (size_t i = 0; token == 0 && i < H * W; i++)
            wanted[at] += (double)map[i] / (H * W);
        if (token > 0)
            wanted[at] += (double)map[token - 1];
    }
    assert_close(y, wanted, N * TOKENS * C, 1e-6, "pool_tokens");
    fixture_close(&fixture);
    free(pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions), cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_same_bits),    cmocka_unit_test(test_choice),
        cmocka_unit_test(test_avgpool),      cmocka_unit_test(test_channels_last_then_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
