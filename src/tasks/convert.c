/* SPDX-License-Identifier: MIT */
/*
 * A checkpoint -> another format, precision or naming, tensor by tensor without a copy of the
 * whole.
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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_PIECES 3
#define MAX_PATH 4096

/* A tensor of the output: a range of rows of one of the input, perhaps transposed. */
typedef struct part {
    const clipc_checkpoint *checkpoint;
    const clipc_checkpoint_tensor *tensor;
    uint64_t first_row;
    float *whole; /* owned: the tensor transposed; NULL when it is written as it is */
    char name[CLIPC_NAME_SIZE];
} part;

typedef struct conversion {
    const clipc_convert_options *options;
    const char *in, *out;
    clipc_checkpoint *checkpoint;
    clipc_config config;
    part *parts;                /* [count] */
    clipc_save_tensor *tensors; /* [count] */
    size_t count;
    clipc_error *error;
} conversion;

/* --- Values --- */

static void read_part(const void *context, uint64_t first, uint64_t rows, float *out)
{
    const part *p = context;
    const uint64_t width = p->tensor->rank > 1 ? p->tensor->shape[0] : 1;

    if (p->whole) /* width here is that of the transposed tensor: the input's number of rows */
        memcpy(out, p->whole + first * width, (size_t)(rows * width) * sizeof(*out));
    else
        clipc_checkpoint_read(p->checkpoint, p->tensor, p->first_row + first, rows, out);
}

/* The two projections are small: they are transposed in memory. */
static clipc_status transpose(part *p, clipc_error *error)
{
    const size_t rows = (size_t)p->tensor->shape[0], width = (size_t)p->tensor->shape[1];
    float *row = clipc_calloc(width, sizeof(*row));

    p->whole = clipc_calloc(rows, width * sizeof(*p->whole));
    if (!row || !p->whole) {
        free(row);
        return clipc_fail_memory(error, p->name, rows * width * sizeof(float));
    }
    for (size_t i = 0; i < rows; i++) {
        clipc_checkpoint_read(p->checkpoint, p->tensor, i, 1, row);
        for (size_t j = 0; j < width; j++)
            p->whole[j * rows + i] = row[j];
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
    *p = (part){.checkpoint = c->checkpoint, .tensor = tensor};
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
    if (!mapped->is_transposed)
        return CLIPC_OK;
    out->shape[0] = tensor->shape[1];
    out->shape[1] = tensor->shape[0];
    return transpose(p, c->error);
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

/* Writes a configuration beside the output; one that is there and says something else stays. */
static clipc_status write_sidecar(const conversion *c, const char *name, const char *json)
{
    const char *slash = strrchr(c->out, '/');
    clipc_atomic_file *file;
    char path[MAX_PATH];
    clipc_status status;

    if (snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - c->out + 1) : 0, c->out,
                 name) >= (int)sizeof(path))
        return clipc_fail(c->error, CLIPC_ERROR_ARGUMENT, "%s: the path is too long", c->out);
    if (says_already(path, json))
        return CLIPC_OK;
    if (access(path, F_OK) == 0)
        return clipc_fail(c->error, CLIPC_ERROR_IO,
                          "%s: is there already and describes another model; choose another folder "
                          "for %s",
                          path, c->out);
    status = clipc_atomic_file_open(&file, path, c->error);
    if (status)
        return status;
    status = clipc_atomic_file_write(file, json, strlen(json), c->error);
    if (status) {
        clipc_atomic_file_abandon(file);
        return status;
    }
    return clipc_atomic_file_commit(file, c->error);
}

static bool is_safetensors(const char *path)
{
    const size_t length = strlen(path);

    return length > 12 && strcmp(path + length - 12, ".safetensors") == 0;
}

/*
 * safetensors keep the configuration inside, where it cannot be parted from its tensors. Beside the
 * file it stands where another reader looks for it: always in Hugging Face's layout, and for a
 * state dict whose tensors do not tell all.
 */
static clipc_status write_files(conversion *c, const char *own, const char *huggingface)
{
    clipc_status status = CLIPC_OK;

    if (huggingface)
        status = write_sidecar(c, "config.json", huggingface);
    else if (!is_safetensors(c->out) && !clipc_config_is_default(&c->config))
        status = write_sidecar(c, "open_clip_config.json", own);
    return status ? status : clipc_save_tensors(c->out, c->tensors, c->count, own, c->error);
}

static clipc_status write_output(conversion *c)
{
    const bool is_huggingface = c->options->layout == CLIPC_LAYOUT_HUGGINGFACE;
    char *own = clipc_config_to_open_clip(&c->config);
    char *huggingface = is_huggingface ? clipc_config_to_huggingface(&c->config) : NULL;
    clipc_status status = own && (huggingface || !is_huggingface)
                              ? write_files(c, own, huggingface)
                              : clipc_fail_memory(c->error, c->out, 0);

    free(own);
    free(huggingface);
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
        free(c->parts[i].whole);
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
    if (!settings.keep_dtype && settings.dtype == CLIPC_DTYPE_INT8)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "%s: int8 is not a dtype of checkpoints",
                          out);
    limits = (clipc_checkpoint_options){(uint64_t)64 << 30, {settings.log, settings.log_data}};
    status = clipc_checkpoint_open(&c.checkpoint, in, &limits, error);
    if (status)
        return status;
    status = convert(&c);
    clipc_checkpoint_close(c.checkpoint);
    return status;
}
