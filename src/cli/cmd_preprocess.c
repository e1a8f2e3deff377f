/* SPDX-License-Identifier: MIT */
/* `clipc preprocess`: a picture to the tensor that the image encoder gets, as a .npy file. */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/npy.h"
#include "cli/open.h"
#include "cli/output.h"

#include <clipc.h>
#include <stdlib.h>

typedef struct preprocess_options {
    clipc_cli_common common;
    const char *output;
    bool exif;
    bool fast_decode;
} preprocess_options;

static const clipc_cli_option preprocess_table[] = {
    {.name = "output",
     .letter = 'o',
     .kind = CLIPC_CLI_TEXT,
     .value = "OUT.npy",
     .help = "where the tensor goes: float32, (3, H, W)",
     .offset = offsetof(preprocess_options, output)},
    {.name = "exif",
     .kind = CLIPC_CLI_FLAG,
     .help = "turn the picture as its EXIF orientation says",
     .offset = offsetof(preprocess_options, exif)},
    {.name = "fast-decode",
     .kind = CLIPC_CLI_FLAG,
     .help = "decode large JPEGs at a fraction; not exact",
     .offset = offsetof(preprocess_options, fast_decode)},
    {.name = NULL},
};

static int write_tensor(const preprocess_options *options, const float *pixels, size_t side)
{
    const size_t shape[3] = {3, side, side};
    clipc_cli_npy *npy = NULL;
    clipc_cli_json json;
    int code = clipc_cli_npy_open(&npy, options->output, shape, 3);

    if (code)
        return code;
    code = clipc_cli_npy_write(npy, pixels, 3 * side * side);
    if (!code && clipc_cli_interrupted())
        code = CLIPC_CLI_INTERRUPTED;
    if (code)
        clipc_cli_npy_abandon(npy);
    else
        code = clipc_cli_npy_commit(npy);
    if (code || !options->common.json)
        return code;
    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "image", options->common.operands[0]);
    clipc_cli_json_text(&json, "output", options->output);
    clipc_cli_json_counts(&json, "shape", (const uint32_t[]){3, (uint32_t)side, (uint32_t)side}, 3);
    return clipc_cli_json_print(&json);
}

/* pixels: [3][S][S] */
static int preprocess(const clipc_model *model, const preprocess_options *options, float *pixels)
{
    clipc_image_options image_options;
    clipc_error error;

    clipc_image_options_init(&image_options);
    image_options.apply_exif = options->exif;
    image_options.fast_decode = options->fast_decode;
    if (!clipc_preprocess_file(model, options->common.operands[0], &image_options, pixels, &error))
        return CLIPC_CLI_DONE;
    clipc_cli_report(&error);
    return CLIPC_CLI_INPUT;
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    preprocess_options options = {0};
    clipc_model *model = NULL;
    clipc_model_info info;
    float *pixels;
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (options.common.operand_count != 1)
        return clipc_cli_usage_error(self, "wants one picture, %zu were given",
                                     options.common.operand_count);
    if (!options.output)
        return clipc_cli_usage_error(self, "-o OUT.npy is missing");
    code =
        clipc_cli_open_description(&model, clipc_cli_model_name(&options.common), &options.common);
    if (code)
        return code;
    clipc_model_get_info(model, &info);
    pixels = calloc(3 * (size_t)info.image_size, info.image_size * sizeof(*pixels));
    code = pixels ? preprocess(model, &options, pixels) : clipc_cli_out_of_memory();
    if (!code)
        code = write_tensor(&options, pixels, info.image_size);
    free(pixels);
    clipc_model_close(model);
    return code;
}

const clipc_cli_command clipc_cli_preprocess = {
    .name = "preprocess",
    .summary = "a picture to the tensor that the encoder gets",
    .usage = "IMAGE -o OUT.npy [--exif] [--fast-decode]",
    .notes = "Resize, crop, RGB, normalise as the original does it for the model's picture size.",
    .examples = "clipc preprocess boat.jpg -o boat.npy\n"
                "clipc preprocess -m ViT-L/14 --exif phone.jpg -o phone.npy",
    .groups = CLIPC_CLI_WITH_MODEL,
    .options = preprocess_table,
    .run = run,
};
