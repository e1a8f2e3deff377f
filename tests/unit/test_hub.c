/* SPDX-License-Identifier: MIT */
/*
 * Known models, cache paths, and pulling from file:// addresses. test_hub_http.c has the network.
 */
#include "temporary_folder.h"

#include "hub/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* SHA-256 of "abc", from the standard that defines it. */
static const char abc_sum[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/* A path in the folder; valid until the fourth call from now. */
static const char *in_folder(const char *name)
{
    static char paths[4][192];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static const char *file_url(const char *name)
{
    static char url[256];

    snprintf(url, sizeof(url), "file://%s", in_folder(name));
    return url;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *name, const char *text)
{
    char bytes[256] = "";
    FILE *file = fopen(in_folder(name), "rb");

    assert_non_null(file);
    (void)!fread(bytes, 1, sizeof(bytes) - 1, file);
    fclose(file);
    assert_string_equal(bytes, text);
}

static bool exists(const char *name)
{
    struct stat facts;

    return stat(in_folder(name), &facts) == 0;
}

static clipc_status pull(const char *url, const char *sum, const char *name, clipc_error *error)
{
    clipc_pull_options options;

    clipc_pull_options_init(&options);
    return clipc_pull_file(url, sum, in_folder(name), &options, error);
}

static void test_known_models(void **state)
{
    (void)state;
    assert_int_equal(clipc_known_model_count(), 10);
    assert_null(clipc_known_model_at(10));
    assert_string_equal(clipc_known_model_at(0)->name, "tiny");
    assert_null(clipc_known_model_at(0)->url);
    for (size_t i = 1; i < clipc_known_model_count(); i++) {
        const clipc_known_model *model = clipc_known_model_at(i);

        assert_ptr_equal(clipc_known_model_find(model->name, NULL), model);
        assert_int_equal(strlen(model->sha256), 64);
        assert_int_equal(strspn(model->sha256, "0123456789abcdef"), 64);
        assert_non_null(strstr(model->url, model->sha256));
        assert_true(model->params > 100000000 && model->bytes > 2 * model->params);
    }
}

static void test_unknown_name(void **state)
{
    clipc_error error;
    char path[256];

    (void)state;
    assert_int_equal(clipc_pull("vit-b/32", NULL, &error), CLIPC_ERROR_NOT_FOUND);
    assert_non_null(strstr(error.message, "vit-b/32"));
    assert_non_null(strstr(error.message, "ViT-L/14@336px"));
    assert_int_equal(clipc_cache_path("", "/c", path, sizeof(path), NULL, &error),
                     CLIPC_ERROR_NOT_FOUND);
    assert_int_equal(clipc_cache_path("tiny", "/c", path, sizeof(path), NULL, &error),
                     CLIPC_ERROR_ARGUMENT);
    assert_int_equal(clipc_pull("tiny", NULL, &error), CLIPC_OK);
    assert_int_equal(clipc_pull(NULL, NULL, NULL), CLIPC_ERROR_ARGUMENT);
}

static void assert_cache_path(const char *cache_dir, const char *expected)
{
    char path[256];
    bool cached = true;

    assert_int_equal(
        clipc_cache_path("ViT-L/14@336px", cache_dir, path, sizeof(path), &cached, NULL), CLIPC_OK);
    assert_string_equal(path, expected);
    assert_false(cached);
}

static void test_cache_folder(void **state)
{
    char path[256];

    (void)state;
    setenv("HOME", "/home/reader", 1);
    setenv("XDG_CACHE_HOME", "/var/x", 1);
    setenv("CLIPC_CACHE", "models", 1);
    assert_cache_path("/given", "/given/ViT-L-14-336px.pt");
    assert_cache_path(NULL, "models/ViT-L-14-336px.pt");
    setenv("CLIPC_CACHE", "", 1);
    assert_cache_path(NULL, "/var/x/clip/ViT-L-14-336px.pt");
    setenv("XDG_CACHE_HOME", "relative", 1);
    assert_cache_path(NULL, "/home/reader/.cache/clip/ViT-L-14-336px.pt");
    unsetenv("XDG_CACHE_HOME");
    assert_cache_path(NULL, "/home/reader/.cache/clip/ViT-L-14-336px.pt");
    unsetenv("HOME");
    assert_int_equal(clipc_cache_path("RN50", NULL, path, sizeof(path), NULL, NULL),
                     CLIPC_ERROR_NOT_FOUND);
    assert_int_equal(clipc_cache_path("RN50", "", path, sizeof(path), NULL, NULL),
                     CLIPC_ERROR_ARGUMENT);
}

static void test_cache_path_room(void **state)
{
    char path[13] = "untouched";

    (void)state;
    assert_int_equal(clipc_cache_path("RN101", "/c", path, 11, NULL, NULL), CLIPC_ERROR_LIMIT);
    assert_string_equal(path, "untouched");
    assert_int_equal(clipc_cache_path("RN101", "/c", path, 12, NULL, NULL), CLIPC_OK);
    assert_string_equal(path, "/c/RN101.pt");
}

static void test_cached(void **state)
{
    char path[256];
    bool cached = false;

    (void)state;
    write_file("RN50.pt", "anything");
    assert_int_equal(clipc_cache_path("RN50", folder, path, sizeof(path), &cached, NULL), CLIPC_OK);
    assert_true(cached);
    assert_int_equal(mkdir(in_folder("RN101.pt"), 0777), 0);
    assert_int_equal(clipc_cache_path("RN101", folder, path, sizeof(path), &cached, NULL),
                     CLIPC_OK);
    assert_false(cached);
}

static void assert_sum(const char *name, const char *expected)
{
    clipc_progress progress = {0};
    char sum[CLIPC_SHA256_HEX_SIZE];
    int descriptor = open(in_folder(name), O_RDONLY);

    assert_true(descriptor >= 0);
    assert_int_equal(clipc_sha256_file(descriptor, name, &progress, sum, NULL), CLIPC_OK);
    close(descriptor);
    assert_string_equal(sum, expected);
}

/* The standard's examples; the third spans several reads. */
static void test_sums(void **state)
{
    char *many = malloc(1000001);

    (void)state;
    assert_non_null(many);
    memset(many, 'a', 1000000);
    many[1000000] = '\0';
    write_file("empty", "");
    write_file("abc", "abc");
    write_file("many", many);
    free(many);
    assert_sum("empty", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sum("abc", abc_sum);
    assert_sum("many", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_pull_local(void **state)
{
    (void)state;
    write_file("a b", "abc");
    assert_int_equal(pull(file_url("a%20b"), abc_sum, "out", NULL), CLIPC_OK);
    assert_file("out", "abc");
    assert_false(exists("out.part"));
    assert_false(exists("out.lock"));
    /* There already: the address is not even looked at. */
    assert_int_equal(pull("gopher://nowhere", abc_sum, "out", NULL), CLIPC_OK);
    /* There, but wrong. */
    write_file("out", "abx");
    assert_int_equal(pull(file_url("a%20b"), abc_sum, "out", NULL), CLIPC_OK);
    assert_file("out", "abc");
}

static void test_pull_wrong_sum(void **state)
{
    clipc_error error;

    (void)state;
    write_file("in", "abd");
    write_file("out", "older");
    assert_int_equal(pull(file_url("in"), abc_sum, "out", &error), CLIPC_ERROR_CHECKSUM);
    assert_non_null(strstr(error.message, abc_sum));
    assert_non_null(
        strstr(error.message, "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"));
    assert_file("out", "older"); /* what was there is not touched */
    assert_false(exists("out.part"));
    assert_false(exists("out.lock"));
}

/* A part of something else does not spoil the next pull. */
static void test_pull_over_stale_part(void **state)
{
    (void)state;
    write_file("in", "abc");
    write_file("out.part", "something longer");
    assert_int_equal(pull(file_url("in"), abc_sum, "out", NULL), CLIPC_OK);
    assert_file("out", "abc");
}

static void test_pull_bad_addresses(void **state)
{
    static const char *const not_files[] = {"file://",    "file://host/x", "file:///%",
                                            "file:///%4", "file:///%zz",   "file:///a%00b"};
    clipc_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(not_files) / sizeof(not_files[0]); i++)
        assert_int_equal(pull(not_files[i], abc_sum, "out", &error), CLIPC_ERROR_ARGUMENT);
    assert_int_equal(pull(file_url("missing"), abc_sum, "out", &error), CLIPC_ERROR_IO);
    assert_int_equal(pull(file_url("."), abc_sum, "out", &error), CLIPC_ERROR_IO);
    assert_int_equal(pull("ftp://localhost/x", abc_sum, "out", &error), CLIPC_ERROR_UNSUPPORTED);
    assert_int_equal(pull("", abc_sum, "out", &error), CLIPC_ERROR_UNSUPPORTED);
    assert_false(exists("out.part"));
    assert_false(exists("out.lock"));
}

static void test_pull_makes_folders(void **state)
{
    clipc_pull_options options;
    clipc_error error;
    char cache[128];

    (void)state;
    write_file("in", "not a model");
    snprintf(cache, sizeof(cache), "%s/new/deep//folder", folder);
    clipc_pull_options_init(&options);
    options.cache_dir = cache;
    options.url = file_url("in");
    assert_int_equal(clipc_pull("ViT-B/32", &options, &error), CLIPC_ERROR_CHECKSUM);
    assert_non_null(strstr(error.message, "ViT-B-32.pt"));
    assert_true(exists("new/deep/folder"));
    assert_int_equal(rmdir(in_folder("new/deep/folder")), 0); /* nothing was left in it */
}

static void test_cache_in_the_way(void **state)
{
    clipc_pull_options options;
    clipc_error error;
    char cache[128];

    (void)state;
    write_file("file", "abc");
    snprintf(cache, sizeof(cache), "%s/file/cache", folder);
    clipc_pull_options_init(&options);
    options.cache_dir = cache;
    options.url = file_url("file");
    assert_int_equal(clipc_pull("RN50", &options, &error), CLIPC_ERROR_IO);
    assert_int_equal(mkdir(in_folder("RN50.pt"), 0777), 0);
    options.cache_dir = folder;
    assert_int_equal(clipc_pull("RN50", &options, &error), CLIPC_ERROR_IO);
    assert_non_null(strstr(error.message, "regular file"));
}

/* Permissions do not bind root, so this says nothing there. */
static void test_read_only_cache(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip();
    write_file("out", "abc");
    write_file("in", "abc");
    assert_int_equal(chmod(folder, 0500), 0);
    assert_int_equal(pull(file_url("in"), abc_sum, "out", NULL), CLIPC_OK);
    assert_int_equal(pull(file_url("in"), abc_sum, "other", NULL), CLIPC_ERROR_IO);
    assert_int_equal(chmod(folder, 0700), 0);
}

/* A limit on the size of files stands in for a full disk. */
static void test_full_disk(void **state)
{
    struct rlimit before, small;
    clipc_error error;
    clipc_status status;

    (void)state;
    write_file("in", "abc");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 2;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = pull(file_url("in"), abc_sum, "out", &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, CLIPC_ERROR_IO);
    assert_non_null(strstr(error.message, "cannot write"));
    assert_false(exists("out"));
    assert_int_equal(pull(file_url("in"), abc_sum, "out", &error), CLIPC_OK);
    assert_file("out", "abc");
}

static void test_option_sizes(void **state)
{
    clipc_pull_options options;

    (void)state;
    clipc_pull_options_init(&options);
    assert_int_equal(options.size, sizeof(options));
    options.size = sizeof(options) + 8;
    assert_int_equal(clipc_pull("tiny", &options, NULL), CLIPC_ERROR_ARGUMENT);
    options.size = 0;
    assert_int_equal(clipc_pull("tiny", &options, NULL), CLIPC_ERROR_ARGUMENT);
    options.size = offsetof(clipc_pull_options, progress);
    assert_int_equal(clipc_pull("tiny", &options, NULL), CLIPC_OK);
}

static bool stop(void *data, uint64_t received, uint64_t total)
{
    (void)received;
    (void)total;
    ++*(int *)data;
    return true;
}

static void test_cancel(void **state)
{
    clipc_pull_options options;
    int calls = 0;

    (void)state;
    write_file("in", "abc");
    clipc_pull_options_init(&options);
    options.progress = stop;
    options.progress_data = &calls;
    assert_int_equal(clipc_pull_file(file_url("in"), abc_sum, in_folder("out"), &options, NULL),
                     CLIPC_ERROR_CANCELLED);
    assert_int_equal(calls, 1);
    assert_false(exists("out"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_models),
        cmocka_unit_test(test_unknown_name),
        cmocka_unit_test(test_cache_folder),
        cmocka_unit_test(test_cache_path_room),
        cmocka_unit_test_setup_teardown(test_cached, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_sums, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_pull_local, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_pull_wrong_sum, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_pull_over_stale_part, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_pull_bad_addresses, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_pull_makes_folders, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_cache_in_the_way, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_read_only_cache, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_full_disk, make_folder, remove_folder),
        cmocka_unit_test(test_option_sizes),
        cmocka_unit_test_setup_teardown(test_cancel, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
