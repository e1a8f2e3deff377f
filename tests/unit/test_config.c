/* SPDX-License-Identifier: MIT */
/* Configuration JSON against what the tensors say: open_clip's, Hugging Face's, and wrong ones. */
#include "model/config_write.h"
#include "sample_configs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static clipc_config applied(const clipc_config *from, const char *json)
{
    clipc_config config = *from;
    clipc_error error = {.code = CLIPC_OK};

    if (clipc_config_apply_json(&config, json, strlen(json), "file", &error))
        fail_msg("%s: %s", json, error.message);
    return config;
}

static void assert_refused(const clipc_config *from, const char *json, clipc_status status,
                           const char *text)
{
    clipc_config config = *from;
    clipc_error error = {.code = CLIPC_OK};
    const clipc_status found = clipc_config_apply_json(&config, json, strlen(json), "file", &error);

    if (found != status || !strstr(error.message, text) || strncmp(error.message, "file: ", 6) != 0)
        fail_msg("%s: status %d \"%s\", expected %d \"%s\"", json, found, error.message, status,
                 text);
}

/* --- open_clip --- */

#define OPEN_CLIP(model, vision, text)                                                             \
    "{\"embed_dim\":512," model "\"vision_cfg\":{\"image_size\":224,\"layers\":12," vision         \
    "\"width\":768,\"patch_size\":32},\"text_cfg\":{\"context_length\":77," text                   \
    "\"vocab_size\":49408,\"width\":512,\"heads\":8,\"layers\":12}}"

static void test_open_clip(void **state)
{
    clipc_config config = applied(&vit, OPEN_CLIP("", "", ""));

    (void)state;
    assert_int_equal(config.activation,
                     CLIPC_ACTIVATION_GELU); /* what open_clip means by silence */
    config = applied(&vit, OPEN_CLIP("\"quick_gelu\":true,", "", ""));
    assert_int_equal(config.activation, CLIPC_ACTIVATION_QUICKGELU);
    config = applied(&vit, OPEN_CLIP("\"quick_gelu\":false,", "", ""));
    assert_int_equal(config.activation, CLIPC_ACTIVATION_GELU);
    config = applied(&vit, OPEN_CLIP("\"quick_gelu\":null,", "", ""));
    assert_int_equal(config.activation, CLIPC_ACTIVATION_GELU);
    config = applied(&vit, OPEN_CLIP("\"Quick_Gelu\":false,", "", ""));
    assert_int_equal(config.activation, CLIPC_ACTIVATION_GELU);
    config = applied(&vit, OPEN_CLIP("\"custom_text\":true,\"init_logit_scale\":2.6,",
                                     "\"head_width\":96,\"mlp_ratio\":4.0,", ""));
    assert_int_equal(config.vit.heads, 8);
    config = applied(
        &vit, "{\"model_cfg\":" OPEN_CLIP(
                  "", "", "") ",\"preprocess_cfg\":{"
                              "\"size\":[224,224],\"mean\":[0.5,0.25,0.125],\"std\":[1,2,3],"
                              "\"mode\":\"RGB\",\"interpolation\":\"bicubic\",\"resize_mode\":"
                              "\"shortest\",\"fill_color\":0}}");
    assert_true(config.mean[0] == 0.5f && config.mean[2] == 0.125f && config.std[1] == 2.0f);
    config = applied(&resnet, "{\"embed_dim\":1024,\"vision_cfg\":{\"layers\":[3,4,6,3],"
                              "\"width\":64,\"patch_size\":null,\"image_size\":224},"
                              "\"quick_gelu\":true}");
    assert_int_equal(config.activation, CLIPC_ACTIVATION_QUICKGELU);
}

static void test_open_clip_contradictions(void **state)
{
    (void)state;
    assert_refused(&vit, "{\"embed_dim\":768,\"vision_cfg\":{}}", CLIPC_ERROR_FORMAT,
                   "\"embed_dim\" is 768, but the tensors of the model say 512");
    assert_refused(&vit, "{\"vision_cfg\":{\"layers\":24}}", CLIPC_ERROR_FORMAT,
                   "\"layers\" is 24, but the tensors of the model say 12");
    assert_refused(&vit, "{\"vision_cfg\":{\"width\":768.5}}", CLIPC_ERROR_FORMAT, "768.5");
    assert_refused(&vit, "{\"vision_cfg\":{\"patch_size\":16}}", CLIPC_ERROR_FORMAT, "say 32");
    assert_refused(&vit, "{\"vision_cfg\":{\"image_size\":336}}", CLIPC_ERROR_FORMAT,
                   "\"image_size\" is 336, but the tensors of the model say 224");
    assert_refused(&vit, "{\"vision_cfg\":{\"image_size\":[336,336]}}", CLIPC_ERROR_FORMAT,
                   "\"image_size\" is 336, but the tensors of the model say 224");
    assert_refused(&vit, "{\"vision_cfg\":{\"image_size\":[224,336]}}", CLIPC_ERROR_UNSUPPORTED,
                   "a square was expected");
    assert_refused(&vit, "{\"vision_cfg\":{\"image_size\":[\"a\",\"a\"]}}", CLIPC_ERROR_UNSUPPORTED,
                   "a number was expected");
    assert_refused(&vit, "{\"vision_cfg\":{\"image_size\":224.5}}", CLIPC_ERROR_FORMAT, "224.5");
    assert_refused(&vit, "{\"vision_cfg\":{\"image_size\":1e300}}", CLIPC_ERROR_FORMAT, "say 224");
    assert_refused(&vit, "{\"vision_cfg\":{\"image_size\":-224}}", CLIPC_ERROR_FORMAT, "say 224");
    assert_refused(&vit, "{\"vision_cfg\":{\"head_width\":500}}", CLIPC_ERROR_UNSUPPORTED,
                   "a divisor of the width was expected");
    assert_refused(&vit, "{\"vision_cfg\":{\"head_width\":0}}", CLIPC_ERROR_UNSUPPORTED,
                   "a whole number was expected");
    assert_refused(&vit, "{\"vision_cfg\":{},\"text_cfg\":{\"context_length\":64}}",
                   CLIPC_ERROR_FORMAT, "say 77");
    assert_refused(&vit, "{\"vision_cfg\":{},\"text_cfg\":{\"vocab_size\":\"many\"}}",
                   CLIPC_ERROR_UNSUPPORTED, "a number was expected");
    assert_refused(&resnet, "{\"vision_cfg\":{\"layers\":[3,4,23,3]}}", CLIPC_ERROR_UNSUPPORTED,
                   "what the tensors of the model say was expected");
    assert_refused(&resnet, "{\"vision_cfg\":{\"layers\":12}}", CLIPC_ERROR_UNSUPPORTED,
                   "a list of four numbers was expected");
    assert_refused(&resnet, "{\"vision_cfg\":{\"image_size\":288}}", CLIPC_ERROR_FORMAT, "say 224");
}

static void test_open_clip_options(void **state)
{
    (void)state;
    assert_refused(&vit, OPEN_CLIP("\"quick_gelu\":1,", "", ""), CLIPC_ERROR_UNSUPPORTED,
                   "true or false was expected");
    assert_refused(&vit, OPEN_CLIP("\"quick_gelu\":true,\"quick_gelu\":false,", "", ""),
                   CLIPC_ERROR_UNSUPPORTED, "the activation named before it");
    assert_refused(&vit, OPEN_CLIP("", "\"timm_model_name\":\"vit\",", ""), CLIPC_ERROR_UNSUPPORTED,
                   "\"timm_model_name\" is an option that clipc does not have");
    assert_refused(&vit, OPEN_CLIP("", "", "\"hf_model_name\":\"x\","), CLIPC_ERROR_UNSUPPORTED,
                   "\"hf_model_name\" is an option");
    assert_refused(&vit, OPEN_CLIP("", "\"attentional_pool\":true,", ""), CLIPC_ERROR_UNSUPPORTED,
                   "\"attentional_pool\" is an option");
    assert_refused(&vit, OPEN_CLIP("", "", "\"pool_type\":\"last\","), CLIPC_ERROR_UNSUPPORTED,
                   "\"pool_type\" is \"last\", \"tok\" or \"argmax\" was expected");
    (void)applied(&vit, OPEN_CLIP("", "\"attentional_pool\":false,\"timm_model_name\":\"\",",
                                  "\"no_causal_mask\":false,\"hf_model_name\":null,"));
    assert_refused(&vit, "{\"vision_cfg\":3}", CLIPC_ERROR_UNSUPPORTED, "an object was expected");
    assert_refused(&vit, "{\"model_cfg\":{},\"preprocess_cfg\":{\"interpolation\":\"bilinear\"}}",
                   CLIPC_ERROR_UNSUPPORTED, "\"bicubic\" was expected");
    assert_refused(&vit, "{\"model_cfg\":{},\"preprocess_cfg\":{\"resize_mode\":\"squash\"}}",
                   CLIPC_ERROR_UNSUPPORTED, "\"shortest\" was expected");
    assert_refused(&vit, "{\"model_cfg\":{},\"preprocess_cfg\":{\"mean\":[1,2]}}",
                   CLIPC_ERROR_UNSUPPORTED, "a list of three numbers was expected");
    assert_refused(&vit, "{\"model_cfg\":{},\"preprocess_cfg\":{\"std\":[1,2,1e99]}}",
                   CLIPC_ERROR_UNSUPPORTED, "a list of three numbers was expected");
}

/* --- Hugging Face --- */

static void test_huggingface(void **state)
{
    clipc_config config = applied(
        &vit,
        "{\"model_type\":\"clip\",\"projection_dim\":512,\"torch_dtype\":\"float32\","
        "\"vision_config\":{\"hidden_size\":768,\"intermediate_size\":3072,\"image_size\":224,"
        "\"num_hidden_layers\":12,\"num_attention_heads\":12,\"patch_size\":32,\"dropout\":0.1,"
        "\"hidden_act\":\"gelu\",\"layer_norm_eps\":1e-05,\"num_channels\":3},"
        "\"text_config\":{\"hidden_size\":512,\"intermediate_size\":2048,\"vocab_size\":49408,"
        "\"num_hidden_layers\":12,\"num_attention_heads\":8,\"max_position_embeddings\":77,"
        "\"hidden_act\":\"gelu\",\"eos_token_id\":2}}");

    (void)state;
    assert_int_equal(config.activation, CLIPC_ACTIVATION_GELU);
    config = applied(&vit, "{\"vision_config\":{}}");
    assert_int_equal(config.activation, CLIPC_ACTIVATION_AUTO); /* the layout's own default */
    config = applied(&vit, "{\"vision_config\":{\"num_attention_heads\":6}}");
    assert_int_equal(config.vit.heads, 6);
    assert_refused(&vit, "{\"model_type\":\"siglip\",\"vision_config\":{}}",
                   CLIPC_ERROR_UNSUPPORTED, "\"model_type\" is \"siglip\", \"clip\" was expected");
    assert_refused(&vit, "{\"vision_config\":{\"hidden_act\":\"gelu_new\"}}",
                   CLIPC_ERROR_UNSUPPORTED, "\"quick_gelu\" or \"gelu\" was expected");
    assert_refused(&vit,
                   "{\"vision_config\":{\"hidden_act\":\"gelu\"},"
                   "\"text_config\":{\"hidden_act\":\"quick_gelu\"}}",
                   CLIPC_ERROR_UNSUPPORTED, "the activation named before it");
    assert_refused(&vit, "{\"vision_config\":{\"layer_norm_eps\":1e-06}}", CLIPC_ERROR_UNSUPPORTED,
                   "1e-05 was expected");
    assert_refused(&vit, "{\"vision_config\":{\"num_channels\":1}}", CLIPC_ERROR_UNSUPPORTED,
                   "3 was expected");
    assert_refused(&resnet, "{\"vision_config\":{}}", CLIPC_ERROR_UNSUPPORTED,
                   "the tensors are a ResNet's");
    assert_refused(&vit, "{\"projection_dim\":768,\"vision_config\":{}}", CLIPC_ERROR_FORMAT,
                   "\"projection_dim\" is 768");
    assert_refused(&vit, "{\"vision_config\":{\"intermediate_size\":4096}}", CLIPC_ERROR_FORMAT,
                   "say 3072");
}

static void test_preprocessor(void **state)
{
    clipc_config config = applied(
        &vit, "{\"crop_size\":{\"height\":224,\"width\":224},\"do_center_crop\":true,"
              "\"do_normalize\":true,\"do_resize\":true,\"image_mean\":[0.5,0.5,0.5],"
              "\"image_std\":[0.25,0.25,0.25],\"resample\":3,\"size\":{\"shortest_edge\":224},"
              "\"rescale_factor\":0.00392156862745098,\"feature_extractor_type\":\"x\"}");

    (void)state;
    assert_true(config.mean[1] == 0.5f && config.std[2] == 0.25f);
    (void)applied(&vit, "{\"image_mean\":[1,1,1],\"size\":224,\"crop_size\":224}");
    assert_refused(&vit, "{\"image_mean\":[1,1,1],\"resample\":2}", CLIPC_ERROR_UNSUPPORTED,
                   "\"resample\" is 2, 3 was expected");
    assert_refused(&vit, "{\"image_mean\":[1,1,1],\"size\":{\"shortest_edge\":256}}",
                   CLIPC_ERROR_FORMAT, "\"shortest_edge\" is 256");
    assert_refused(&vit, "{\"image_mean\":[1,1,1],\"crop_size\":{}}", CLIPC_ERROR_UNSUPPORTED,
                   "a size was expected");
    assert_refused(&vit, "{\"image_mean\":[1,1,1],\"do_center_crop\":false}",
                   CLIPC_ERROR_UNSUPPORTED, "\"do_center_crop\" is false, true was expected");
    assert_refused(&vit, "{\"image_mean\":[1,1,1],\"rescale_factor\":1}", CLIPC_ERROR_UNSUPPORTED,
                   "\"rescale_factor\" is 1");
}

/* --- Files that are none --- */

static void test_other_files(void **state)
{
    (void)state;
    assert_refused(&vit, "", CLIPC_ERROR_FORMAT, "is not valid JSON");
    assert_refused(&vit, "{", CLIPC_ERROR_FORMAT, "is not valid JSON");
    assert_refused(&vit, "{} {}", CLIPC_ERROR_FORMAT, "is not valid JSON, as byte 3 shows");
    assert_refused(&vit, "\xFF", CLIPC_ERROR_FORMAT, "is not UTF-8 text, as byte 0 shows");
    assert_refused(&vit, "3", CLIPC_ERROR_FORMAT, "a JSON object was expected");
    assert_refused(&vit, "[{\"vision_cfg\":{}}]", CLIPC_ERROR_FORMAT, "a JSON object was expected");
    assert_refused(&vit, "{}", CLIPC_ERROR_UNSUPPORTED, "no configuration of a CLIP model");
    assert_refused(&vit, "{\"model_type\":\"bert\"}", CLIPC_ERROR_UNSUPPORTED,
                   "no configuration of a CLIP model");
}

/* --- What is written is read as the same --- */

static void assert_round_trip(const clipc_config *from, char *json)
{
    clipc_config bare = *from, read;

    assert_non_null(json);
    bare.activation = CLIPC_ACTIVATION_AUTO;
    if (bare.vision_kind == CLIPC_VISION_VIT) {
        bare.vit.heads = bare.vit.width / 64;
        bare.image_size = bare.grid * bare.patch_size;
    } else {
        bare.attnpool_heads = bare.resnet_width * 32 / 64;
    }
    bare.text.heads = bare.text.width / 64;
    memcpy(bare.mean, vit.mean, sizeof(bare.mean));
    memcpy(bare.std, vit.std, sizeof(bare.std));
    read = applied(&bare, json);
    assert_memory_equal(&read, from, sizeof(read));
    free(json);
}

static void test_round_trips(void **state)
{
    clipc_config config = vit, read;
    char *json;

    (void)state;
    config.activation = CLIPC_ACTIVATION_QUICKGELU;
    assert_true(clipc_config_is_default(&config));
    config.vit.heads = 6;
    config.text.heads = 4;
    config.image_size = 240; /* the last 16 pixels are in no patch */
    config.activation = CLIPC_ACTIVATION_GELU;
    config.mean[0] = 0.1f;
    config.std[2] = 1.0f / 3.0f;
    assert_false(clipc_config_is_default(&config));
    assert_round_trip(&config, clipc_config_to_open_clip(&config));
    json = clipc_config_to_preprocessor(&config);
    assert_non_null(json);
    read = applied(&config, json);
    assert_memory_equal(&read, &config, sizeof(read));
    free(json);
    memcpy(config.mean, vit.mean, sizeof(config.mean));
    memcpy(config.std, vit.std, sizeof(config.std));
    assert_round_trip(&config, clipc_config_to_huggingface(&config));
    config = resnet;
    config.activation = CLIPC_ACTIVATION_GELU;
    config.attnpool_heads = 16;
    assert_round_trip(&config, clipc_config_to_open_clip(&config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_clip),         cmocka_unit_test(test_open_clip_contradictions),
        cmocka_unit_test(test_open_clip_options), cmocka_unit_test(test_huggingface),
        cmocka_unit_test(test_preprocessor),      cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_round_trips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
