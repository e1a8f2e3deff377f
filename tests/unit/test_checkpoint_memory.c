/* SPDX-License-Identifier: MIT */
/*
 * Every allocation failed in turn while checkpoints and models are opened and converted: each time
 * a clean error, nothing leaked, nothing left on the disk.
 */
#include "mini_model.h"

#include "failing_memory.h"
#include "temporary_folder.h"

#include <clipc.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define FIXTURES CLIPC_TEST_DATA "/checkpoints/"
enum { MOST_ALLOCATIONS = 20000 };

/* Something that allocates. It undoes what it does, and tells how it went. */
typedef clipc_status (*work_fn)(const char *path, clipc_error *error);

/*
 * Runs work with its first, second, ... allocation failing, until one run needs fewer. A failure
 * that work can do without may pass unnoticed.
 */
static void fail_each(work_fn work, const char *path)
{
    clipc_error error;
    long n = 0;

    for (;; n++) {
        const long held = memory_held;
        clipc_status status;

        assert_true(n < MOST_ALLOCATIONS);
        error = (clipc_error){.code = CLIPC_OK};
        memory_fail_at(n);
        status = work(path, &error);
        memory_left = -1;
        if (memory_held != held)
            fail_msg("%s: allocation %ld: %ld blocks leaked", path, n, memory_held - held);
        if (!memory_failed) {
            assert_int_equal(status, CLIPC_OK);
            break;
        }
        if (status != CLIPC_OK && status != CLIPC_ERROR_MEMORY)
            fail_msg("%s: allocation %ld: status %d \"%s\"", path, n, status, error.message);
        if (status && (error.code != status || !strstr(error.message, "out of memory")))
            fail_msg("%s: allocation %ld: message \"%s\"", path, n, error.message);
    }
    assert_true(n > 3); /* that something has been tested at all */
}

static clipc_status open_checkpoint(const char *path, clipc_error *error)
{
    const clipc_checkpoint_options options = {.max_weight_bytes = (uint64_t)1 << 30};
    clipc_checkpoint *checkpoint;
    clipc_status status = clipc_checkpoint_open(&checkpoint, path, &options, error);

    clipc_checkpoint_close(checkpoint);
    return status;
}

static void test_checkpoints(void **state)
{
    static const char *const files[] = {
        "kinds.pt",       "kinds_legacy.pt", "kinds.safetensors",    "nested_model.pt",
        "torchscript.pt", "huggingface.bin", "nested_state_dict.pt", "sharded",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];

        snprintf(path, sizeof(path), FIXTURES "%s", files[i]);
        fail_each(open_checkpoint, path);
    }
}

static clipc_status open_model(const char *path, clipc_error *error)
{
    clipc_model_options options;
    clipc_model *model;
    clipc_status status;

    clipc_model_options_init(&options);
    options.threads = 1; /* so that the n-th allocation is the same in each run */
    status = clipc_model_open(&model, path, &options, error);
    clipc_model_close(model);
    return status;
}

static const char *in_folder(const char *name)
{
    static char paths[2][256];
    static unsigned next;
    char *path = paths[next++ % 2];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void test_models(void **state)
{
    FILE *config;
    clipc_error error;

    (void)state;
    if (mini_write(in_folder("m.pt"), CLIPC_ELEMENT_F16, NULL, &error))
        fail_msg("%s", error.message);
    config = fopen(in_folder("open_clip_config.json"), "w");
    assert_non_null(config);
    fputs("{\"model_cfg\":{\"embed_dim\":16,\"vision_cfg\":{\"layers\":1}}}", config);
    assert_int_equal(fclose(config), 0);
    fail_each(open_model, in_folder("m.pt"));
}

static size_t count_files(void)
{
    DIR *directory = opendir(folder);
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Converts to path, and removes the result; after a failure there must be none. */
static clipc_status convert(const char *path, clipc_error *error)
{
    const size_t before = count_files();
    clipc_convert_options options;
    clipc_status status;

    clipc_convert_options_init(&options);
    if (strstr(path, ".bin"))
        options.layout = CLIPC_LAYOUT_HUGGINGFACE;
    status = clipc_convert(in_folder("in.safetensors"), path, &options, error);
    if (status) {
        assert_int_equal(count_files(), before);
        return status;
    }
    assert_int_equal(unlink(path), 0);
    (void)unlink(in_folder("config.json"));
    (void)unlink(in_folder("preprocessor_config.json"));
    return status;
}

static void write_packed(const char *name, const char *cpu)
{
    clipc_convert_options options;
    clipc_error error;

    clipc_convert_options_init(&options);
    options.keep_dtype = false;
    options.dtype = CLIPC_DTYPE_INT8;
    options.cpu = cpu;
    if (clipc_convert(in_folder("m.pt"), in_folder(name), &options, &error))
        fail_msg("%s", error.message);
}

/* A .clipc file as it stands, and one whose weights have to be packed anew. */
static void test_packed(void **state)
{
    clipc_error error;

    (void)state;
    if (mini_write(in_folder("m.pt"), CLIPC_ELEMENT_F16, NULL, &error))
        fail_msg("%s", error.message);
    write_packed("here.clipc", NULL);
    fail_each(open_model, in_folder("here.clipc"));
    write_packed("there.clipc", "portable");
    fail_each(open_model, in_folder("there.clipc"));
}

static void test_convert(void **state)
{
    static const char *const outputs[] = {"out.safetensors", "out.pt", "out.bin", "out.clipc"};
    clipc_error error;

    (void)state;
    if (mini_write(in_folder("in.safetensors"), CLIPC_ELEMENT_F16, NULL, &error))
        fail_msg("%s", error.message);
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        char path[256];

        snprintf(path, sizeof(path), "%s", in_folder(outputs[i]));
        fail_each(convert, path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoints),
        cmocka_unit_test_setup_teardown(test_models, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_packed, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_convert, make_folder_in_memory, remove_folder),
    };

    memory_hook_json();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
