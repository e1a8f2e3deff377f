/* SPDX-License-Identifier: MIT */
/*
 * Model files whose tensors are whole but make no CLIP, configurations beside them, and what the
 * activation is then.
 */
#include "mini_model.h"
#include "temporary_folder.h"

#include <clipc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void write_model(const char *name, const mini_change *change)
{
    clipc_error error;

    if (mini_write(in_folder(name), CLIPC_ELEMENT_F32, change, &error))
        fail_msg("%s", error.message);
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "wb");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* What the log said, all of it. */
static char logged[1024];

static void note(void *data, clipc_log_level level, const char *message)
{
    const size_t used = strlen(logged);

    (void)data;
    (void)level;
    snprintf(logged + used, sizeof(logged) - used, "%s\n", message);
}

static clipc_status open_with(const char *name, clipc_activation activation, bool without_weights,
                              clipc_model_info *info, clipc_error *error)
{
    clipc_model_options options;
    clipc_model *model;
    clipc_status status;

    logged[0] = '\0';
    clipc_model_options_init(&options);
    options.activation = activation;
    options.threads = 2;
    options.log = note;
    options.without_weights = without_weights;
    status = clipc_model_open(&model, in_folder(name), &options, error);
    if (status) {
        assert_null(model);
        return status;
    }
    clipc_model_get_info(model, info);
    clipc_model_close(model);
    return CLIPC_OK;
}

static clipc_model_info open_well(const char *name, clipc_activation activation)
{
    clipc_model_info info, described;
    clipc_error error;

    if (open_with(name, activation, false, &info, &error) ||
        open_with(name, activation, true, &described, &error))
        fail_msg("%s: %s", name, error.message);
    assert_memory_equal(&info, &described, sizeof(info));
    return info;
}

/* Opening must fail, and the message begin with the path of `source`. */
static void assert_open_fails(const char *name, const char *source, clipc_status expected,
                              const char *text)
{
    clipc_model_info info;
    clipc_error error = {.code = CLIPC_OK};
    const clipc_status status = open_with(name, CLIPC_ACTIVATION_AUTO, false, &info, &error);
    const char *path = in_folder(source);

    if (status != expected || strncmp(error.message, path, strlen(path)) != 0 ||
        !strstr(error.message, text))
        fail_msg("status %d \"%s\", expected %d \"%s: ...%s...\"", status, error.message, expected,
                 path, text);
}

/* --- Whole models --- */

static void test_info(void **state)
{
    clipc_model_info info;

    (void)state;
    write_model("m.safetensors", NULL);
    info = open_well("m.safetensors", CLIPC_ACTIVATION_AUTO);
    assert_string_equal(info.arch, "ViT");
    assert_string_equal(info.format, "safetensors");
    assert_string_equal(info.layout, "openai");
    assert_int_equal(info.embed_dim, 16);
    assert_int_equal(info.image_size, 8);
    assert_int_equal(info.patch_size, 4);
    assert_int_equal(info.vision_layers[0], 1);
    assert_int_equal(info.vision_width, 64);
    assert_int_equal(info.vision_heads, 1);
    assert_int_equal(info.context_length, 8);
    assert_int_equal(info.vocab_size, 514);
    assert_int_equal(info.text_width, 64);
    assert_int_equal(info.text_heads, 1);
    assert_int_equal(info.text_layers, 1);
    assert_int_equal(info.activation, CLIPC_ACTIVATION_QUICKGELU);
    assert_true(info.logit_scale == (float)(11 * 7) / 256.0f - 0.1875f);
    assert_int_equal(info.params, 1 + 8 * 64 + 2 * 64 * 16 + 514 * 64 + 7 * 64 + 5 * 64 +
                                      64 * 3 * 16 +
                                      2 * (192 * 65 + 64 * 65 + 4 * 64 + 32 * 65 + 64 * 33));
}

/* Opened for its description only, a model gives no session, but tokens. */
static void test_without_weights(void **state)
{
    clipc_model_options options;
    clipc_model *model;
    clipc_session *session;
    clipc_error error;
    int32_t ids[8];

    (void)state;
    write_model("m.pt", NULL);
    clipc_model_options_init(&options);
    options.without_weights = true;
    assert_int_equal(clipc_model_open(&model, in_folder("m.pt"), &options, &error), CLIPC_OK);
    assert_int_equal(clipc_session_open(&session, model, NULL, &error), CLIPC_ERROR_ARGUMENT);
    assert_null(session);
    assert_non_null(strstr(error.message, "without its weights"));
    assert_int_equal(clipc_tokenize(model, "a", ids, 8, 0, &error), CLIPC_OK);
    assert_int_equal(ids[0], 512);
    clipc_model_close(model);
}

/* --- One tower alone --- */

static clipc_status open_towers(unsigned towers, clipc_model **model, clipc_session **session,
                                clipc_error *error)
{
    clipc_model_options options;
    clipc_status status;

    *session = NULL;
    clipc_model_options_init(&options);
    options.threads = 2;
    options.towers = towers;
    status = clipc_model_open(model, in_folder("m.safetensors"), &options, error);
    return status ? status : clipc_session_open(session, *model, NULL, error);
}

/* Every way of encoding what the tower that is missing is for. */
static void assert_texts_fail(clipc_session *session)
{
    const char *const texts[] = {"a"};
    const int32_t ids[8] = {512, 513};
    float out[16];
    clipc_error error = {.code = CLIPC_OK};

    assert_int_equal(clipc_encode_tokens(session, ids, 1, out, NULL), CLIPC_ERROR_ARGUMENT);
    assert_int_equal(clipc_encode_tokens(session, ids, 0, out, NULL), CLIPC_ERROR_ARGUMENT);
    assert_int_equal(clipc_encode_classes(session, texts, 1, NULL, 0, 0, out, NULL),
                     CLIPC_ERROR_ARGUMENT);
    assert_int_equal(clipc_encode_texts(session, texts, 1, 0, out, &error), CLIPC_ERROR_ARGUMENT);
    assert_string_equal(error.message,
                        "texts: the model was opened without the tower that encodes them");
}

static void assert_pictures_fail(clipc_session *session)
{
    const char *const paths[] = {"none.png"};
    const float pixels[3 * 8 * 8] = {0};
    float out[16];
    clipc_error error = {.code = CLIPC_OK};

    assert_int_equal(clipc_encode_pixels(session, pixels, 1, out, NULL), CLIPC_ERROR_ARGUMENT);
    assert_int_equal(clipc_encode_images(session, NULL, 0, out, NULL), CLIPC_ERROR_ARGUMENT);
    assert_int_equal(clipc_encode_image_files(session, paths, 1, NULL, out, NULL, &error),
                     CLIPC_ERROR_ARGUMENT);
    assert_string_equal(error.message,
                        "pictures: the model was opened without the tower that encodes them");
}

static void test_one_tower(void **state)
{
    const float pixels[3 * 8 * 8] = {1.0f, -1.0f};
    const int32_t ids[8] = {512, 7, 513};
    float image[16], text[16], out[16];
    clipc_model *model;
    clipc_session *session;
    clipc_model_info whole, half;
    clipc_error error;

    (void)state;
    write_model("m.safetensors", NULL);
    assert_int_equal(open_towers(0, &model, &session, &error), CLIPC_OK);
    clipc_model_get_info(model, &whole);
    assert_int_equal(clipc_encode_pixels(session, pixels, 1, image, &error), CLIPC_OK);
    assert_int_equal(clipc_encode_tokens(session, ids, 1, text, &error), CLIPC_OK);
    clipc_session_close(session);
    clipc_model_close(model);

    assert_int_equal(open_towers(CLIPC_TOWER_IMAGE, &model, &session, &error), CLIPC_OK);
    clipc_model_get_info(model, &half);
    assert_memory_equal(&whole, &half, sizeof(half));
    assert_int_equal(clipc_encode_pixels(session, pixels, 1, out, &error), CLIPC_OK);
    assert_memory_equal(out, image, sizeof(image));
    assert_texts_fail(session);
    clipc_session_close(session);
    clipc_model_close(model);

    assert_int_equal(open_towers(CLIPC_TOWER_TEXT, &model, &session, &error), CLIPC_OK);
    clipc_model_get_info(model, &half);
    assert_memory_equal(&whole, &half, sizeof(half));
    assert_int_equal(clipc_encode_tokens(session, ids, 1, out, &error), CLIPC_OK);
    assert_memory_equal(out, text, sizeof(text));
    assert_pictures_fail(session);
    clipc_session_close(session);
    clipc_model_close(model);

    assert_int_equal(open_towers(4, &model, &session, &error), CLIPC_ERROR_ARGUMENT);
    assert_null(model);
    assert_non_null(strstr(error.message, "towers is 0x4"));
}

/* What is left out is not read, so what it holds does not matter; its shapes do. */
static void test_the_other_tower(void **state)
{
    static const mini_change bad_value = {.name = "ln_final.bias", .value = NAN};
    static const mini_change bad_shape = {.name = "ln_final.bias", .rank = 1, .shape = {63}};
    clipc_model *model;
    clipc_session *session;
    clipc_error error;

    (void)state;
    write_model("m.safetensors", &bad_value);
    assert_int_equal(open_towers(CLIPC_TOWER_TEXT, &model, &session, &error), CLIPC_ERROR_FORMAT);
    assert_int_equal(open_towers(CLIPC_TOWER_IMAGE, &model, &session, &error), CLIPC_OK);
    clipc_session_close(session);
    clipc_model_close(model);
    write_model("m.safetensors", &bad_shape);
    assert_int_equal(open_towers(CLIPC_TOWER_IMAGE, &model, &session, &error), CLIPC_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "ln_final.bias has shape [63], [64] was expected"));
}

/* --- Tensors that make no CLIP --- */

static const struct {
    mini_change change;
    clipc_status status;
    const char *text;
} bad_models[] = {
    {{.name = "visual.proj", .is_missing = true},
     CLIPC_ERROR_FORMAT,
     "has neither visual.proj (a ViT) nor visual.layer1.0.conv1.weight (a ResNet)"},
    {{.name = "ln_final.weight", .is_missing = true},
     CLIPC_ERROR_FORMAT,
     "has no tensor ln_final.weight"},
    {{.name = "visual.ln_post.bias", .is_missing = true},
     CLIPC_ERROR_FORMAT,
     "tensor visual.ln_post.bias is missing"},
    {{.name = "logit_scale", .is_missing = true},
     CLIPC_ERROR_FORMAT,
     "tensor logit_scale is missing"},
    {{.name = "transformer.resblocks.0.attn.out_proj.bias",
      .new_name = "transformer.resblocks.1.attn.out_proj.bias"},
     CLIPC_ERROR_FORMAT,
     "transformer.resblocks.0.attn.out_proj.bias is missing"},
    {{.new_name = "transformer.resblocks.9999.ln_1.bias", .rank = 1, .shape = {64}},
     CLIPC_ERROR_UNSUPPORTED,
     "holds tensor transformer.resblocks.9999.ln_1.bias"},
    {{.new_name = "logit_bias", .rank = 1, .shape = {1}},
     CLIPC_ERROR_UNSUPPORTED,
     "holds tensor logit_bias, which none of CLIP's architectures has"},
    {{.new_name = "visual.head.weight", .rank = 2, .shape = {2, 2}},
     CLIPC_ERROR_UNSUPPORTED,
     "holds tensor visual.head.weight"},
    {{.name = "visual.ln_pre.weight", .rank = 1, .shape = {63}},
     CLIPC_ERROR_FORMAT,
     "visual.ln_pre.weight has shape [63], [64] was expected"},
    {{.name = "visual.proj", .rank = 2, .shape = {64, 17}},
     CLIPC_ERROR_FORMAT,
     "visual.proj has shape [64,17], [64,16] was expected"},
    {{.name = "visual.conv1.weight", .rank = 4, .shape = {64, 3, 4, 5}},
     CLIPC_ERROR_FORMAT,
     "visual.conv1.weight has shape [64,3,4,5]"},
    {{.name = "visual.conv1.weight", .rank = 2, .shape = {64, 48}},
     CLIPC_ERROR_FORMAT,
     "visual.conv1.weight has 2 dimensions, 4 were expected"},
    {{.name = "visual.positional_embedding", .rank = 2, .shape = {6, 64}},
     CLIPC_ERROR_FORMAT,
     "visual.positional_embedding has 6 rows, one more than a square was expected"},
    {{.name = "visual.positional_embedding", .rank = 2, .shape = {1, 64}},
     CLIPC_ERROR_FORMAT,
     "one more than a square was expected"},
    {{.name = "token_embedding.weight", .rank = 2, .shape = {0, 64}},
     CLIPC_ERROR_FORMAT,
     "token_embedding.weight has an extent of 0"},
    {{.name = "token_embedding.weight", .rank = 2, .shape = {513, 64}},
     CLIPC_ERROR_UNSUPPORTED,
     "a vocabulary of 513 tokens, 514 to 49408 were expected"},
    {{.name = "ln_final.weight", .rank = 1, .shape = {32}},
     CLIPC_ERROR_FORMAT,
     "width 32 does not divide into 0 heads"},
    {{.name = "ln_final.weight", .rank = 1, .shape = {193}},
     CLIPC_ERROR_FORMAT,
     "width 193 does not divide into 3 heads"},
    {{.name = "logit_scale", .rank = 1, .shape = {1}},
     CLIPC_ERROR_FORMAT,
     "logit_scale has shape [1], [] was expected"},
    {{.name = "logit_scale", .value = NAN}, CLIPC_ERROR_FORMAT, "not finite"},
    {{.name = "visual.ln_pre.bias", .value = INFINITY},
     CLIPC_ERROR_FORMAT,
     "visual.ln_pre.bias holds values that are not finite"},
    {{.name = "token_embedding.weight", .value = NAN}, CLIPC_ERROR_FORMAT, "not finite"},
};

static void test_bad_models(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_models) / sizeof(bad_models[0]); i++) {
        write_model("m.safetensors", &bad_models[i].change);
        assert_open_fails("m.safetensors", "m.safetensors", bad_models[i].status,
                          bad_models[i].text);
    }
}

/* --- Configurations beside the file, and the activation --- */

static void test_activation(void **state)
{
    (void)state;
    write_model("m.pt", NULL);
    assert_int_equal(open_well("m.pt", CLIPC_ACTIVATION_AUTO).activation,
                     CLIPC_ACTIVATION_QUICKGELU);
    assert_string_equal(logged, "");
    assert_int_equal(open_well("m.pt", CLIPC_ACTIVATION_GELU).activation, CLIPC_ACTIVATION_GELU);
    write_text("open_clip_config.json", "{\"model_cfg\":{\"embed_dim\":16,\"vision_cfg\":{}}}");
    assert_int_equal(open_well("m.pt", CLIPC_ACTIVATION_AUTO).activation, CLIPC_ACTIVATION_GELU);
    assert_int_equal(open_well("m.pt", CLIPC_ACTIVATION_QUICKGELU).activation,
                     CLIPC_ACTIVATION_QUICKGELU);
    write_text("config.json", "{\"vision_config\":{\"hidden_act\":\"quick_gelu\"}}");
    assert_open_fails("m.pt", "config.json", CLIPC_ERROR_UNSUPPORTED,
                      "\"hidden_act\" is \"quick_gelu\", the activation named before it");
}

/* open_clip's CustomTextCLIP without a configuration: its default, and the log says so. */
static void test_open_question(void **state)
{
    static const mini_change custom = {.name = "token_embedding.weight",
                                       .new_name = "text.token_embedding.weight"};

    (void)state;
    write_model("m.pt", &custom);
    assert_int_equal(open_well("m.pt", CLIPC_ACTIVATION_AUTO).activation, CLIPC_ACTIVATION_GELU);
    assert_non_null(strstr(logged, "open_clip's default, GELU, is used"));
    assert_int_equal(open_well("m.pt", CLIPC_ACTIVATION_QUICKGELU).activation,
                     CLIPC_ACTIVATION_QUICKGELU);
    assert_string_equal(logged, "");
}

static void test_contradicting_config(void **state)
{
    (void)state;
    write_model("m.pt", NULL);
    write_text("open_clip_config.json", "{\"embed_dim\":512,\"vision_cfg\":{}}");
    assert_open_fails("m.pt", "open_clip_config.json", CLIPC_ERROR_FORMAT,
                      "\"embed_dim\" is 512, but the tensors of the model say 16");
    write_text("open_clip_config.json",
               "{\"embed_dim\":16,\"vision_cfg\":{},\"text_cfg\":{\"heads\":3}}");
    assert_open_fails("m.pt", "m.pt", CLIPC_ERROR_FORMAT, "width 64 does not divide into 3 heads");
    write_text("open_clip_config.json", "{\"model_cfg\":{},\"preprocess_cfg\":{\"std\":[1,0,1]}}");
    assert_open_fails("m.pt", "m.pt", CLIPC_ERROR_FORMAT, "standard deviation is not positive");
    write_text("open_clip_config.json", "not JSON");
    assert_open_fails("m.pt", "open_clip_config.json", CLIPC_ERROR_FORMAT, "is not valid JSON");
}

/* A directory: its checkpoint, with the configuration in it. */
static void test_directory(void **state)
{
    clipc_model_info info;

    (void)state;
    assert_int_equal(mkdir(in_folder("model"), 0777), 0);
    write_model("model/open_clip_pytorch_model.bin", NULL);
    write_text("model/open_clip_config.json",
               "{\"model_cfg\":{\"embed_dim\":16,\"vision_cfg\":{\"head_width\":32}},"
               "\"preprocess_cfg\":{\"mean\":[0.5,0.5,0.5]}}");
    info = open_well("model", CLIPC_ACTIVATION_AUTO);
    assert_string_equal(info.format, "pytorch");
    assert_int_equal(info.activation, CLIPC_ACTIVATION_GELU);
    assert_int_equal(info.vision_heads, 2);
    assert_true(info.mean[1] == 0.5f);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_info),       TEST(test_without_weights), TEST(test_bad_models),
        TEST(test_activation), TEST(test_open_question),   TEST(test_contradicting_config),
        TEST(test_directory),  TEST(test_one_tower),       TEST(test_the_other_tower),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
