/* SPDX-License-Identifier: MIT */
/* `clipc info`: what a model file is. */
#include "cli/command.h"
#include "cli/open.h"
#include "cli/output.h"

#include <clipc.h>
#include <inttypes.h>
#include <math.h>

typedef struct info_options {
    clipc_cli_common common;
    bool verify;
} info_options;

static const clipc_cli_option info_table[] = {
    {.name = "verify",
     .kind = CLIPC_CLI_FLAG,
     .help = "read all of a .clipc file and compare it with its checksums",
     .offset = offsetof(info_options, verify)},
    {.name = NULL},
};

static const char *activation_name(clipc_activation activation)
{
    return clipc_cli_choice_name(clipc_cli_activations, (int)activation);
}

static const char *dtype_name(clipc_dtype dtype)
{
    return clipc_cli_choice_name(clipc_cli_session_dtypes, (int)dtype);
}

static int print_json(const clipc_model_info *info)
{
    clipc_cli_json json;

    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "arch", info->arch);
    clipc_cli_json_count(&json, "embed_dim", info->embed_dim);
    clipc_cli_json_count(&json, "image_size", info->image_size);
    if (info->patch_size) {
        clipc_cli_json_count(&json, "patch_size", info->patch_size);
        clipc_cli_json_count(&json, "vision_layers", info->vision_layers[0]);
    } else {
        clipc_cli_json_null(&json, "patch_size");
        clipc_cli_json_counts(&json, "vision_layers", info->vision_layers, 4);
    }
    clipc_cli_json_count(&json, "vision_width", info->vision_width);
    clipc_cli_json_count(&json, "vision_heads", info->vision_heads);
    clipc_cli_json_count(&json, "context_length", info->context_length);
    clipc_cli_json_count(&json, "vocab_size", info->vocab_size);
    clipc_cli_json_count(&json, "text_width", info->text_width);
    clipc_cli_json_count(&json, "text_layers", info->text_layers);
    clipc_cli_json_count(&json, "text_heads", info->text_heads);
    clipc_cli_json_text(&json, "activation", activation_name(info->activation));
    clipc_cli_json_real(&json, "logit_scale", (double)info->logit_scale);
    clipc_cli_json_count(&json, "params", info->params);
    clipc_cli_json_reals(&json, "mean", info->mean, 3);
    clipc_cli_json_reals(&json, "std", info->std, 3);
    clipc_cli_json_text(&json, "format", info->format);
    clipc_cli_json_text(&json, "layout", info->layout);
    if (*info->packed_for) {
        clipc_cli_json_text(&json, "dtype", dtype_name(info->dtype));
        clipc_cli_json_text(&json, "packed_for", info->packed_for);
        clipc_cli_json_bool(&json, "is_mapped", info->is_mapped);
    }
    return clipc_cli_json_print(&json);
}

static void print_tower(const clipc_model_info *info)
{
    const uint32_t *layers = info->vision_layers;

    if (info->patch_size)
        printf("vision tower    ViT, %" PRIu32 " layers of width %" PRIu32 ", %" PRIu32
               " heads, patches of %" PRIu32 "x%" PRIu32 "\n",
               layers[0], info->vision_width, info->vision_heads, info->patch_size,
               info->patch_size);
    else
        printf("vision tower    ResNet, %" PRIu32 "+%" PRIu32 "+%" PRIu32 "+%" PRIu32
               " blocks of width %" PRIu32 ", %" PRIu32 " heads\n",
               layers[0], layers[1], layers[2], layers[3], info->vision_width, info->vision_heads);
    printf("text tower      %" PRIu32 " layers of width %" PRIu32 ", %" PRIu32 " heads\n",
           info->text_layers, info->text_width, info->text_heads);
}

static void print_table(const clipc_model_info *info)
{
    printf("architecture    %s\n", info->arch);
    printf("file            %s, names as in %s\n", info->format, info->layout);
    if (*info->packed_for)
        printf("packed          for %s in %s, %s\n", dtype_name(info->dtype), info->packed_for,
               info->is_mapped ? "used where it lies" : "packed anew when opened here");
    printf("parameters      %.1f M\n", 1e-6 * (double)info->params);
    printf("embedding       %" PRIu32 "\n", info->embed_dim);
    printf("pictures        %" PRIu32 "x%" PRIu32 "\n", info->image_size, info->image_size);
    printf("texts           %" PRIu32 " positions, vocabulary of %" PRIu32 "\n",
           info->context_length, info->vocab_size);
    print_tower(info);
    printf("activation      %s\n", activation_name(info->activation));
    printf("logit scale     %.9g (times %.4g)\n", (double)info->logit_scale,
           exp((double)info->logit_scale));
    printf("mean            %.8g %.8g %.8g\n", (double)info->mean[0], (double)info->mean[1],
           (double)info->mean[2]);
    printf("std             %.8g %.8g %.8g\n", (double)info->std[0], (double)info->std[1],
           (double)info->std[2]);
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    info_options options = {0};
    clipc_model *model = NULL;
    clipc_model_info info;
    const char *name;
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (options.common.operand_count > 1)
        return clipc_cli_usage_error(self, "one model at a time");
    if (options.common.operand_count && options.common.model)
        return clipc_cli_usage_error(self, "the model is named twice");
    name = options.common.operand_count ? options.common.operands[0]
                                        : clipc_cli_model_name(&options.common);
    code = options.verify ? clipc_cli_open_verified(&model, name, &options.common)
                          : clipc_cli_open_description(&model, name, &options.common);
    if (code)
        return code;
    clipc_model_get_info(model, &info);
    clipc_model_close(model);
    if (options.common.json)
        return print_json(&info);
    print_table(&info);
    return CLIPC_CLI_DONE;
}

const clipc_cli_command clipc_cli_info = {
    .name = "info",
    .summary = "what a model is: its architecture, sizes, file format",
    .usage = "[MODEL] [--verify]",
    .examples = "clipc info\n"
                "clipc info ViT-B/32\n"
                "clipc info --json checkpoint.safetensors",
    .options = info_table,
    .groups = CLIPC_CLI_WITH_MODEL,
    .run = run,
};
