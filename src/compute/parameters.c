/* SPDX-License-Identifier: MIT */
/* The table of a model's parameters: declaring, looking up, freeing. */
#define _GNU_SOURCE /* qsort_r */
#include "compute/parameters.h"

#include "base/memory.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/*
 * Convolutions of 1x1 between fewer channels belong to a ResNet's first stage, where rounding tells
 * most and the products are a small part of all.
 */
#define LEAST_POINTWISE_CHANNELS ((size_t)128)

static const clipc_matrix_kernel *kernel_of(const clipc_matrix_kernels *kernels, clipc_role role,
                                            const clipc_shape *shape)
{
    if (role != CLIPC_ROLE_CONVOLUTION)
        return kernels->matrix;
    return shape->extent[2] == 1 && shape->extent[0] >= LEAST_POINTWISE_CHANNELS &&
                   shape->extent[1] >= LEAST_POINTWISE_CHANNELS
               ? kernels->pointwise
               : kernels->convolution;
}

static clipc_form form_of(clipc_role role)
{
    switch (role) {
    case CLIPC_ROLE_MATRIX:
    case CLIPC_ROLE_MATRIX_TRANSPOSED:
    case CLIPC_ROLE_PATCH:
    case CLIPC_ROLE_CONVOLUTION: return CLIPC_FORM_PANELS;
    case CLIPC_ROLE_VALUES:
    case CLIPC_ROLE_TABLE:
    case CLIPC_ROLE_STATISTIC: break;
    }
    return CLIPC_FORM_PLAIN;
}

clipc_parameter_id clipc_parameters_add(clipc_parameters *parameters, const char *name,
                                        clipc_role role, const clipc_shape *shape)
{
    size_t length = strlen(name);
    char *copy;

    if (parameters->count >= CLIPC_NO_PARAMETER ||
        clipc_grow(&parameters->items, &parameters->capacity, parameters->count + 1,
                   sizeof(*parameters->items)) != 0)
        return CLIPC_NO_PARAMETER;
    copy = clipc_arena_alloc(&parameters->names, length + 1);
    if (!copy)
        return CLIPC_NO_PARAMETER;
    memcpy(copy, name, length);
    parameters->items[parameters->count] = (clipc_parameter){
        .name = copy,
        .role = role,
        .shape = *shape,
        .batchnorm = CLIPC_NO_PARAMETER,
        .kernel = kernel_of(&parameters->kernels, role, shape),
        .form = form_of(role),
    };
    return (clipc_parameter_id)parameters->count++;
}

static int compare_names(const void *a, const void *b, void *context)
{
    const clipc_parameter *items = context;
    uint32_t left, right;

    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return strcmp(items[left].name, items[right].name);
}

clipc_status clipc_parameters_seal(clipc_parameters *parameters, clipc_error *error)
{
    parameters->by_name = clipc_calloc(parameters->count, sizeof(*parameters->by_name));
    if (!parameters->by_name)
        return clipc_fail_memory(error, "parameters", parameters->count);
    for (uint32_t i = 0; i < parameters->count; i++)
        parameters->by_name[i] = i;
    qsort_r(parameters->by_name, parameters->count, sizeof(*parameters->by_name), compare_names,
            parameters->items);
    parameters->sealed = true;
    return CLIPC_OK;
}

clipc_parameter_id clipc_parameters_find(const clipc_parameters *parameters, const char *name)
{
    size_t low = 0, high = parameters->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t index = parameters->by_name[middle];
        int order = strcmp(parameters->items[index].name, name);

        if (order == 0)
            return index;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return CLIPC_NO_PARAMETER;
}

void clipc_parameters_free(clipc_parameters *parameters)
{
    free(parameters->block);
    free(parameters->items);
    free(parameters->by_name);
    clipc_arena_free(&parameters->names);
    *parameters = (clipc_parameters){0};
}

/* --- One parameter --- */

const char *clipc_role_name(clipc_role role)
{
    switch (role) {
    case CLIPC_ROLE_VALUES: return "values";
    case CLIPC_ROLE_TABLE: return "table";
    case CLIPC_ROLE_MATRIX: return "matrix";
    case CLIPC_ROLE_MATRIX_TRANSPOSED: return "matrix_transposed";
    case CLIPC_ROLE_PATCH: return "patch";
    case CLIPC_ROLE_CONVOLUTION: return "convolution";
    case CLIPC_ROLE_STATISTIC: return "statistic";
    }
    return "unknown";
}
