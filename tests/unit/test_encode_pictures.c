/* SPDX-License-Identifier: MIT */
/*
 * Files and pictures through the batches that are read while others are encoded: the same bits and
 * the same errors for any number of threads and size of batches, bad files anywhere among them.
 */
#include <clipc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PICTURES CLIPC_SOURCE_DIR "/models/tiny/pictures/"
#define OTHERS CLIPC_TEST_DATA "/pictures/"

enum { N = 23 };

static const char *const good_files[] = {
    PICTURES "apple.png",  PICTURES "bicycle.png", PICTURES "boat.png", PICTURES "cat.png",
    OTHERS "jpeg_420.jpg", OTHERS "jpeg_grey.jpg", OTHERS "bmp_24.bmp",
};
static const char *const bad_files[] = {PICTURES "draw.py", OTHERS "no-such.png"};

static clipc_model *model;
static clipc_model_info info;
static float *alone; /* [good files][embed_dim], each encoded for itself */

static clipc_session *open_session(unsigned threads, size_t max_batch)
{
    clipc_session_options options;
    clipc_session *session;
    clipc_error error;

    clipc_session_options_init(&options);
    options.threads = threads;
    options.max_batch = max_batch;
    assert_int_equal(clipc_session_open(&session, model, &options, &error), CLIPC_OK);
    return session;
}

static int open_model(void **state)
{
    const size_t count = sizeof(good_files) / sizeof(good_files[0]);
    clipc_session *session;
    clipc_error error;

    (void)state;
    assert_int_equal(clipc_model_open(&model, "tiny", NULL, &error), CLIPC_OK);
    clipc_model_get_info(model, &info);
    alone = calloc(count, info.embed_dim * sizeof(*alone));
    session = open_session(1, 1);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(clipc_encode_image_files(session, &good_files[i], 1, NULL,
                                                  alone + i * info.embed_dim, NULL, &error),
                         CLIPC_OK);
    clipc_session_close(session);
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    free(alone);
    clipc_model_close(model);
    return 0;
}

/* kinds[i]: which good file, or -1 - which bad one. every: a bad one after so many; 0: none. */
static void choose_files(size_t n, size_t every, const char **paths, int *kinds)
{
    const size_t good = sizeof(good_files) / sizeof(good_files[0]);
    const size_t bad = sizeof(bad_files) / sizeof(bad_files[0]);

    for (size_t i = 0; i < n; i++)
        if (every && i % every == every - 1) {
            kinds[i] = -1 - (int)(i / every % bad);
            paths[i] = bad_files[i / every % bad];
        } else {
            kinds[i] = (int)(i * 5 % good);
            paths[i] = good_files[i * 5 % good];
        }
}

static void expect_rows(const int *kinds, size_t n, const float *rows, const clipc_error *errors)
{
    for (size_t i = 0; i < n; i++) {
        const float *row = rows + i * info.embed_dim;

        if (kinds[i] >= 0) {
            assert_int_equal(errors[i].code, CLIPC_OK);
            assert_memory_equal(row, alone + (size_t)kinds[i] * info.embed_dim,
                                info.embed_dim * sizeof(*row));
            continue;
        }
        assert_int_equal(errors[i].code, kinds[i] == -1 ? CLIPC_ERROR_FORMAT : CLIPC_ERROR_IO);
        for (size_t j = 0; j < info.embed_dim; j++)
            assert_true(row[j] == 0.0f);
    }
}

static void check_files(clipc_session *session, size_t n, size_t every)
{
    const char *paths[N];
    int kinds[N];
    clipc_error errors[N], error, *first = NULL;
    float *rows = malloc(N * info.embed_dim * sizeof(*rows));
    clipc_status status;

    assert_non_null(rows);
    choose_files(n, every, paths, kinds);
    memset(errors, 0xFF, sizeof(errors));
    status = clipc_encode_image_files(session, paths, n, NULL, rows, errors, &error);
    expect_rows(kinds, n, rows, errors);
    for (size_t i = n; i-- > 0;)
        if (errors[i].code != CLIPC_OK)
            first = &errors[i];
    assert_int_equal(status, first ? first->code : CLIPC_OK);
    if (first)
        assert_string_equal(error.message, first->message);
    free(rows);
}

static void test_files(void **state)
{
    static const size_t batches[] = {0, 1, 2, 5};

    (void)state;
    for (unsigned threads = 1; threads <= 3; threads += 2)
        for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
            clipc_session *session = open_session(threads, batches[i]);

            check_files(session, 0, 0);
            check_files(session, 3, 1);
            check_files(session, N, 0);
            check_files(session, N, 3);
            clipc_session_close(session);
        }
}

static void test_pictures(void **state)
{
    const size_t count = sizeof(good_files) / sizeof(good_files[0]);
    clipc_image *images[sizeof(good_files) / sizeof(good_files[0])];
    float *rows = malloc(count * info.embed_dim * sizeof(*rows));
    clipc_session *session = open_session(2, 3);
    clipc_error error;

    (void)state;
    assert_non_null(rows);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(clipc_image_read(&images[i], good_files[i], NULL, &error), CLIPC_OK);
    assert_int_equal(
        clipc_encode_images(session, (const clipc_image *const *)images, count, rows, &error),
        CLIPC_OK);
    assert_memory_equal(rows, alone, count * info.embed_dim * sizeof(*rows));
    for (size_t i = 0; i < count; i++)
        clipc_image_close(images[i]);
    clipc_session_close(session);
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_pictures),
    };

    return cmocka_run_group_tests(tests, open_model, close_model);
}
