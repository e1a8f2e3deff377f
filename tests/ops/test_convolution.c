/* SPDX-License-Identifier: MIT */
/* conv2d, avgpool, channels_last and pool_tokens against the definitions, in double. */
#include "ops/op_test.h"

typedef struct conv_case {
    size_t n, height, width, in, out, kernel, stride, padding;
    bool has_residual;
} conv_case;

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

/* Filters come as [out][in][k][k] and are packed as loading does: [out][k][k][in]. */
static clipc_parameter_id filters(op_fixture *fixture, const conv_case *shape)
{
    const size_t places = shape->kernel * shape->kernel, depth = places * shape->in;
    clipc_parameter_id id =
        fixture_parameter(fixture, CLIPC_ROLE_CONVOLUTION,
                          clipc_shape_4(shape->out, shape->in, shape->kernel, shape->kernel));
    float *arranged = malloc(shape->out * depth * sizeof(float));

    for (size_t o = 0; o < shape->out; o++)
        for (size_t c = 0; c < shape->in; c++)
            for (size_t p = 0; p < places; p++)
                arranged[o * depth + p * shape->in + c] =
                    fixture->raw[id][o * depth + c * places + p];
    free(fixture->parameters.items[id].data);
    fixture->parameters.items[id].data =
        pack_matrix(fixture->parameters.kernels.convolution, arranged, shape->out, depth);
    free(arranged);
    return id;
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

static void check_conv(const conv_case *shape)
{
    const size_t out_height =
        (shape->height + 2 * shape->padding - shape->kernel) / shape->stride + 1;
    const size_t out_width =
        (shape->width + 2 * shape->padding - shape->kernel) / shape->stride + 1;
    const size_t count = shape->n * out_height * out_width * shape->out;
    const clipc_shape in = clipc_shape_4(shape->n, shape->height, shape->width, shape->in);
    const clipc_shape out = clipc_shape_4(shape->n, out_height, out_width, shape->out);
    float *y = malloc(count * sizeof(float)), *pixels, *r;
    double *wanted = malloc(count * sizeof(double));
    op_fixture fixture;
    clipc_parameter_id weight, bias;
    clipc_value x, residual = CLIPC_NO_VALUE;

    fixture_open(&fixture, shape->height * 100 + shape->out);
    pixels = random_values(&fixture.random, shape->n * shape->height * shape->width * shape->in);
    r = random_values(&fixture.random, count);
    x = clipc_program_bind(&fixture.program, 0, &in);
    if (shape->has_residual)
        residual = clipc_program_bind(&fixture.program, 1, &out);
    weight = filters(&fixture, shape);
    bias = fixture_parameter(&fixture, CLIPC_ROLE_VALUES, clipc_shape_1(shape->out));
    x = clipc_op_conv2d(&fixture.program, x, weight, bias, residual, shape->stride, shape->padding,
                        CLIPC_POINTWISE_RELU);
    assert_true(clipc_shape_equal(clipc_program_shape(&fixture.program, x), &out));
    clipc_program_output(&fixture.program, x, 2);
    fixture_run(&fixture, 2, (void *[]){pixels, r, y}, 3);
    for (size_t at = 0; at < count; at++) {
        const size_t o = at % shape->out, place = at / shape->out;
        const size_t n = place / (out_height * out_width);
        double sum = (double)fixture.raw[bias][o] + (shape->has_residual ? (double)r[at] : 0.0);

        sum += convolve(shape, pixels,
                        fixture.raw[weight] + o * shape->in * shape->kernel * shape->kernel, n,
                        place / out_width % out_height, place % out_width);
        wanted[at] = sum > 0.0 ? sum : 0.0;
    }
    assert_close(y, wanted, count, 1e-5, "conv2d");
    fixture_close(&fixture);
    free(pixels);
    free(r);
    free(y);
    free(wanted);
}

static void test_convolutions(void **state)
{
    static const conv_case cases[] = {
        {1, 8, 8, 3, 5, 3, 2, 1, false},   {2, 7, 9, 4, 9, 3, 1, 1, true},
        {1, 1, 1, 2, 3, 3, 1, 1, true},    {3, 5, 5, 6, 8, 1, 1, 0, true},
        {1, 9, 6, 2, 130, 3, 2, 1, true},  {2, 2, 3, 1, 1, 3, 1, 1, false},
        {1, 12, 10, 3, 17, 5, 3, 2, true}, {1, 6, 6, 2, 4, 1, 2, 0, false},
        {1, 9, 9, 2, 300, 3, 1, 1, true},  {5, 1, 7, 3, 2, 7, 1, 3, true},
        {1, 4, 4, 1, 3, 4, 1, 0, false},   {1, 11, 13, 65, 7, 1, 1, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_conv(&cases[i]);
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
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_avgpool),
        cmocka_unit_test(test_channels_last_then_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
