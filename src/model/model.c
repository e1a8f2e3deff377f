/* SPDX-License-Identifier: MIT */
/* Opening a model: name -> checkpoint -> configuration -> parameters -> weights. */
#include "model/model.h"

#include "base/cpu.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/status.h"
#include "embedded/tiny_config.h"
#include "embedded/tiny_model.h"
#include "model/packed_model.h"
#include "model/packed_weights.h"
#include "model/towers.h"
#include "model/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUILT_IN "tiny"
#define MAX_PATH 4096

void clipc_model_options_init(clipc_model_options *options)
{
    *options = (clipc_model_options){
        .size = sizeof(*options),
        .activation = CLIPC_ACTIVATION_AUTO,
        .max_weight_bytes = (uint64_t)64 << 30,
        .dtype = CLIPC_DTYPE_AUTO,
    };
}

/* --- Where the model is --- */

/* A known model's place in the cache, when it is there; a path as it stands otherwise. */
static clipc_status resolve(const char *name, const char *cache_dir, char *path, size_t path_size,
                            clipc_error *error)
{
    bool is_cached = false;

    if (access(name, F_OK) == 0 ||
        clipc_cache_path(name, cache_dir, path, path_size, &is_cached, NULL) != CLIPC_OK) {
        if (strlen(name) >= path_size)
            return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "%s: the path is too long", name);
        snprintf(path, path_size, "%s", name);
        if (access(name, F_OK) != 0)
            return clipc_fail(error, CLIPC_ERROR_NOT_FOUND,
                              "%s: no such file, and no known model (`clipc models` lists them)",
                              name);
        return CLIPC_OK;
    }
    if (!is_cached)
        return clipc_fail(error, CLIPC_ERROR_NOT_FOUND,
                          "%s: is not in the cache at %s; `clipc pull %s` fetches it", name, path,
                          name);
    return CLIPC_OK;
}

/* --- Opening --- */

/* Says of the parameters from `first` on whether they stay in the file. */
static void leave_out(clipc_parameters *parameters, size_t first, bool is_left_out)
{
    for (size_t i = first; i < parameters->count; i++)
        parameters->items[i].is_left_out = is_left_out;
}

/*
 * The last projections are of one row an input: their rounding would be seen in the embedding
 * undiluted, their time is nothing.
 */
static void keep_projections_in_f32(clipc_model *model)
{
    static const char *const names[] = {"visual.proj", "text_projection"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const clipc_parameter_id id = clipc_parameters_find(&model->parameters, names[i]);

        if (id != CLIPC_NO_PARAMETER) /* a ResNet has none of the first */
            model->parameters.items[id].kernel = model->kernels->f32;
    }
}

/* Records both towers once, for one picture and one text: this declares every parameter. */
static clipc_status declare_parameters(clipc_model *model, clipc_error *error)
{
    const clipc_config *config = &model->config;
    const clipc_shape pixels = {.rank = 4,
                                .extent = {1, 3, config->image_size, config->image_size}};
    const clipc_shape one = clipc_shape_1(1), two = clipc_shape_1(2);
    size_t text; /* the text tower's first parameter */
    clipc_program program;
    clipc_status status;

    clipc_program_init_declaring(&program, &model->parameters);
    clipc_record_image_tower(&program, config, clipc_program_bind(&program, 0, &pixels));
    leave_out(&model->parameters, 0, !(model->towers & CLIPC_TOWER_IMAGE));
    text = model->parameters.count;
    clipc_record_text_tower(&program, config,
                            &(clipc_packed_texts){
                                .count = 1,
                                .ids = clipc_program_bind(&program, 1, &one),
                                .places = clipc_program_bind(&program, 2, &one),
                                .offsets = clipc_program_bind(&program, 3, &two),
                                .token_rows = clipc_program_bind(&program, 4, &one),
                                .token_offsets = clipc_program_bind(&program, 5, &two),
                                .ends = clipc_program_bind(&program, 6, &one),
                            });
    clipc_program_parameter(&program, CLIPC_ROLE_VALUES, clipc_shape_0(), "logit_scale");
    leave_out(&model->parameters, text, !(model->towers & CLIPC_TOWER_TEXT));
    status = clipc_program_plan(&program, model->kernels, error);
    clipc_program_free(&program);
    if (!status)
        status = clipc_parameters_seal(&model->parameters, error);
    if (!status)
        keep_projections_in_f32(model);
    return status;
}

static uint64_t count_parameters(const clipc_parameters *parameters)
{
    uint64_t count = 0;

    for (size_t i = 0; i < parameters->count; i++)
        if (parameters->items[i].role != CLIPC_ROLE_STATISTIC)
            count += clipc_shape_count(&parameters->items[i].shape);
    return count;
}

static const char *layout_name(clipc_checkpoint_layout layout)
{
    switch (layout) {
    case CLIPC_CHECKPOINT_OPENAI: return "openai";
    case CLIPC_CHECKPOINT_OPEN_CLIP_CUSTOM: return "open_clip";
    case CLIPC_CHECKPOINT_HUGGINGFACE: return "huggingface";
    }
    return "unknown";
}

static clipc_status load_weights(clipc_model *model, const clipc_checkpoint *checkpoint,
                                 unsigned thread_count, clipc_error *error)
{
    clipc_threads *threads;
    clipc_status status = clipc_threads_open(&threads, thread_count, error);

    if (status)
        return status;
    status = clipc_checkpoint_packed(checkpoint)
                 ? clipc_packed_weights_load(&model->parameters, checkpoint, threads, error)
                 : clipc_weights_load(&model->parameters, checkpoint, threads, error);
    clipc_threads_close(threads);
    model->has_weights = !status;
    return status;
}

static clipc_status check_weights(clipc_model *model, const clipc_checkpoint *checkpoint,
                                  const clipc_model_options *options, clipc_error *error)
{
    const clipc_packed_header *packed = clipc_checkpoint_packed(checkpoint);
    clipc_status status;

    if (!packed)
        return options->verify
                   ? clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                                "%s: has no checksums to verify; only .clipc files have",
                                clipc_checkpoint_source(checkpoint))
                   : clipc_weights_check(&model->parameters, checkpoint, error);
    status = clipc_packed_weights_check(&model->parameters, checkpoint, error);
    if (!status)
        status = clipc_packed_check_tokenizer(packed, &model->config,
                                              clipc_checkpoint_source(checkpoint), error);
    if (!status && options->verify)
        status = clipc_packed_weights_verify(checkpoint, error);
    return status;
}

/* It has been checked that it is a scalar. */
static clipc_status read_logit_scale(clipc_model *model, const clipc_checkpoint *checkpoint,
                                     clipc_error *error)
{
    clipc_checkpoint_read(checkpoint, clipc_checkpoint_find(checkpoint, "logit_scale"), 0, 1,
                          &model->logit_scale);
    if (isfinite(model->logit_scale))
        return CLIPC_OK;
    return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: logit_scale is not finite",
                      clipc_checkpoint_source(checkpoint));
}

/* 0 stands for both. */
static clipc_status choose_towers(clipc_model *model, unsigned towers, clipc_error *error)
{
    const unsigned both = CLIPC_TOWER_IMAGE | CLIPC_TOWER_TEXT;

    if (towers & ~both)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "model: towers is %#x, flags CLIPC_TOWER_* were expected", towers);
    model->towers = towers ? towers : both;
    return CLIPC_OK;
}

/* What matrices are multiplied in: as asked for, as a .clipc file is packed, float32. */
static clipc_status choose_dtype(clipc_dtype wanted, const clipc_checkpoint *checkpoint,
                                 clipc_dtype *out, clipc_error *error)
{
    const clipc_packed_header *packed = clipc_checkpoint_packed(checkpoint);

    *out = packed ? packed->dtype : wanted == CLIPC_DTYPE_AUTO ? CLIPC_DTYPE_F32 : wanted;
    if (wanted == CLIPC_DTYPE_AUTO || wanted == *out)
        return CLIPC_OK;
    return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                      "%s: is packed for %s, and cannot be opened for %s",
                      clipc_checkpoint_source(checkpoint), clipc_packed_dtype_name(*out),
                      clipc_packed_dtype_name(wanted));
}

/*
 * Convolutions lose more by rounding than Transformers do: windows of 3x3 are multiplied in float32
 * (which Winograd's way makes up for), those of 1x1 in no less than bfloat16. docs/precision.md has
 * the measurements.
 */
static clipc_status choose_kernels(clipc_model *model, clipc_dtype dtype, clipc_error *error)
{
    const clipc_kernels *kernels = clipc_kernels_choose();

    if (!kernels) {
        char names[128];

        clipc_cpu_level_names(names, sizeof(names));
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "CLIPC_CPU: names no level, one of %s was expected", names);
    }
    model->kernels = kernels;
    model->parameters.kernels = (clipc_matrix_kernels){
        .matrix = clipc_kernels_matrix(kernels, dtype),
        .pointwise = dtype == CLIPC_DTYPE_F32 ? kernels->f32 : kernels->bf16,
        .convolution = kernels->f32,
        .f32 = kernels->f32,
        .allows_winograd = true,
    };
    if (!model->parameters.kernels.matrix)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "model: matrices are multiplied in f32, bf16 or int8");
    return CLIPC_OK;
}

/* Notes whether a .clipc file's panels suit this processor; where they do not, the log says so. */
static void note_packing(clipc_model *model, const clipc_checkpoint *checkpoint,
                         const clipc_log *log)
{
    const clipc_packed_header *packed = clipc_checkpoint_packed(checkpoint);

    if (!packed)
        return;
    snprintf(model->packed_for, sizeof(model->packed_for), "%s", packed->cpu);
    model->is_mapped = clipc_packed_weights_fit(&model->parameters, checkpoint);
    if (!model->is_mapped)
        clipc_log_write(log, CLIPC_LOG_INFO,
                        "%s: packed for %.31s; its weights are packed anew for %s, in memory",
                        clipc_checkpoint_source(checkpoint), packed->cpu, model->kernels->level);
}

/* The rest of opening, once the configuration is as complete as the files make it. */
static clipc_status build(clipc_model *model, const clipc_checkpoint *checkpoint,
                          const clipc_model_options *options, clipc_error *error)
{
    const clipc_log log = {options->log, options->log_data};
    clipc_dtype dtype;
    clipc_status status;

    status = clipc_config_finish(&model->config, checkpoint, options->activation, &log, error);
    if (!status)
        status = choose_dtype(options->dtype, checkpoint, &dtype, error);
    if (!status)
        status = choose_kernels(model, dtype, error);
    if (!status)
        status = choose_towers(model, options->towers, error);
    if (!status)
        status = declare_parameters(model, error);
    if (!status)
        status = check_weights(model, checkpoint, options, error);
    if (!status)
        note_packing(model, checkpoint, &log);
    if (!status && !options->without_weights)
        status = load_weights(model, checkpoint, options->threads, error);
    if (!status)
        status = read_logit_scale(model, checkpoint, error);
    if (status)
        return status;
    model->parameter_count = count_parameters(&model->parameters);
    snprintf(model->format, sizeof(model->format), "%s", clipc_checkpoint_format(checkpoint));
    snprintf(model->layout, sizeof(model->layout), "%s",
             layout_name(clipc_checkpoint_get_layout(checkpoint)));
    return clipc_tokenizer_open(&model->tokenizer, (uint32_t)model->config.vocab_size, error);
}

static clipc_status open_built_in(clipc_model *model, const clipc_model_options *options,
                                  const clipc_checkpoint_options *limits, clipc_error *error)
{
    clipc_checkpoint *checkpoint;
    clipc_status status =
        clipc_checkpoint_open_memory(&checkpoint, clipc_embedded_tiny_model,
                                     clipc_embedded_tiny_model_size, BUILT_IN, limits, error);

    if (status)
        return status;
    status = clipc_config_from_tensors(&model->config, checkpoint, error);
    if (!status)
        status = clipc_config_apply_json(&model->config, (const char *)clipc_embedded_tiny_config,
                                         clipc_embedded_tiny_config_size, BUILT_IN, error);
    if (!status)
        status = build(model, checkpoint, options, error);
    clipc_checkpoint_close(checkpoint);
    return status;
}

/*
 * A configuration inside the file comes before those beside it. OpenAI's archives are complete in
 * themselves: a configuration beside one is another model's.
 */
static clipc_status apply_config(clipc_model *model, const clipc_checkpoint *checkpoint,
                                 const char *path, clipc_error *error)
{
    const char *own = clipc_checkpoint_config(checkpoint);

    if (own)
        return clipc_config_apply_json(&model->config, own, strlen(own), path, error);
    if (strcmp(clipc_checkpoint_format(checkpoint), "torchscript") == 0)
        return CLIPC_OK;
    return clipc_config_apply_files(&model->config, path, error);
}

static clipc_status open_path(clipc_model *model, const char *path,
                              const clipc_model_options *options,
                              const clipc_checkpoint_options *limits, clipc_error *error)
{
    clipc_checkpoint *checkpoint;
    clipc_status status = clipc_checkpoint_open(&checkpoint, path, limits, error);

    if (status)
        return status;
    status = clipc_config_from_tensors(&model->config, checkpoint, error);
    if (!status)
        status = apply_config(model, checkpoint, path, error);
    if (!status)
        status = build(model, checkpoint, options, error);
    if (clipc_checkpoint_packed(checkpoint))
        model->packed = checkpoint;
    else
        clipc_checkpoint_close(checkpoint);
    return status;
}

clipc_status clipc_model_open(clipc_model **out, const char *name_or_path,
                              const clipc_model_options *options, clipc_error *error)
{
    const char *name = name_or_path ? name_or_path : BUILT_IN;
    clipc_model_options settings;
    clipc_checkpoint_options limits;
    clipc_model *model;
    clipc_status status;
    char path[MAX_PATH];

    *out = NULL;
    clipc_model_options_init(&settings);
    status = clipc_options_take(&settings, sizeof(settings), options, "model options", error);
    if (status)
        return status;
    limits =
        (clipc_checkpoint_options){settings.max_weight_bytes, {settings.log, settings.log_data}};
    model = clipc_calloc(1, sizeof(*model));
    if (!model)
        return clipc_fail_memory(error, name, sizeof(*model));
    if (strcmp(name, BUILT_IN) == 0) {
        status = open_built_in(model, &settings, &limits, error);
    } else {
        status = resolve(name, settings.cache_dir, path, sizeof(path), error);
        if (!status)
            status = open_path(model, path, &settings, &limits, error);
    }
    if (status) {
        clipc_model_close(model);
        return status;
    }
    *out = model;
    return CLIPC_OK;
}

void clipc_model_close(clipc_model *model)
{
    if (!model)
        return;
    clipc_tokenizer_close(model->tokenizer);
    clipc_parameters_free(&model->parameters);
    clipc_checkpoint_close(model->packed);
    free(model);
}

clipc_status clipc_model_require(const clipc_model *model, unsigned tower, const char *what,
                                 clipc_error *error)
{
    if (model->towers & tower)
        return CLIPC_OK;
    return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                      "%s: the model was opened without the tower that encodes them", what);
}

void clipc_model_get_info(const clipc_model *model, clipc_model_info *out)
{
    const clipc_config *config = &model->config;
    const bool is_vit = config->vision_kind == CLIPC_VISION_VIT;
    clipc_model_info info = {
        .embed_dim = (uint32_t)config->embed_dim,
        .image_size = (uint32_t)config->image_size,
        .patch_size = (uint32_t)config->patch_size,
        .vision_width = (uint32_t)(is_vit ? config->vit.width : config->resnet_width),
        .vision_heads = (uint32_t)(is_vit ? config->vit.heads : config->attnpool_heads),
        .context_length = (uint32_t)config->context_length,
        .vocab_size = (uint32_t)config->vocab_size,
        .text_width = (uint32_t)config->text.width,
        .text_heads = (uint32_t)config->text.heads,
        .text_layers = (uint32_t)config->text.layers,
        .activation = config->activation,
        .logit_scale = model->logit_scale,
        .params = model->parameter_count,
        .dtype = model->parameters.kernels.matrix->dtype,
        .is_mapped = model->is_mapped,
    };

    snprintf(info.arch, sizeof(info.arch), "%s", clipc_config_arch(config));
    memcpy(info.format, model->format, sizeof(info.format));
    memcpy(info.layout, model->layout, sizeof(info.layout));
    memcpy(info.packed_for, model->packed_for, sizeof(info.packed_for));
    memcpy(info.mean, config->mean, sizeof(info.mean));
    memcpy(info.std, config->std, sizeof(info.std));
    for (size_t i = 0; i < CLIPC_RESNET_STAGES; i++)
        info.vision_layers[i] = (uint32_t)(!is_vit  ? config->resnet_layers[i]
                                           : i == 0 ? config->vit.layers
                                                    : 0);
    *out = info;
}
