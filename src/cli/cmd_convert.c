/* SPDX-License-Identifier: MIT */
/* `clipc convert`: a checkpoint in another format, naming or number type. */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"

#include <clipc.h>
#include <string.h>

enum { AS_IN_INPUT = -1 };

typedef struct convert_options {
    clipc_cli_common common;
    int dtype; /* clipc_dtype, or AS_IN_INPUT */
    int layout;
    const char *cpu;
} convert_options;

static const clipc_cli_choice dtypes[] = {
    {"f32", CLIPC_DTYPE_F32},
    {"f16", CLIPC_DTYPE_F16},
    {"bf16", CLIPC_DTYPE_BF16},
    {"int8", CLIPC_DTYPE_INT8},
    {NULL, 0},
};

static const clipc_cli_choice layouts[] = {
    {"openai", CLIPC_LAYOUT_OPENAI},
    {"huggingface", CLIPC_LAYOUT_HUGGINGFACE},
    {NULL, 0},
};

static const clipc_cli_option convert_table[] = {
    {.name = "dtype",
     .kind = CLIPC_CLI_CHOICE,
     .value = "TYPE",
     .help = "how numbers are stored: f32, f16, bf16 (default: as in IN); .clipc: f32, bf16, int8",
     .offset = offsetof(convert_options, dtype),
     .choices = dtypes},
    {.name = "layout",
     .kind = CLIPC_CLI_CHOICE,
     .value = "NAME",
     .help = "whose tensor names: openai (default), huggingface",
     .offset = offsetof(convert_options, layout),
     .choices = layouts},
    {.name = "activation",
     .kind = CLIPC_CLI_CHOICE,
     .value = "NAME",
     .help = "quickgelu or gelu, whatever IN says",
     .offset = offsetof(convert_options, common.activation),
     .choices = clipc_cli_activations},
    {.name = "cpu",
     .kind = CLIPC_CLI_TEXT,
     .value = "LEVEL",
     .help = "the CPU level that .clipc is packed for (default: this one's)",
     .offset = offsetof(convert_options, cpu)},
    {.name = NULL},
};

static bool on_progress(void *data, uint64_t done, uint64_t total)
{
    clipc_cli_progress_update(data, done, total);
    return clipc_cli_interrupted();
}

/* Converts IN to OUT; returns an exit code, and has said what was wrong. */
static int convert(const convert_options *options)
{
    clipc_convert_options library_options;
    clipc_cli_progress progress;
    clipc_error error;
    clipc_status status;

    clipc_convert_options_init(&library_options);
    library_options.keep_dtype = options->dtype == AS_IN_INPUT;
    if (!library_options.keep_dtype)
        library_options.dtype = (clipc_dtype)options->dtype;
    library_options.layout = (clipc_layout)options->layout;
    library_options.cpu = options->cpu;
    library_options.activation = (clipc_activation)options->common.activation;
    library_options.log = options->common.quiet ? NULL : clipc_cli_log;
    library_options.progress = on_progress;
    library_options.progress_data = &progress;
    clipc_cli_progress_begin(&progress, &options->common, options->common.operands[1], true);
    status = clipc_convert(options->common.operands[0], options->common.operands[1],
                           &library_options, &error);
    clipc_cli_progress_clear(&progress);
    if (!status)
        return CLIPC_CLI_DONE;
    clipc_cli_report(&error);
    return status == CLIPC_ERROR_CANCELLED ? CLIPC_CLI_INTERRUPTED : CLIPC_CLI_FAILED;
}

/* Options that a format of output does not have are mistakes, seen before IN is read. */
static int check(const clipc_cli_command *self, const convert_options *options)
{
    const char *out = options->common.operands[1], *dot = strrchr(out, '.');

    if (dot && !strcmp(dot, ".clipc")) {
        if (options->dtype == CLIPC_DTYPE_F16)
            return clipc_cli_usage_error(self, ".clipc has f32, bf16 and int8, not f16");
        if (options->layout != CLIPC_LAYOUT_OPENAI)
            return clipc_cli_usage_error(self, ".clipc has no layouts to choose from");
        return CLIPC_CLI_GO_ON;
    }
    if (options->dtype == CLIPC_DTYPE_INT8)
        return clipc_cli_usage_error(self, "--dtype int8 is for .clipc alone");
    if (options->cpu)
        return clipc_cli_usage_error(self, "--cpu is for .clipc alone");
    return CLIPC_CLI_GO_ON;
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    convert_options options = {.dtype = AS_IN_INPUT, .layout = CLIPC_LAYOUT_OPENAI};
    clipc_cli_json json;
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (options.common.operand_count != 2)
        return clipc_cli_usage_error(self, "wants IN and OUT, %zu words were given",
                                     options.common.operand_count);
    code = check(self, &options);
    if (code != CLIPC_CLI_GO_ON)
        return code;
    code = convert(&options);
    if (code || !options.common.json)
        return code;
    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "input", options.common.operands[0]);
    clipc_cli_json_text(&json, "output", options.common.operands[1]);
    return clipc_cli_json_print(&json);
}

const clipc_cli_command clipc_cli_convert = {
    .name = "convert",
    .summary = "a checkpoint in another format or naming",
    .usage = "IN OUT [--dtype f32|f16|bf16|int8] [--layout openai|huggingface] [--cpu LEVEL]",
    .notes = "OUT's ending chooses the format: .safetensors, or .pt, .pth and .bin for a PyTorch\n"
             "state dict, or .clipc: the model packed for one way of multiplying, which opens at\n"
             "once, and whose memory processes share. What the tensors do not tell stands beside "
             "it: config.json and\n"
             "preprocessor_config.json in Hugging Face's layout, else open_clip_config.json where\n"
             "needed. safetensors files also have it inside.",
    .examples = "clipc convert ViT-B-32.pt vit-b-32.safetensors\n"
                "clipc convert ViT-B-32.pt model.safetensors --layout huggingface --dtype f32\n"
                "clipc convert ViT-B-32.pt vit-b-32.clipc --dtype int8",
    .options = convert_table,
    .run = run,
};
