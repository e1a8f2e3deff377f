/* SPDX-License-Identifier: MIT */
/*
 * Rounding that keeps the sum: what it gives are neighbouring bfloat16 values, and the sum stays.
 */
#include "model/rounding.h"

#include "base/float_formats.h"
#include "ops/op_test.h"

static void check(size_t count, float mean)
{
    random_state random = {count};
    float *weights = random_values(&random, count), *rounded = malloc(count * sizeof(float));
    double sum = 0.0, nearest_sum = 0.0, rounded_sum = 0.0, largest_step = 0.0;

    assert_non_null(rounded);
    for (size_t k = 0; k < count; k++)
        rounded[k] = weights[k] += mean;
    clipc_round_keeping_sum(rounded, count);
    for (size_t k = 0; k < count; k++) {
        const double step = ldexp(1.0, ilogbf(weights[k]) - 7);

        assert_true(clipc_float_from_bf16(clipc_bf16_from_float(rounded[k])) == rounded[k]);
        assert_true(fabs((double)rounded[k] - (double)weights[k]) < 0.76 * step);
        sum += (double)weights[k];
        rounded_sum += (double)rounded[k];
        nearest_sum += (double)clipc_float_from_bf16(clipc_bf16_from_float(weights[k]));
        largest_step = fmax(largest_step, step);
    }
    assert_true(fabs(rounded_sum - sum) <= fabs(nearest_sum - sum));
    if (count >= 64)
        assert_true(fabs(rounded_sum - sum) <= largest_step);
    free(weights);
    free(rounded);
}

static void test_sums_are_kept(void **state)
{
    (void)state;
    for (size_t count = 1; count < 70; count++)
        check(count, 0.0f);
    check(64, 0.3f);
    check(576, 0.0f);
    check(2048, 0.1f);
    check(4608, -0.2f);
}

static void test_values_that_are_bfloat16_stay(void **state)
{
    float weights[] = {0.0f, -0.0f, 1.0f, -2.5f, 0x1.02p-30f, 3.3895314e38f};
    const float before[] = {0.0f, -0.0f, 1.0f, -2.5f, 0x1.02p-30f, 3.3895314e38f};

    (void)state;
    clipc_round_keeping_sum(weights, 6);
    assert_memory_equal(weights, before, sizeof(before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_are_kept),
        cmocka_unit_test(test_values_that_are_bfloat16_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
