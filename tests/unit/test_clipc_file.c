/* SPDX-License-Identifier: MIT */
/*
 * .clipc files: the same bits as the checkpoint that they were made from, for whatever processor
 * they are packed.
 */
#include "mini_clipc.h"

#include <unistd.h>

#define MODELS CLIPC_TEST_DATA "/models/"

static const char *const models[] = {"vit_quickgelu", "vit_gelu", "vit_huggingface",
                                     "resnet_openai", "resnet_open_clip"};
#define MODEL_COUNT (sizeof(models) / sizeof(models[0]))

/* Every level that a build may have; what this one does not have is passed over. */
static const char *const levels[] = {"portable",    "avx2", "avx512",       "avx512-vnni",
                                     "avx512-bf16", "neon", "neon-dotprod", "neon-bf16"};

/* What the log said last. */
static char logged[512];

static void note(void *data, clipc_log_level level, const char *message)
{
    (void)data;
    (void)level;
    snprintf(logged, sizeof(logged), "%s", message);
}

static clipc_status open_model(clipc_model **out, const char *path, clipc_dtype dtype,
                               clipc_error *error)
{
    clipc_model_options options;

    logged[0] = '\0';
    clipc_model_options_init(&options);
    options.dtype = dtype;
    options.threads = 2;
    options.log = note;
    return clipc_model_open(out, path, &options, error);
}

/* --- The same numbers --- */

/* Embeddings of a picture and of three texts; free(). */
static float *embed(const clipc_model *model, size_t *count)
{
    static const char *const texts[] = {"a", "b c d", "a b"};
    clipc_session *session;
    clipc_model_info info;
    clipc_error error;
    float *pixels, *out;

    clipc_model_get_info(model, &info);
    *count = 4 * (size_t)info.embed_dim;
    out = calloc(*count, sizeof(*out));
    pixels = malloc((size_t)3 * info.image_size * info.image_size * sizeof(*pixels));
    assert_non_null(out);
    assert_non_null(pixels);
    for (size_t i = 0; i < (size_t)3 * info.image_size * info.image_size; i++)
        pixels[i] = (float)(i * 7919 % 1000) / 250.0f - 2.0f;
    if (clipc_session_open(&session, model, NULL, &error) ||
        clipc_encode_pixels(session, pixels, 1, out, &error) ||
        clipc_encode_texts(session, texts, 3, CLIPC_TOKENIZE_TRUNCATE, out + info.embed_dim,
                           &error))
        fail_msg("%s", error.message);
    clipc_session_close(session);
    free(pixels);
    return out;
}

/* Opens a .clipc file and compares its embeddings and what it is with the model's it was of. */
static void check_same(const char *path, const char *cpu, const clipc_model_info *wanted,
                       const float *expected, size_t count)
{
    clipc_model *model;
    clipc_model_info info;
    clipc_error error;
    size_t found;
    float *values;

    if (open_model(&model, path, CLIPC_DTYPE_AUTO, &error))
        fail_msg("%s", error.message);
    clipc_model_get_info(model, &info);
    assert_string_equal(info.format, "clipc");
    assert_string_equal(info.layout, "openai");
    assert_string_equal(info.arch, wanted->arch);
    assert_string_equal(info.packed_for, cpu);
    assert_int_equal(info.dtype, wanted->dtype);
    assert_int_equal(info.activation, wanted->activation);
    assert_int_equal(info.params, wanted->params);
    assert_int_equal(info.image_size, wanted->image_size);
    assert_int_equal(info.vision_heads, wanted->vision_heads);
    assert_int_equal(info.text_heads, wanted->text_heads);
    assert_memory_equal(&info.logit_scale, &wanted->logit_scale, sizeof(float));
    assert_memory_equal(info.mean, wanted->mean, sizeof(info.mean));
    assert_memory_equal(info.std, wanted->std, sizeof(info.std));
    assert_int_equal(!info.is_mapped, strstr(logged, "packed anew") != NULL);
    values = embed(model, &found);
    assert_int_equal(found, count);
    if (memcmp(values, expected, count * sizeof(*values)) != 0)
        fail_msg("%s: dtype %d for %s: other embeddings", path, info.dtype, cpu);
    free(values);
    clipc_model_close(model);
}

static void check_model(const char *name, clipc_dtype dtype, const char *here)
{
    clipc_model *model;
    clipc_model_info info;
    clipc_error error;
    char source[512];
    size_t count;
    float *expected;

    snprintf(source, sizeof(source), MODELS "%s", name);
    if (open_model(&model, source, dtype, &error))
        fail_msg("%s", error.message);
    clipc_model_get_info(model, &info);
    assert_int_equal(info.dtype, dtype);
    assert_string_equal(info.packed_for, "");
    assert_false(info.is_mapped);
    expected = embed(model, &count);
    clipc_model_close(model);
    convert_well(source, in_folder("here.clipc"), dtype, NULL);
    check_same(in_folder("here.clipc"), here, &info, expected, count);
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        clipc_status status = convert(source, in_folder("there.clipc"), dtype, levels[i], &error);

        if (status == CLIPC_ERROR_ARGUMENT)
            continue;
        assert_int_equal(status, CLIPC_OK);
        check_same(in_folder("there.clipc"), levels[i], &info, expected, count);
        /* And back: byte for byte what was packed here. */
        convert_well(in_folder("there.clipc"), in_folder("back.clipc"), CLIPC_DTYPE_AUTO, NULL);
        check_same(in_folder("back.clipc"), here, &info, expected, count);
    }
    free(expected);
}

static void test_same_bits(void **state)
{
    clipc_build_info build;

    (void)state;
    clipc_get_build_info(&build);
    for (size_t i = 0; i < MODEL_COUNT; i++)
        for (size_t j = 0; j < 3; j++)
            check_model(models[i], dtypes[j], build.cpu);
}

/* Each tower alone, from a file that fits and from one that does not. */
static void test_towers(void **state)
{
    static const unsigned towers[] = {CLIPC_TOWER_IMAGE, CLIPC_TOWER_TEXT};
    static const char *const text = "a b";
    static const float pixels[3 * 64 * 64];
    const char *const files[] = {"here.clipc", "there.clipc"};
    clipc_error error;

    (void)state;
    convert_well(MODELS "vit_gelu", in_folder("here.clipc"), CLIPC_DTYPE_INT8, NULL);
    convert_well(MODELS "vit_gelu", in_folder("there.clipc"), CLIPC_DTYPE_INT8, "portable");
    for (size_t i = 0; i < 4; i++) {
        const bool is_image = towers[i / 2] == CLIPC_TOWER_IMAGE;
        float out[CLIPC_MAX_EMBED_DIM];
        clipc_model_options options;
        clipc_session *session;
        clipc_model *model;

        clipc_model_options_init(&options);
        options.towers = towers[i / 2];
        if (clipc_model_open(&model, in_folder(files[i % 2]), &options, &error) ||
            clipc_session_open(&session, model, NULL, &error))
            fail_msg("%s", error.message);
        assert_int_equal(clipc_encode_pixels(session, pixels, 1, out, &error),
                         is_image ? CLIPC_OK : CLIPC_ERROR_ARGUMENT);
        assert_int_equal(
            clipc_encode_texts(session, &text, 1, CLIPC_TOKENIZE_TRUNCATE, out, &error),
            is_image ? CLIPC_ERROR_ARGUMENT : CLIPC_OK);
        clipc_session_close(session);
        clipc_model_close(model);
    }
}

static void test_repeatable(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        clipc_file first = make_mini(dtypes[i]), again, back;

        again = make_mini(dtypes[i]);
        convert_well(in_folder("mini.clipc"), in_folder("there.clipc"), CLIPC_DTYPE_AUTO, NULL);
        convert_well(in_folder("there.clipc"), in_folder("back.clipc"), CLIPC_DTYPE_AUTO,
                     "portable");
        back = read_file(in_folder("back.clipc"));
        assert_int_equal(again.size, first.size);
        assert_memory_equal(again.bytes, first.bytes, first.size);
        assert_int_equal(back.size, first.size);
        assert_memory_equal(back.bytes, first.bytes, first.size);
        free(first.bytes);
        free(again.bytes);
        free(back.bytes);
    }
}

/* --- What may be asked of one --- */

static void test_opening(void **state)
{
    clipc_model_options options;
    clipc_model *model;
    clipc_session *session;
    clipc_model_info info;
    clipc_error error;
    clipc_file file = make_mini(CLIPC_DTYPE_INT8);
    int32_t ids[8];

    (void)state;
    free(file.bytes);
    assert_int_equal(open_model(&model, in_folder("mini.clipc"), CLIPC_DTYPE_F32, &error),
                     CLIPC_ERROR_UNSUPPORTED);
    assert_null(model);
    assert_non_null(strstr(error.message, "is packed for int8, and cannot be opened for f32"));
    assert_int_equal(open_model(&model, in_folder("mini.clipc"), CLIPC_DTYPE_INT8, &error),
                     CLIPC_OK);
    clipc_model_close(model);

    clipc_model_options_init(&options);
    options.without_weights = true;
    options.verify = true;
    options.activation = CLIPC_ACTIVATION_GELU;
    assert_int_equal(clipc_model_open(&model, in_folder("mini.clipc"), &options, &error), CLIPC_OK);
    clipc_model_get_info(model, &info);
    assert_int_equal(info.activation, CLIPC_ACTIVATION_GELU);
    assert_string_equal(info.packed_for, "portable");
    assert_int_equal(clipc_session_open(&session, model, NULL, &error), CLIPC_ERROR_ARGUMENT);
    assert_int_equal(clipc_tokenize(model, "a", ids, 8, 0, &error), CLIPC_OK);
    clipc_model_close(model);
    assert_int_equal(clipc_model_open(&model, in_folder("mini.safetensors"), &options, &error),
                     CLIPC_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "has no checksums to verify"));
}

/* Conversions that there are not: each says why, and leaves no file. */
static const struct {
    const char *in, *out;
    clipc_dtype dtype;
    const char *cpu;
    clipc_status status;
    const char *text;
} refused[] = {
    {"mini.clipc", "out.safetensors", CLIPC_DTYPE_AUTO, NULL, CLIPC_ERROR_UNSUPPORTED,
     "its weights are packed for use"},
    {"mini.clipc", "out.clipc", CLIPC_DTYPE_F32, NULL, CLIPC_ERROR_UNSUPPORTED,
     "is packed for int8, and cannot be opened for f32"},
    {"mini.safetensors", "out.clipc", CLIPC_DTYPE_F16, NULL, CLIPC_ERROR_ARGUMENT,
     "a .clipc file is packed for f32, bf16 or int8"},
    {"mini.safetensors", "out.clipc", CLIPC_DTYPE_F32, "z80", CLIPC_ERROR_ARGUMENT,
     "z80: no CPU level of this build"},
    {"mini.safetensors", "out.safetensors", CLIPC_DTYPE_F32, "avx2", CLIPC_ERROR_ARGUMENT,
     "only .clipc files are packed for a CPU level"},
    {"mini.safetensors", "out.safetensors", CLIPC_DTYPE_INT8, NULL, CLIPC_ERROR_ARGUMENT,
     "checkpoints are in f32, f16 or bf16"},
};

static void test_converting(void **state)
{
    clipc_convert_options options;
    clipc_error error;
    clipc_file file = make_mini(CLIPC_DTYPE_INT8);

    (void)state;
    free(file.bytes);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const clipc_status status = convert(in_folder(refused[i].in), in_folder(refused[i].out),
                                            refused[i].dtype, refused[i].cpu, &error);

        if (status != refused[i].status || !strstr(error.message, refused[i].text))
            fail_msg("%zu: status %d \"%s\"", i, status, error.message);
        assert_int_equal(access(in_folder(refused[i].out), F_OK), -1);
    }
    clipc_convert_options_init(&options);
    options.layout = CLIPC_LAYOUT_HUGGINGFACE;
    assert_int_equal(
        clipc_convert(in_folder("mini.safetensors"), in_folder("out.clipc"), &options, &error),
        CLIPC_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "has no layouts to choose from"));
}

static bool cancel(void *data, uint64_t done, uint64_t total)
{
    size_t *left = data;

    assert_true(done <= total);
    return (*left)-- == 0;
}

/* Cancelled at each report in turn: nothing is left, not even a temporary. */
static void test_cancel(void **state)
{
    clipc_convert_options options;
    clipc_error error;
    clipc_file file = make_mini(CLIPC_DTYPE_F32);
    size_t reports = 0;

    (void)state;
    free(file.bytes);
    clipc_convert_options_init(&options);
    options.progress = cancel;
    for (;; reports++) {
        size_t left = reports;
        clipc_status status;

        options.progress_data = &left;
        status =
            clipc_convert(in_folder("mini.safetensors"), in_folder("out.clipc"), &options, &error);
        if (!status)
            break;
        assert_int_equal(status, CLIPC_ERROR_CANCELLED);
        assert_int_equal(access(in_folder("out.clipc"), F_OK), -1);
    }
    assert_true(reports > 2 * 20);
    assert_int_equal(unlink(in_folder("out.clipc")), 0);
    assert_int_equal(unlink(in_folder("mini.clipc")), 0);
    assert_int_equal(unlink(in_folder("mini.safetensors")), 0);
    assert_int_equal(rmdir(folder), 0); /* empty */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_bits, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_towers, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_repeatable, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_opening, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_converting, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup(test_cancel, make_folder_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
