/* SPDX-License-Identifier: MIT */
/* Checkpoint tensors -> the parameters' data: matching names and shapes, converting, packing. */
#include "model/weights.h"

#include "base/float_formats.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "compute/pack.h"
#include "model/rounding.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows are converted through a buffer of about this many floats: small beside the weights. */
#define BUFFER_FLOATS ((size_t)1 << 16)

#define BATCHNORM_EPSILON 1e-5

/* One load: tensors[i] belongs to parameter i, states[i] tells how loading it went. */
typedef enum load_state {
    LOADED,
    NO_MEMORY,
    NOT_FINITE,
    TOO_DEEP,
} load_state;

typedef struct load_job {
    clipc_parameters *parameters;
    const clipc_checkpoint *checkpoint;
    const clipc_checkpoint_tensor **tensors;
    load_state *states;
    bool convolutions; /* the second pass: what reads the batch norms of the first */
} load_job;

/* --- Matching --- */

static clipc_status check_shape(const clipc_checkpoint *checkpoint,
                                const clipc_parameter *parameter,
                                const clipc_checkpoint_tensor *tensor, clipc_error *error)
{
    bool same = tensor->rank == parameter->shape.rank;
    char found[96] = "", wanted[96] = "";

    for (size_t i = 0; same && i < parameter->shape.rank; i++)
        same = tensor->shape[i] == parameter->shape.extent[i];
    if (same)
        return CLIPC_OK;
    for (size_t i = 0, at = 0; i < tensor->rank && at < sizeof(found) - 1; i++)
        at += clipc_min_size(sizeof(found) - 1 - at,
                             (size_t)snprintf(found + at, sizeof(found) - at, "%s%llu",
                                              i ? "," : "", (unsigned long long)tensor->shape[i]));
    for (size_t i = 0, at = 0; i < parameter->shape.rank && at < sizeof(wanted) - 1; i++)
        at += clipc_min_size(sizeof(wanted) - 1 - at,
                             (size_t)snprintf(wanted + at, sizeof(wanted) - at, "%s%zu",
                                              i ? "," : "", parameter->shape.extent[i]));
    return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s has shape [%s], [%s] was expected",
                      clipc_checkpoint_source(checkpoint), tensor->file_name, found, wanted);
}

/* Finds every parameter's tensor; a tensor that no parameter wants means another architecture. */
static clipc_status match(load_job *job, clipc_error *error)
{
    const clipc_checkpoint *checkpoint = job->checkpoint;
    const char *source = clipc_checkpoint_source(checkpoint);

    for (size_t i = 0; i < job->parameters->count; i++) {
        const clipc_parameter *parameter = &job->parameters->items[i];
        clipc_status status;

        job->tensors[i] = clipc_checkpoint_find(checkpoint, parameter->name);
        if (!job->tensors[i])
            return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: tensor %s is missing", source,
                              parameter->name);
        status = check_shape(checkpoint, parameter, job->tensors[i], error);
        if (status)
            return status;
    }
    for (size_t i = 0; i < clipc_checkpoint_count(checkpoint); i++) {
        const clipc_checkpoint_tensor *tensor = clipc_checkpoint_at(checkpoint, i);

        if (clipc_parameters_find(job->parameters, tensor->name) == CLIPC_NO_PARAMETER)
            return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                              "%s: holds tensor %s, which none of CLIP's architectures has", source,
                              tensor->file_name);
    }
    return CLIPC_OK;
}

/* --- Converting --- */

/* Adding to an exponent of nothing but ones, as infinities and NaN have, carries into the sign. */
static bool are_finite(const float *values, size_t count)
{
    uint32_t carried = 0;

    for (size_t i = 0; i < count; i++)
        carried |= (clipc_bits_from_float(values[i]) & 0x7F800000u) + 0x00800000u;
    return carried >> 31 == 0;
}

/*
 * Rows as float32: as they lie in the file if possible, else read into the buffer. NULL when one of
 * their values is not finite.
 */
static const float *rows_of(const load_job *job, size_t index, size_t first, size_t rows,
                            size_t width, float *buffer)
{
    const float *values = clipc_checkpoint_view(job->checkpoint, job->tensors[index], first, rows);

    if (!values) {
        clipc_checkpoint_read(job->checkpoint, job->tensors[index], first, rows, buffer);
        values = buffer;
    }
    return are_finite(values, rows * width) ? values : NULL;
}

/* The first extent, and the product of the others; a scalar is one row of one. */
static void row_shape(const clipc_shape *shape, size_t *rows, size_t *width)
{
    *rows = shape->rank ? shape->extent[0] : 1;
    *width = clipc_shape_count(shape) / *rows;
}

/* The scale that a folded batch norm puts on output channel `channel` of its convolution. */
static double batchnorm_scale(const clipc_parameters *parameters, clipc_parameter_id gain,
                              size_t channel)
{
    const float *gains = parameters->items[gain].data;
    const float *variances = parameters->items[gain + 3].data;

    return (double)gains[channel] / sqrt((double)variances[channel] + BATCHNORM_EPSILON);
}

/*
 * [in][places] of each row to [places][in], scaled by the batch norm that follows; for bf16 rounded
 * so that the row's sum stays.
 */
static void arrange_filters(const load_job *job, const clipc_parameter *parameter, size_t first,
                            size_t rows, const float *filters, float *out)
{
    const size_t in = parameter->shape.extent[1];
    const size_t places = parameter->shape.extent[2] * parameter->shape.extent[3];

    for (size_t row = 0; row < rows; row++) {
        const double scale =
            parameter->batchnorm == CLIPC_NO_PARAMETER
                ? 1.0
                : batchnorm_scale(job->parameters, parameter->batchnorm, first + row);
        const float *filter = filters + row * in * places;
        float *arranged = out + row * in * places;

        for (size_t place = 0; place < places; place++)
            for (size_t channel = 0; channel < in; channel++)
                arranged[place * in + channel] =
                    (float)((double)filter[channel * places + place] * scale);
        if (parameter->kernel->dtype == CLIPC_DTYPE_BF16)
            clipc_round_keeping_sum(arranged, in * places);
    }
}

/* One block for everything that is not left out, and every parameter's place in it. */
static clipc_status lay_out(load_job *job, clipc_error *error)
{
    clipc_parameters *parameters = job->parameters;
    size_t total = 0, bytes;
    char *place;

    for (size_t i = 0; i < parameters->count; i++) {
        clipc_parameter *parameter = &parameters->items[i];

        if (parameter->role == CLIPC_ROLE_TABLE && job->tensors[i]->element == CLIPC_ELEMENT_F16)
            parameter->form = CLIPC_FORM_HALF;
        if (!parameter->is_left_out &&
            (!clipc_parameter_bytes(parameter, &bytes) || !clipc_add_size(total, bytes, &total) ||
             !clipc_add_size(total, CLIPC_ALIGNMENT, &total)))
            return clipc_fail_memory(error, clipc_checkpoint_source(job->checkpoint), SIZE_MAX);
    }
    parameters->block = place = clipc_alloc_aligned(total, 1);
    if (!place)
        return clipc_fail_memory(error, clipc_checkpoint_source(job->checkpoint), total);
    for (size_t i = 0; i < parameters->count; i++) {
        if (parameters->items[i].is_left_out ||
            !clipc_parameter_bytes(&parameters->items[i], &bytes))
            continue;
        parameters->items[i].data = place;
        place += clipc_round_up(bytes, CLIPC_ALIGNMENT);
    }
    return CLIPC_OK;
}

/* All of a matrix that the file keeps as [in][out], and packs it as [out][in]. */
static load_state load_transposed(const load_job *job, size_t index)
{
    const clipc_parameter *parameter = &job->parameters->items[index];
    const size_t in = parameter->shape.extent[0], out = parameter->shape.extent[1];
    float *buffer = clipc_alloc_aligned(in * out, 2 * sizeof(float)), *transposed;
    const float *matrix;

    if (!buffer)
        return NO_MEMORY;
    transposed = buffer + in * out;
    matrix = rows_of(job, index, 0, in, out, buffer);
    if (matrix) {
        for (size_t i = 0; i < in; i++)
            for (size_t j = 0; j < out; j++)
                transposed[j * in + i] = matrix[i * out + j];
        clipc_pack_rows(parameter->kernel, parameter->data, in, 0, out, transposed);
    }
    free(buffer);
    return matrix ? LOADED : NOT_FINITE;
}

/* Rows [first, first + count), whole panels, into pages that were given just before. */
static void pack_chunk(const clipc_parameter *parameter, size_t width, size_t first, size_t count,
                       const float *values)
{
    const clipc_matrix_kernel *kernel = parameter->kernel;
    const size_t panel = clipc_panel_bytes(kernel, width), columns = kernel->panel_columns;

    clipc_prefault((char *)parameter->data + first / columns * panel,
                   (count + columns - 1) / columns * panel);
    clipc_pack_rows(kernel, parameter->data, width, first, count, values);
}

/* Packs rows [first, first + count) of filters, arranged by place, in their parameter's form. */
static load_state pack_filters(const clipc_parameter *parameter, size_t first, size_t count,
                               const float *arranged)
{
    const size_t in = parameter->shape.extent[1];
    const size_t places = parameter->shape.extent[2] * parameter->shape.extent[3];
    float *points;

    if (parameter->form == CLIPC_FORM_PANELS) {
        pack_chunk(parameter, places * in, first, count, arranged);
        return LOADED;
    }
    points = clipc_alloc_aligned(clipc_pack_winograd_floats(parameter->kernel, in), sizeof(float));
    if (!points)
        return NO_MEMORY;
    clipc_pack_winograd(parameter->kernel, parameter->data, in, first, count, arranged, points);
    free(points);
    return LOADED;
}

/* Rows, a chunk of whole panels at a time. */
static load_state load_rows(const load_job *job, size_t index)
{
    const clipc_parameter *parameter = &job->parameters->items[index];
    size_t rows, width, chunk;
    float *buffer, *arranged;
    load_state state = LOADED;

    row_shape(&parameter->shape, &rows, &width);
    chunk = clipc_max_size(BUFFER_FLOATS / width / parameter->kernel->panel_columns, 1) *
            parameter->kernel->panel_columns;
    chunk = clipc_min_size(chunk, rows);
    buffer = clipc_alloc_aligned(chunk * width, 2 * sizeof(float));
    if (!buffer)
        return NO_MEMORY;
    arranged = buffer + chunk * width;
    for (size_t first = 0; first < rows && state == LOADED; first += chunk) {
        const size_t count = clipc_min_size(chunk, rows - first);
        const float *values = rows_of(job, index, first, count, width, buffer);

        if (!values) {
            state = NOT_FINITE;
        } else if (parameter->role == CLIPC_ROLE_CONVOLUTION) {
            arrange_filters(job, parameter, first, count, values, arranged);
            state = pack_filters(parameter, first, count, arranged);
        } else {
            pack_chunk(parameter, width, first, count, values);
        }
    }
    free(buffer);
    return state;
}

static load_state load_packed(const load_job *job, size_t index)
{
    const clipc_parameter *parameter = &job->parameters->items[index];
    const bool is_transposed = parameter->role == CLIPC_ROLE_MATRIX_TRANSPOSED;
    size_t rows, width;

    row_shape(&parameter->shape, &rows, &width);
    if (parameter->kernel->dtype == CLIPC_DTYPE_INT8 &&
        (is_transposed ? rows : width) > CLIPC_INT8_LARGEST_DEPTH)
        return TOO_DEEP;
    return is_transposed ? load_transposed(job, index) : load_rows(job, index);
}

static void copy_values(float *out, const float *values, size_t count)
{
    clipc_prefault(out, count * sizeof(*out));
    memcpy(out, values, count * sizeof(*out));
}

/* Values as they stand, or (a table in half precision) back in the precision they came in. */
static load_state load_plain(const load_job *job, size_t index)
{
    const clipc_parameter *parameter = &job->parameters->items[index];
    size_t rows, width, chunk;
    float *buffer;
    load_state state = LOADED;

    row_shape(&parameter->shape, &rows, &width);
    chunk = clipc_min_size(clipc_max_size(BUFFER_FLOATS / width, 1), rows);
    buffer = clipc_alloc_aligned(chunk * width, sizeof(float));
    if (!buffer)
        return NO_MEMORY;
    for (size_t first = 0; first < rows && state == LOADED; first += chunk) {
        const size_t count = clipc_min_size(chunk, rows - first) * width;
        const float *values = rows_of(job, index, first, count / width, width, buffer);

        if (!values)
            state = NOT_FINITE;
        else if (parameter->form == CLIPC_FORM_HALF)
            for (size_t i = 0; i < count; i++)
                ((uint16_t *)parameter->data)[first * width + i] = clipc_f16_from_float(values[i]);
        else
            copy_values((float *)parameter->data + first * width, values, count);
    }
    free(buffer);
    return state;
}

static bool is_as_it_stands(clipc_form form)
{
    return form == CLIPC_FORM_PLAIN || form == CLIPC_FORM_HALF;
}

static void load_parameter(void *context, size_t index, unsigned worker)
{
    const load_job *job = context;
    const clipc_parameter *parameter = &job->parameters->items[index];

    (void)worker;
    if (parameter->is_left_out || (parameter->role == CLIPC_ROLE_CONVOLUTION) != job->convolutions)
        return;
    job->states[index] =
        is_as_it_stands(parameter->form) ? load_plain(job, index) : load_packed(job, index);
    clipc_checkpoint_release(job->checkpoint, job->tensors[index]);
}

/* The bias of a folded batch norm takes the place of its own: bias - mean * scale. */
static void fold_biases(clipc_parameters *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        const clipc_parameter_id gain = parameters->items[i].batchnorm;
        float *biases;
        const float *means;

        if (gain == CLIPC_NO_PARAMETER || parameters->items[gain].is_left_out)
            continue;
        biases = parameters->items[gain + 1].data;
        means = parameters->items[gain + 2].data;
        for (size_t j = 0; j < parameters->items[gain].shape.extent[0]; j++)
            biases[j] = (float)((double)biases[j] -
                                (double)means[j] * batchnorm_scale(parameters, gain, j));
    }
}

/* A variance below zero (or below -epsilon) would make NaN of a whole channel. */
static clipc_status check_variances(const load_job *job, clipc_error *error)
{
    for (size_t i = 0; i < job->parameters->count; i++) {
        const clipc_parameter_id gain = job->parameters->items[i].batchnorm;
        const clipc_parameter *variance;

        if (gain == CLIPC_NO_PARAMETER || job->parameters->items[gain].is_left_out)
            continue;
        variance = &job->parameters->items[gain + 3];
        for (size_t j = 0; j < variance->shape.extent[0]; j++)
            if (((const float *)variance->data)[j] < 0.0f)
                return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s is negative at %zu",
                                  clipc_checkpoint_source(job->checkpoint), variance->name, j);
    }
    return CLIPC_OK;
}

static clipc_status first_failure(const load_job *job, clipc_error *error)
{
    for (size_t i = 0; i < job->parameters->count; i++) {
        const char *name = job->parameters->items[i].name;

        if (job->states[i] == NO_MEMORY)
            return clipc_fail(error, CLIPC_ERROR_MEMORY, "%s: out of memory loading %s",
                              clipc_checkpoint_source(job->checkpoint), name);
        if (job->states[i] == NOT_FINITE)
            return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s holds values that are not finite",
                              clipc_checkpoint_source(job->checkpoint), name);
        if (job->states[i] == TOO_DEEP)
            return clipc_fail(
                error, CLIPC_ERROR_LIMIT, "%s: %s sums more products than %zu, the most in int8",
                clipc_checkpoint_source(job->checkpoint), name, CLIPC_INT8_LARGEST_DEPTH);
    }
    return CLIPC_OK;
}

static clipc_status load_all(load_job *job, clipc_threads *threads, clipc_error *error)
{
    clipc_status status = match(job, error);

    if (!status)
        status = lay_out(job, error);
    if (status)
        return status;
    for (int pass = 0; pass < 2; pass++) {
        job->convolutions = pass == 1;
        clipc_threads_run(threads, job->parameters->count, load_parameter, job);
        status = first_failure(job, error);
        if (!status && pass == 0)
            status = check_variances(job, error);
        if (status)
            return status;
    }
    fold_biases(job->parameters);
    return CLIPC_OK;
}

static bool begin(load_job *job)
{
    job->tensors = clipc_calloc(job->parameters->count, sizeof(*job->tensors));
    job->states = clipc_calloc(job->parameters->count, sizeof(*job->states));
    return job->tensors && job->states;
}

static void end(load_job *job)
{
    free(job->tensors);
    free(job->states);
}

clipc_status clipc_weights_load(clipc_parameters *parameters, const clipc_checkpoint *checkpoint,
                                clipc_threads *threads, clipc_error *error)
{
    load_job job = {.parameters = parameters, .checkpoint = checkpoint};
    clipc_status status;

    status = begin(&job) ? load_all(&job, threads, error)
                         : clipc_fail_memory(error, "weights", parameters->count);
    end(&job);
    return status;
}

clipc_status clipc_weights_check(clipc_parameters *parameters, const clipc_checkpoint *checkpoint,
                                 clipc_error *error)
{
    load_job job = {.parameters = parameters, .checkpoint = checkpoint};
    clipc_status status =
        begin(&job) ? match(&job, error) : clipc_fail_memory(error, "weights", parameters->count);

    end(&job);
    return status;
}
