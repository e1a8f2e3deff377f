/* SPDX-License-Identifier: MIT */
/* .clipc files -> the parameters' data, mostly where they lie. */
#include "model/packed_weights.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "compute/repack.h"
#include "model/weights.h"

#include <stdlib.h>
#include <string.h>

static size_t element_size(clipc_dtype dtype)
{
    return dtype == CLIPC_DTYPE_F32    ? sizeof(float)
           : dtype == CLIPC_DTYPE_BF16 ? sizeof(uint16_t)
                                       : sizeof(int8_t);
}

/* How a file has packed a matrix, in the numbers that a kernel has; the functions are not there. */
static clipc_matrix_kernel kernel_of_file(const clipc_checkpoint *checkpoint,
                                          const clipc_packed_tensor *packed)
{
    const clipc_panel_layout *layout = &clipc_checkpoint_packed(checkpoint)->panels[packed->dtype];

    return (clipc_matrix_kernel){
        .dtype = packed->dtype,
        .panel_columns = layout->columns,
        .panel_header = layout->header,
        .depth_step = layout->depth_step,
        .depth_group = layout->depth_group,
        .depth_bytes = layout->columns * element_size(packed->dtype),
        .has_column_sums = layout->has_column_sums,
    };
}

static clipc_panel_layout layout_of(const clipc_matrix_kernel *kernel)
{
    return (clipc_panel_layout){
        .columns = kernel->panel_columns,
        .depth_step = kernel->depth_step,
        .depth_group = clipc_panel_group(kernel),
        .header = kernel->panel_header,
        .has_column_sums = kernel->has_column_sums,
    };
}

/* A parameter's tensor; there is one where the names have been checked. */
static const clipc_checkpoint_tensor *tensor_of(const clipc_checkpoint *checkpoint,
                                                const clipc_parameter *parameter)
{
    return clipc_checkpoint_find(checkpoint, parameter->name);
}

/* --- Checking --- */

/* Which parameters are worked into others: of a batch norm all but the bias. */
static bool *mark_folded(const clipc_parameters *parameters)
{
    bool *folded = clipc_calloc(parameters->count, sizeof(*folded));

    for (size_t i = 0; folded && i < parameters->count; i++) {
        const clipc_parameter_id gain = parameters->items[i].batchnorm;

        if (gain != CLIPC_NO_PARAMETER)
            folded[gain] = folded[gain + 2] = folded[gain + 3] = true;
    }
    return folded;
}

/* The form in which a file holds a parameter. */
static clipc_packed_form due_form(const clipc_parameter *parameter, bool is_folded)
{
    switch (parameter->form) {
    case CLIPC_FORM_PANELS: return CLIPC_PACKED_PANELS;
    case CLIPC_FORM_WINOGRAD: return CLIPC_PACKED_WINOGRAD;
    case CLIPC_FORM_HALF: return CLIPC_PACKED_F16;
    case CLIPC_FORM_PLAIN: break;
    }
    return is_folded                    ? CLIPC_PACKED_FOLDED
           : parameter->shape.rank == 0 ? CLIPC_PACKED_INLINE
                                        : CLIPC_PACKED_F32;
}

static bool is_matrix(clipc_form form)
{
    return form == CLIPC_FORM_PANELS || form == CLIPC_FORM_WINOGRAD;
}

static clipc_status check_panels(const clipc_checkpoint *checkpoint,
                                 const clipc_parameter *parameter,
                                 const clipc_packed_tensor *packed, clipc_error *error)
{
    const char *source = clipc_checkpoint_source(checkpoint);
    const clipc_matrix_kernel file = kernel_of_file(checkpoint, packed);
    clipc_parameter in_file = *parameter;
    size_t bytes;

    if (packed->dtype != parameter->kernel->dtype)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: %s is packed for %s, %s was expected", source, parameter->name,
                          clipc_packed_dtype_name(packed->dtype),
                          clipc_packed_dtype_name(parameter->kernel->dtype));
    if (packed->dtype == CLIPC_DTYPE_INT8 &&
        clipc_packed_shape_of(parameter).in > CLIPC_INT8_LARGEST_DEPTH)
        return clipc_fail(error, CLIPC_ERROR_LIMIT,
                          "%s: %s sums more products than %zu, the most in int8", source,
                          parameter->name, CLIPC_INT8_LARGEST_DEPTH);
    in_file.kernel = &file;
    if (!clipc_parameter_bytes(&in_file, &bytes) || bytes != packed->bytes)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: %s has %zu bytes, which are not its panels", source, parameter->name,
                          packed->bytes);
    return CLIPC_OK;
}

static clipc_status check_parameter(const clipc_checkpoint *checkpoint,
                                    const clipc_parameter *parameter, bool is_folded,
                                    clipc_error *error)
{
    const char *source = clipc_checkpoint_source(checkpoint);
    const clipc_packed_tensor *packed = tensor_of(checkpoint, parameter)->packed;
    const clipc_packed_form due = due_form(parameter, is_folded);

    if (!packed)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s comes from a file of another kind",
                          source, parameter->name);
    if (strcmp(packed->role, clipc_role_name(parameter->role)) != 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: %s has the role \"%.40s\", \"%s\" was expected", source,
                          parameter->name, packed->role, clipc_role_name(parameter->role));
    if (packed->form == CLIPC_PACKED_F16 && parameter->role == CLIPC_ROLE_TABLE)
        return CLIPC_OK; /* as the checkpoint had it */
    if (packed->form != due)
        return clipc_fail(
            error, CLIPC_ERROR_FORMAT, "%s: %s has the form \"%s\", \"%s\" was expected", source,
            parameter->name, clipc_packed_form_name(packed->form), clipc_packed_form_name(due));
    return is_matrix(parameter->form) ? check_panels(checkpoint, parameter, packed, error)
                                      : CLIPC_OK;
}

clipc_status clipc_packed_weights_check(clipc_parameters *parameters,
                                        const clipc_checkpoint *checkpoint, clipc_error *error)
{
    clipc_status status = clipc_weights_check(parameters, checkpoint, error);
    bool *folded;

    if (status)
        return status;
    folded = mark_folded(parameters);
    if (!folded)
        return clipc_fail_memory(error, "weights", parameters->count);
    for (size_t i = 0; !status && i < parameters->count; i++)
        status = check_parameter(checkpoint, &parameters->items[i], folded[i], error);
    free(folded);
    return status;
}

/* Whether a parameter's data can be used where they lie. */
static bool fits(const clipc_checkpoint *checkpoint, const clipc_parameter *parameter)
{
    const clipc_packed_tensor *packed = tensor_of(checkpoint, parameter)->packed;
    clipc_matrix_kernel file;

    if (!is_matrix(parameter->form))
        return true;
    file = kernel_of_file(checkpoint, packed);
    return clipc_same_panels(&file, parameter->kernel);
}

bool clipc_packed_weights_fit(const clipc_parameters *parameters,
                              const clipc_checkpoint *checkpoint)
{
    for (size_t i = 0; i < parameters->count; i++)
        if (!fits(checkpoint, &parameters->items[i]))
            return false;
    return true;
}

/* --- Loading --- */

typedef struct load_job {
    clipc_parameters *parameters;
    const clipc_checkpoint *checkpoint;
    bool *damaged; /* [parameters->count] */
} load_job;

/* Whether a parameter's data are to be made in memory: repacked, or a scalar of the header. */
static bool is_made(const clipc_checkpoint *checkpoint, const clipc_parameter *parameter)
{
    return !parameter->is_left_out &&
           (tensor_of(checkpoint, parameter)->packed->form == CLIPC_PACKED_INLINE ||
            !fits(checkpoint, parameter));
}

/* Points each parameter at its data: in the file, or at its place in a block for what is made. */
static clipc_status lay_out(const load_job *job, clipc_error *error)
{
    clipc_parameters *parameters = job->parameters;
    size_t total = 0, bytes;
    char *place;

    for (size_t i = 0; i < parameters->count; i++)
        if (is_made(job->checkpoint, &parameters->items[i]) &&
            (!clipc_parameter_bytes(&parameters->items[i], &bytes) ||
             !clipc_add_size(total, bytes, &total) ||
             !clipc_add_size(total, CLIPC_ALIGNMENT, &total)))
            return clipc_fail_memory(error, clipc_checkpoint_source(job->checkpoint), SIZE_MAX);
    parameters->block = place = clipc_alloc_aligned(total, 1);
    if (total && !place)
        return clipc_fail_memory(error, clipc_checkpoint_source(job->checkpoint), total);
    for (size_t i = 0; i < parameters->count; i++) {
        clipc_parameter *parameter = &parameters->items[i];
        const clipc_packed_tensor *packed = tensor_of(job->checkpoint, parameter)->packed;

        if (packed->form == CLIPC_PACKED_F16)
            parameter->form = CLIPC_FORM_HALF;
        if (parameter->is_left_out)
            continue;
        parameter->data = (void *)(uintptr_t)packed->data;
        if (is_made(job->checkpoint, parameter) && clipc_parameter_bytes(parameter, &bytes)) {
            parameter->data = place;
            place += clipc_round_up(bytes, CLIPC_ALIGNMENT);
        }
    }
    return CLIPC_OK;
}

static void make(void *context, size_t index, unsigned worker)
{
    const load_job *job = context;
    clipc_parameter *parameter = &job->parameters->items[index], in_file = *parameter;
    const clipc_checkpoint_tensor *tensor = tensor_of(job->checkpoint, parameter);
    clipc_matrix_kernel file;

    (void)worker;
    if (!is_made(job->checkpoint, parameter))
        return;
    if (tensor->packed->form == CLIPC_PACKED_INLINE) {
        clipc_checkpoint_read(job->checkpoint, tensor, 0, 1, parameter->data);
        return;
    }
    job->damaged[index] = !clipc_packed_is_whole(tensor->packed);
    if (job->damaged[index])
        return;
    file = kernel_of_file(job->checkpoint, tensor->packed);
    in_file.kernel = &file;
    in_file.data = (void *)(uintptr_t)tensor->packed->data;
    clipc_repack(&in_file, parameter->kernel, parameter->data);
    clipc_checkpoint_release(job->checkpoint, tensor);
}

static clipc_status fail_damaged(const clipc_checkpoint *checkpoint, const char *name,
                                 clipc_error *error)
{
    return clipc_fail(error, CLIPC_ERROR_CHECKSUM,
                      "%s: %s is damaged: its bytes do not have the checksum in the header",
                      clipc_checkpoint_source(checkpoint), name);
}

clipc_status clipc_packed_weights_load(clipc_parameters *parameters,
                                       const clipc_checkpoint *checkpoint, clipc_threads *threads,
                                       clipc_error *error)
{
    load_job job = {
        .parameters = parameters,
        .checkpoint = checkpoint,
        .damaged = clipc_calloc(parameters->count, sizeof(*job.damaged)),
    };
    clipc_status status =
        job.damaged ? lay_out(&job, error) : clipc_fail_memory(error, "weights", parameters->count);

    if (!status)
        clipc_threads_run(threads, parameters->count, make, &job);
    for (size_t i = 0; !status && i < parameters->count; i++)
        if (job.damaged[i])
            status = fail_damaged(checkpoint, parameters->items[i].name, error);
    free(job.damaged);
    return status;
}

clipc_status clipc_packed_weights_verify(const clipc_checkpoint *checkpoint, clipc_error *error)
{
    for (size_t i = 0; i < clipc_checkpoint_count(checkpoint); i++) {
        const clipc_checkpoint_tensor *tensor = clipc_checkpoint_at(checkpoint, i);

        if (!clipc_packed_is_whole(tensor->packed))
            return fail_damaged(checkpoint, tensor->name, error);
        clipc_checkpoint_release(checkpoint, tensor);
    }
    return CLIPC_OK;
}

/* --- Saving --- */

/* The image tower's parameters begin so; the text tower's and the scale do not. */
static bool is_visual(const char *name)
{
    return strncmp(name, "visual.", strlen("visual.")) == 0;
}

static void describe(const clipc_parameter *parameter, bool is_folded, clipc_packed_source *out)
{
    const clipc_packed_form form = due_form(parameter, is_folded);

    *out = (clipc_packed_source){
        .name = parameter->name,
        .rank = (uint32_t)parameter->shape.rank,
        .packed = {.role = clipc_role_name(parameter->role), .form = form},
    };
    for (size_t i = 0; i < parameter->shape.rank; i++)
        out->shape[i] = parameter->shape.extent[i];
    if (form == CLIPC_PACKED_INLINE)
        memcpy(&out->value, parameter->data, sizeof(out->value));
    if (form == CLIPC_PACKED_INLINE || form == CLIPC_PACKED_FOLDED)
        return;
    out->packed.dtype = parameter->kernel->dtype;
    out->packed.data = parameter->data;
    clipc_parameter_bytes(parameter, &out->packed.bytes); /* they are there */
}

static clipc_status save(clipc_parameters *parameters, const clipc_packed_header *header,
                         const char *path, clipc_packed_source *sources,
                         clipc_packed_progress_fn progress, void *progress_data, clipc_error *error)
{
    bool *folded = mark_folded(parameters);
    clipc_status status;

    if (!folded)
        return clipc_fail_memory(error, path, parameters->count);
    for (size_t i = 0; i < parameters->count; i++) {
        describe(&parameters->items[i], folded[i], &sources[i]);
        sources[i].begins_section =
            i == 0 || is_visual(sources[i].name) != is_visual(sources[i - 1].name);
    }
    free(folded);
    status =
        clipc_save_packed(path, header, sources, parameters->count, progress, progress_data, error);
    return status;
}

/* Whether a matrix has to be packed anew for another kernel. */
static bool is_repacked(const clipc_parameter *parameter, const clipc_kernels *level)
{
    return is_matrix(parameter->form) &&
           !clipc_same_panels(parameter->kernel,
                              clipc_kernels_matrix(level, parameter->kernel->dtype));
}

/* Packs all matrices as the level wants them, into *block; and notes in the header how that is. */
static clipc_status repack_all(clipc_parameters *parameters, const clipc_kernels *level,
                               clipc_packed_header *header, void **block, clipc_error *error)
{
    size_t total = 0, bytes;
    char *place;

    for (size_t i = 0; i < parameters->count; i++) {
        clipc_parameter there = parameters->items[i];

        if (!is_matrix(there.form))
            continue;
        there.kernel = clipc_kernels_matrix(level, there.kernel->dtype);
        header->panels[there.kernel->dtype] = layout_of(there.kernel);
        if (is_repacked(&parameters->items[i], level) &&
            (!clipc_parameter_bytes(&there, &bytes) || !clipc_add_size(total, bytes, &total)))
            return clipc_fail_memory(error, there.name, SIZE_MAX);
    }
    *block = place = clipc_alloc_aligned(total, 1);
    if (total && !place)
        return clipc_fail_memory(error, header->cpu, total);
    for (size_t i = 0; i < parameters->count; i++) {
        clipc_parameter *parameter = &parameters->items[i];
        const clipc_matrix_kernel *kernel = clipc_kernels_matrix(level, parameter->kernel->dtype);

        if (!is_repacked(parameter, level))
            continue;
        clipc_repack(parameter, kernel, place);
        parameter->kernel = kernel;
        parameter->data = place;
        if (clipc_parameter_bytes(parameter, &bytes))
            place += bytes;
    }
    return CLIPC_OK;
}

clipc_status clipc_packed_weights_save(clipc_parameters *parameters, const clipc_kernels *level,
                                       clipc_packed_header *header, const char *path,
                                       clipc_packed_progress_fn progress, void *progress_data,
                                       clipc_error *error)
{
    clipc_packed_source *sources = clipc_calloc(parameters->count, sizeof(*sources));
    clipc_status status = sources ? CLIPC_OK : clipc_fail_memory(error, path, parameters->count);
    void *block = NULL;

    header->cpu = level->level;
    if (!status)
        status = repack_all(parameters, level, header, &block, error);
    if (!status)
        status = save(parameters, header, path, sources, progress, progress_data, error);
    free(block);
    free(sources);
    return status;
}
