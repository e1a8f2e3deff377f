/* SPDX-License-Identifier: MIT */
/* Packing weights into panels, against its definition. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
