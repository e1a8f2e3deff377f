/* SPDX-License-Identifier: MIT */
/* Packing weights into panels, whole and in chunks; the float32 form against its definition. */
#include "base/sizes.h"
#include "ops/op_test.h"

static void check_chunks(const clipc_matrix_kernel *kernel, size_t out, size_t in, size_t panels)
{
    random_state random = {out * 100 + in};
    float *weights = random_values(&random, out * in);
    const size_t chunk = panels * kernel->panel_columns;
    void *whole = pack_matrix(kernel, weights, out, in), *pieces;
    const size_t panel_bytes = clipc_panel_bytes(kernel, in);
    size_t bytes;

    assert_true(clipc_packed_bytes(kernel, out, in, &bytes));
    assert_int_equal(bytes % CLIPC_ALIGNMENT, 0);
    assert_int_equal(bytes,
                     (out + kernel->panel_columns - 1) / kernel->panel_columns * panel_bytes);
    pieces = clipc_alloc_aligned(bytes, 1);
    memcpy(pieces, whole, bytes); /* what packing leaves out stays as it was in both */
    for (size_t first = 0; first < out; first += chunk) {
        const size_t rows = first + chunk < out ? chunk : out - first;

        memset((char *)pieces + first / kernel->panel_columns * panel_bytes, 0xEE, 16);
        clipc_pack_rows(kernel, pieces, in, first, rows, weights + first * in);
    }
    assert_memory_equal(whole, pieces, bytes);
    if (kernel->dtype == CLIPC_DTYPE_F32)
        for (size_t i = 0; i < clipc_round_up(out, kernel->panel_columns); i++)
            for (size_t k = 0; k < in; k++) {
                const float *panel =
                    (const float *)whole + i / kernel->panel_columns * panel_bytes / sizeof(float);

                assert_true(panel[k * kernel->panel_columns + i % kernel->panel_columns] ==
                            (i < out ? weights[i * in + k] : 0.0f));
            }
    free(weights);
    free(whole);
    free(pieces);
}

static void check_kernel(const clipc_matrix_kernel *kernel)
{
    size_t bytes;

    check_chunks(kernel, 1, 1, 1);
    check_chunks(kernel, 8, 5, 1);
    check_chunks(kernel, 32, 24, 1);
    check_chunks(kernel, 97, 9, 2);
    check_chunks(kernel, 70, 33, 1);
    check_chunks(kernel, 64, 67, 1);
    assert_false(clipc_packed_bytes(kernel, SIZE_MAX - 3, 1, &bytes));
    assert_false(clipc_packed_bytes(kernel, 1, SIZE_MAX / 4, &bytes));
    assert_false(clipc_packed_bytes(kernel, SIZE_MAX / 4, 64, &bytes));
}

static void test_packing(void **state)
{
    (void)state;
    for (const clipc_kernels *level = clipc_kernels_next(NULL); level;
         level = clipc_kernels_next(level)) {
        check_kernel(level->f32);
        check_kernel(level->bf16);
        check_kernel(level->int8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
