/* SPDX-License-Identifier: MIT */
/*
 * The kernels over single rows of every level that this processor has, against sums in double
 * precision. Buffers end at guard pages.
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

static void fill(guarded *buffer, size_t count, random_state *random, float scale)
{
    float *values = random_values(random, count);

    *buffer = guarded_open(count * sizeof(float));
    for (size_t i = 0; i < count; i++)
        ((float *)buffer->data)[i] = scale * values[i];
    free(values);
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
        max = (double)values[j] > max ? (double)values[j] : max;
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
        cmocka_unit_test(test_layernorm),
        cmocka_unit_test(test_softmax),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
