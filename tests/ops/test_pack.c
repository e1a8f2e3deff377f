/* SPDX-License-Identifier: MIT */
/* Packing weights into panels, whole and in chunks; the float32 form against its definition. */
#include "base/sizes.h"
#include "compute/repack.h"
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
    memset(pieces, 0xEE, bytes);
    for (size_t first = 0; first < out; first += chunk) {
        const size_t rows = first + chunk < out ? chunk : out - first;

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

/* --- From one kernel's panels to another's --- */

/* Every level that a build may have. */
static const char *const levels[] = {"portable",    "avx2", "avx512",       "avx512-vnni",
                                     "avx512-bf16", "neon", "neon-dotprod", "neon-bf16"};
#define LEVEL_COUNT (sizeof(levels) / sizeof(levels[0]))

static const clipc_dtype dtypes[] = {CLIPC_DTYPE_F32, CLIPC_DTYPE_BF16, CLIPC_DTYPE_INT8};

static bool runs_here(const clipc_kernels *wanted)
{
    const clipc_kernels *level = NULL;

    while ((level = clipc_kernels_next(level)) && level != wanted)
        ;
    return level != NULL;
}

static void *repack(const clipc_matrix_kernel *from, void *packed, const clipc_matrix_kernel *to,
                    size_t out, size_t in, size_t *bytes)
{
    clipc_parameter parameter = {.role = CLIPC_ROLE_MATRIX,
                                 .shape = clipc_shape_2(out, in),
                                 .form = CLIPC_FORM_PANELS,
                                 .kernel = to};
    void *repacked;

    assert_true(clipc_parameter_bytes(&parameter, bytes));
    repacked = clipc_alloc_aligned(*bytes, 1);
    assert_non_null(repacked);
    memset(repacked, 0xEE, *bytes);
    parameter.kernel = from;
    parameter.data = packed;
    clipc_repack(&parameter, to, repacked);
    return repacked;
}

/*
 * What `from` packs, repacked for `to`, is what `to` packs where that can run here; and repacked
 * once more it is what it was, where it can not.
 */
static void check_repack(const clipc_matrix_kernel *from, const clipc_matrix_kernel *to,
                         bool to_runs, size_t out, size_t in)
{
    random_state random = {out * 100 + in};
    float *weights = random_values(&random, out * in);
    void *packed = pack_matrix(from, weights, out, in), *there, *back;
    size_t there_bytes, back_bytes;

    there = repack(from, packed, to, out, in, &there_bytes);
    back = repack(to, there, from, out, in, &back_bytes);
    assert_memory_equal(back, packed, back_bytes);
    if (to_runs) {
        void *expected = pack_matrix(to, weights, out, in);

        assert_memory_equal(there, expected, there_bytes);
        free(expected);
    }
    free(weights);
    free(packed);
    free(there);
    free(back);
}

static void test_repacking(void **state)
{
    static const size_t shapes[][2] = {{1, 1}, {7, 5}, {16, 8}, {33, 3}, {70, 31}, {64, 66}};

    (void)state;
    for (const clipc_kernels *from = clipc_kernels_next(NULL); from;
         from = clipc_kernels_next(from))
        for (size_t i = 0; i < LEVEL_COUNT; i++) {
            const clipc_kernels *to = clipc_kernels_named(levels[i]);

            for (size_t j = 0; to && j < 3; j++)
                for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++)
                    check_repack(clipc_kernels_matrix(from, dtypes[j]),
                                 clipc_kernels_matrix(to, dtypes[j]), runs_here(to), shapes[k][0],
                                 shapes[k][1]);
        }
}

/* Random 3x3 filters in Winograd's form for a kernel; the same ones each time. */
static void *pack_filters(clipc_parameter *filters, const clipc_matrix_kernel *kernel,
                          size_t *bytes)
{
    const size_t out = filters->shape.extent[0], in = filters->shape.extent[1];
    random_state random = {7};
    float *weights = random_values(&random, out * in * 9);
    float *points = random_values(&random, clipc_pack_winograd_floats(kernel, in));

    filters->kernel = kernel;
    assert_true(clipc_parameter_bytes(filters, bytes));
    filters->data = clipc_alloc_aligned(*bytes, 1);
    assert_non_null(filters->data);
    memset(filters->data, 0xEE, *bytes);
    clipc_pack_winograd(kernel, filters->data, in, 0, out, weights, points);
    free(weights);
    free(points);
    return filters->data;
}

static void test_repacking_winograd(void **state)
{
    clipc_parameter filters = {.role = CLIPC_ROLE_CONVOLUTION,
                               .shape = clipc_shape_4(37, 5, 3, 3),
                               .form = CLIPC_FORM_WINOGRAD};
    size_t bytes;

    (void)state;
    for (const clipc_kernels *to = clipc_kernels_next(NULL); to; to = clipc_kernels_next(to)) {
        void *expected = pack_filters(&filters, to->f32, &bytes);
        void *repacked = clipc_alloc_aligned(bytes, 1), *packed;
        size_t ignored;

        assert_non_null(repacked);
        memset(repacked, 0xEE, bytes);
        packed = pack_filters(&filters, clipc_kernels_portable.f32, &ignored);
        clipc_repack(&filters, to->f32, repacked);
        assert_memory_equal(repacked, expected, bytes);
        free(expected);
        free(packed);
        free(repacked);
    }
}

/* The sums of avx512-vnni's columns, which may not run here, against the definition. */
static void test_column_sums(void **state)
{
    static const float weights[] = {127, -1, 2, 1, 1, 1}; /* 2 columns of depth 3 */
    const clipc_kernels *vnni = clipc_kernels_named("avx512-vnni");
    const clipc_matrix_kernel *portable = clipc_kernels_portable.int8;
    void *packed = pack_matrix(portable, weights, 2, 3);

    (void)state;
    if (vnni) {
        size_t bytes;
        int32_t *there = repack(portable, packed, vnni->int8, 2, 3, &bytes);

        assert_int_equal(there[vnni->int8->panel_columns], 127 - 1 + 2);
        assert_int_equal(there[vnni->int8->panel_columns + 1], 3 * 127);
        assert_int_equal(there[vnni->int8->panel_columns + 2], 0);
        free(there);
    }
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_repacking),
        cmocka_unit_test(test_repacking_winograd),
        cmocka_unit_test(test_column_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
