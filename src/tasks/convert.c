/* SPDX-License-Identifier: MIT */
/*
 * A checkpoint -> another format, precision or naming, tensor by tensor without a copy of the
 * whole; or -> a .clipc file, of the model as it is once opened.
 */
#include "base/file_map.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/sizes.h"
#include "base/status.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/layouts.h"
#include "checkpoint/save.h"
#include "model/config.h"
#include "model/config_write.h"
#include "model/packed_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_PIECES 3
#define MAX_PATH 4096

typedef struct conversion {
    const clipc_convert_options *options;
    const char *in, *out;
    clipc_checkpoint *checkpoint;
    clipc_config config;
    struct part *parts;         /* [count] */
    clipc_save_tensor *tensors; /* [count] */
    size_t count;
    uint64_t done, total; /* bytes of the output */
    clipc_error *error;
} conversion;

/* A tensor of the output: a range of rows of one of the input, perhaps transposed. */
typedef struct part {
    conversion *job;
    const clipc_checkpoint_tensor *tensor;
    uint64_t first_row;
    uint64_t rows, row_bytes; /* a scalar is one row */
    float *transposed;        /* owned; NULL when rows are read as they are */
    char name[CLIPC_NAME_SIZE];
} part;

/* --- Values --- */

static clipc_status read_part(void *context, uint64_t first, uint64_t rows, float *out,
                              clipc_error *error)
{
    const part *p = context;
    conversion *c = p->job;

    if (p->transposed) {
        const uint64_t width = p->tensor->shape[0];

        memcpy(out, p->transposed + first * width, (size_t)(rows * width) * sizeof(*out));
    } else {
        clipc_checkpoint_read(c->checkpoint, p->tensor, p->first_row + first, rows, out);
    }
    if (first + rows == p->rows)
        clipc_checkpoint_release(c->checkpoint, p->tensor);
    c->done += rows * p->row_bytes;
    if (c->options->progress && c->options->progress(c->options->progress_data, c->done, c->total))
        return clipc_fail(error, CLIPC_ERROR_CANCELLED, "%s: cancelled", c->out);
    return CLIPC_OK;
}

/* The two projections are small: they are transposed in memory. */
static clipc_status transpose(part *p, clipc_error *error)
{
    const size_t rows = (size_t)p->tensor->shape[0], width = (size_t)p->tensor->shape[1];
    float *row = clipc_calloc(width, sizeof(*row));

    p->transposed = clipc_calloc(rows, width * sizeof(*p->transposed));
    if (!row || !p->transposed) {
        free(row);
        return clipc_fail_memory(error, p->name, rows * width * sizeof(float));
    }
    for (size_t i = 0; i < rows; i++) {
        clipc_checkpoint_read(p->job->checkpoint, p->tensor, i, 1, row);
        for (size_t j = 0; j < width; j++)
            p->transposed[j * rows + i] = row[j];
    }
    free(row);
    return CLIPC_OK;
}

/* --- Planning the output --- */

static clipc_element choose_element(const clipc_convert_options *options, clipc_element stored)
{
    if (options->keep_dtype)
        return stored == CLIPC_ELEMENT_F16 || stored == CLIPC_ELEMENT_BF16 ? stored
                                                                           : CLIPC_ELEMENT_F32;
    return options->dtype == CLIPC_DTYPE_F16    ? CLIPC_ELEMENT_F16
           : options->dtype == CLIPC_DTYPE_BF16 ? CLIPC_ELEMENT_BF16
                                                : CLIPC_ELEMENT_F32;
}

/* The name of piece `piece` in the output's layout; false when it has none. */
static bool map_name(const conversion *c, const char *name, unsigned piece, clipc_mapped_name *out)
{
    if (c->options->layout == CLIPC_LAYOUT_HUGGINGFACE)
        return clipc_layout_to_huggingface(name, piece, out);
    *out = (clipc_mapped_name){.pieces = 1};
    return snprintf(out->name, sizeof(out->name), "%s", name) < (int)sizeof(out->name);
}

static clipc_status add_part(conversion *c, const clipc_checkpoint_tensor *tensor,
                             const clipc_mapped_name *mapped, unsigned piece)
{
    part *p = &c->parts[c->count];
    clipc_save_tensor *out = &c->tensors[c->count];

    c->count++;
    *p = (part){.job = c, .tensor = tensor};
    memcpy(p->name, mapped->name, sizeof(p->name));
    *out = (clipc_save_tensor){
        .name = p->name,
        .element = choose_element(c->options, tensor->element),
        .rank = tensor->rank,
        .read = read_part,
        .context = p,
    };
    memcpy(out->shape, tensor->shape, sizeof(out->shape));
    if (mapped->pieces > 1) {
        out->shape[0] /= mapped->pieces;
        p->first_row = piece * out->shape[0];
    }
    if (mapped->is_transposed) {
        out->shape[0] = tensor->shape[1];
        out->shape[1] = tensor->shape[0];
    }
    c->total += clipc_save_size(out);
    p->rows = out->rank ? out->shape[0] : 1;
    p->row_bytes = p->rows ? clipc_save_size(out) / p->rows : 0;
    return mapped->is_transposed ? transpose(p, c->error) : CLIPC_OK;
}

static clipc_status add_tensor(conversion *c, const clipc_checkpoint_tensor *tensor)
{
    clipc_mapped_name mapped;
    unsigned pieces = 1;

    for (unsigned piece = 0; piece < pieces; piece++) {
        clipc_status status;

        if (!map_name(c, tensor->name, piece, &mapped))
            return clipc_fail(c->error, CLIPC_ERROR_UNSUPPORTED,
                              "%s: Hugging Face's layout has no place for %s", c->in, tensor->name);
        pieces = mapped.pieces;
        if ((mapped.is_transposed && tensor->rank != 2) ||
            (pieces > 1 && (tensor->rank == 0 || tensor->shape[0] % pieces != 0)))
            return clipc_fail(c->error, CLIPC_ERROR_FORMAT, "%s: %s has an unexpected shape", c->in,
                              tensor->file_name);
        status = add_part(c, tensor, &mapped, piece);
        if (status)
            return status;
    }
    return CLIPC_OK;
}

static clipc_status plan(conversion *c)
{
    const size_t count = clipc_checkpoint_count(c->checkpoint);
    clipc_status status = CLIPC_OK;

    c->parts = clipc_calloc(count, MOST_PIECES * sizeof(*c->parts));
    c->tensors = clipc_calloc(count, MOST_PIECES * sizeof(*c->tensors));
    if (!c->parts || !c->tensors)
        return clipc_fail_memory(c->error, c->out, count);
    for (size_t i = 0; !status && i < count; i++)
        status = add_tensor(c, clipc_checkpoint_at(c->checkpoint, i));
    return status;
}

/* --- The configuration --- */

static clipc_status read_config(conversion *c)
{
    const clipc_log log = {c->options->log, c->options->log_data};
    const char *own = clipc_checkpoint_config(c->checkpoint);
    clipc_status status = clipc_config_from_tensors(&c->config, c->checkpoint, c->error);

    if (!status && own)
        status = clipc_config_apply_json(&c->config, own, strlen(own), c->in, c->error);
    else if (!status && strcmp(clipc_checkpoint_format(c->checkpoint), "torchscript") != 0)
        status = clipc_config_apply_files(&c->config, c->in, c->error);
    if (!status)
        status =
            clipc_config_finish(&c->config, c->checkpoint, c->options->activation, &log, c->error);
    if (!status && c->options->layout == CLIPC_LAYOUT_HUGGINGFACE &&
        c->config.vision_kind != CLIPC_VISION_VIT)
        return clipc_fail(c->error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: Hugging Face's CLIPModel has no ResNet", c->in);
    return status;
}

/* Whether the file at path says just this; an absent one does not. */
static bool says_already(const char *path, const char *json)
{
    char *text;
    size_t size;
    bool same;

    if (clipc_file_read(path, (size_t)1 << 20, &text, &size, NULL) != CLIPC_OK)
        return false;
    same = strcmp(text, json) == 0;
    free(text);
    return same;
}

/* A configuration file beside the output. */
typedef struct sidecar {
    const char *name;
    char *json; /* owned */
    char path[MAX_PATH];
    bool is_made; /* by us: it goes again when the output fails */
} sidecar;

#define MOST_SIDECARS 2

/* One that is there already and says something else stays, and is an error. */
static clipc_status write_sidecar(const conversion *c, sidecar *beside)
{
    const char *slash = strrchr(c->out, '/');
    clipc_atomic_file *file;
    clipc_status status;

    if (snprintf(beside->path, sizeof(beside->path), "%.*s%s",
                 slash ? (int)(slash - c->out + 1) : 0, c->out,
                 beside->name) >= (int)sizeof(beside->path))
        return clipc_fail(c->error, CLIPC_ERROR_ARGUMENT, "%s: the path is too long", c->out);
    if (says_already(beside->path, beside->json))
        return CLIPC_OK;
    if (access(beside->path, F_OK) == 0)
        return clipc_fail(c->error, CLIPC_ERROR_IO,
                          "%s: is there already and says something else; choose another folder for "
                          "%s",
                          beside->path, c->out);
    status = clipc_atomic_file_open(&file, beside->path, c->error);
    if (status)
        return status;
    status = clipc_atomic_file_write(file, beside->json, strlen(beside->json), c->error);
    if (status) {
        clipc_atomic_file_abandon(file);
        return status;
    }
    status = clipc_atomic_file_commit(file, c->error);
    beside->is_made = !status;
    return status;
}

static bool has_ending(const char *path, const char *ending)
{
    const size_t length = strlen(path), ending_length = strlen(ending);

    return length > ending_length && strcmp(path + length - ending_length, ending) == 0;
}

/*
 * safetensors keep the configuration inside, where it cannot be parted from its tensors. Beside the
 * file it stands where another reader looks for it: always in Hugging Face's layout, and for a
 * state dict whose tensors do not tell all.
 */
static size_t choose_sidecars(const conversion *c, sidecar sidecars[MOST_SIDECARS])
{
    if (c->options->layout == CLIPC_LAYOUT_HUGGINGFACE) {
        sidecars[0].name = "config.json";
        sidecars[0].json = clipc_config_to_huggingface(&c->config);
        sidecars[1].name = "preprocessor_config.json";
        sidecars[1].json = clipc_config_to_preprocessor(&c->config);
        return 2;
    }
    if (has_ending(c->out, ".safetensors") || clipc_config_is_default(&c->config))
        return 0;
    sidecars[0].name = "open_clip_config.json";
    sidecars[0].json = clipc_config_to_open_clip(&c->config);
    return 1;
}

/* What is beside the output comes first: weights without it would be read as another model. */
static clipc_status write_files(const conversion *c, sidecar *sidecars, size_t count)
{
    char *own = clipc_config_to_open_clip(&c->config);
    clipc_status status = own ? CLIPC_OK : clipc_fail_memory(c->error, c->out, sizeof(c->config));

    for (size_t i = 0; !status && i < count; i++)
        status = sidecars[i].json ? write_sidecar(c, &sidecars[i])
                                  : clipc_fail_memory(c->error, c->out, sizeof(c->config));
    if (!status)
        status = clipc_save_tensors(c->out, c->tensors, c->count, own, c->error);
    for (size_t i = 0; status && i < count; i++)
        if (sidecars[i].is_made)
            (void)unlink(sidecars[i].path);
    free(own);
    return status;
}

static clipc_status write_output(const conversion *c)
{
    sidecar *sidecars = clipc_calloc(MOST_SIDECARS, sizeof(*sidecars));
    clipc_status status;
    size_t count;

    if (!sidecars)
        return clipc_fail_memory(c->error, c->out, MOST_SIDECARS * sizeof(*sidecars));
    count = choose_sidecars(c, sidecars);
    status = write_files(c, sidecars, count);
    for (size_t i = 0; i < count; i++)
        free(sidecars[i].json);
    free(sidecars);
    return status;
}

/* --- Packed --- */

/* A .clipc file is a model as it is once opened. */
static clipc_status convert_to_packed(const char *in, const char *out,
                                      const clipc_convert_options *options, clipc_error *error)
{
    clipc_model_options model_options;
    clipc_model *model;
    clipc_status status;

    if (options->layout != CLIPC_LAYOUT_OPENAI)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "%s: a .clipc file has no layouts to choose from", out);
    if (!options->keep_dtype && options->dtype == CLIPC_DTYPE_F16)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "%s: a .clipc file is packed for f32, bf16 or int8", out);
    clipc_model_options_init(&model_options);
    model_options.activation = options->activation;
    model_options.log = options->log;
    model_options.log_data = options->log_data;
    if (!options->keep_dtype)
        model_options.dtype = options->dtype;
    status = clipc_model_open(&model, in, &model_options, error);
    if (!status)
        status = clipc_model_save(model, out, options->cpu, options->progress,
                                  options->progress_data, error);
    clipc_model_close(model);
    return status;
}

/* --- All of it --- */

void clipc_convert_options_init(clipc_convert_options *options)
{
    *options = (clipc_convert_options){
        .size = sizeof(*options),
        .keep_dtype = true,
        .layout = CLIPC_LAYOUT_OPENAI,
    };
}

static clipc_status convert(conversion *c)
{
    clipc_status status = read_config(c);

    if (!status)
        status = plan(c);
    if (!status)
        status = write_output(c);
    for (size_t i = 0; i < c->count; i++)
        free(c->parts[i].transposed);
    free(c->parts);
    free(c->tensors);
    return status;
}

clipc_status clipc_convert(const char *in, const char *out, const clipc_convert_options *options,
                           clipc_error *error)
{
    clipc_convert_options settings;
    conversion c = {.options = &settings, .in = in, .out = out, .error = error};
    clipc_checkpoint_options limits;
    clipc_status status;

    clipc_convert_options_init(&settings);
    status = clipc_options_take(&settings, sizeof(settings), options, "convert options", error);
    if (status)
        return status;
    if (has_ending(out, ".clipc"))
        return convert_to_packed(in, out, &settings, error);
    if (!settings.keep_dtype &&
        (settings.dtype == CLIPC_DTYPE_INT8 || settings.dtype == CLIPC_DTYPE_AUTO))
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "%s: checkpoints are in f32, f16 or bf16",
                          out);
    if (settings.cpu)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT,
                          "%s: only .clipc files are packed for a CPU level", out);
    limits = (clipc_checkpoint_options){(uint64_t)64 << 30, {settings.log, settings.log_data}};
    status = clipc_checkpoint_open(&c.checkpoint, in, &limits, error);
    if (status)
        return status;
    status = clipc_checkpoint_packed(c.checkpoint)
                 ? clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                              "%s: its weights are packed for use; convert the checkpoint that it "
                              "was made from",
                              in)
                 : convert(&c);
    clipc_checkpoint_close(c.checkpoint);
    return status;
}
