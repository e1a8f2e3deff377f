/* SPDX-License-Identifier: MIT */
/* Recording a program: values, parameters and nodes, with a sticky error. */
#include "compute/program.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "compute/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void clipc_program_init(clipc_program *program, const clipc_parameters *parameters)
{
    *program = (clipc_program){.parameters = parameters};
}

void clipc_program_init_declaring(clipc_program *program, clipc_parameters *parameters)
{
    *program = (clipc_program){.parameters = parameters, .declared = parameters};
}

void clipc_program_free(clipc_program *program)
{
    free(program->nodes);
    free(program->values);
    clipc_arena_free(&program->arena);
    *program = (clipc_program){0};
}

void clipc_program_fail(clipc_program *program, clipc_status status, const char *format, ...)
{
    char text[sizeof(program->error.message)];
    va_list arguments;

    if (program->status)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    program->status = clipc_fail(&program->error, status, "%s", text);
}

static void fail_memory(clipc_program *program)
{
    clipc_program_fail(program, CLIPC_ERROR_MEMORY, "program: out of memory");
}

/* Whether float32 data of this shape has a size that can be computed with. */
static bool shape_fits(const clipc_shape *shape)
{
    size_t bytes = sizeof(float);

    for (size_t i = 0; i < shape->rank; i++)
        if (shape->extent[i] == 0 || !clipc_mul_size(bytes, shape->extent[i], &bytes))
            return false;
    return bytes <= SIZE_MAX / 4;
}

static clipc_value add_value(clipc_program *program, const clipc_value_facts *facts)
{
    if (program->status)
        return CLIPC_NO_VALUE;
    if (!shape_fits(&facts->shape)) {
        clipc_program_fail(program, CLIPC_ERROR_LIMIT, "program: a tensor is empty or too large");
        return CLIPC_NO_VALUE;
    }
    if (clipc_grow(&program->values, &program->value_capacity, (size_t)program->value_count + 1,
                   sizeof(*program->values)) != 0) {
        fail_memory(program);
        return CLIPC_NO_VALUE;
    }
    program->values[program->value_count] = *facts;
    return program->value_count++;
}

clipc_value clipc_program_bind(clipc_program *program, uint32_t slot, const clipc_shape *shape)
{
    return add_value(program, &(clipc_value_facts){
                                  .shape = *shape, .storage = CLIPC_STORAGE_BOUND, .slot = slot});
}

static clipc_parameter_id declare(clipc_program *program, const char *name, clipc_role role,
                                  const clipc_shape *shape)
{
    clipc_parameter_id id;

    if (!shape_fits(shape)) {
        clipc_program_fail(program, CLIPC_ERROR_LIMIT, "%s: is empty or too large", name);
        return CLIPC_NO_PARAMETER;
    }
    id = clipc_parameters_add(program->declared, name, role, shape);
    if (id == CLIPC_NO_PARAMETER)
        fail_memory(program);
    return id;
}

clipc_parameter_id clipc_program_parameter(clipc_program *program, clipc_role role,
                                           clipc_shape shape, const char *format, ...)
{
    char name[128]; /* the towers' own names are all shorter */
    va_list arguments;
    clipc_parameter_id id;

    if (program->status)
        return CLIPC_NO_PARAMETER;
    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    if (program->declared)
        return declare(program, name, role, &shape);
    id = clipc_parameters_find(program->parameters, name);
    if (id == CLIPC_NO_PARAMETER)
        clipc_program_fail(program, CLIPC_ERROR_NOT_FOUND, "%s: is not declared", name);
    else if (!clipc_shape_equal(&program->parameters->items[id].shape, &shape))
        clipc_program_fail(program, CLIPC_ERROR_ARGUMENT, "%s: was declared with another shape",
                           name);
    return id;
}

void clipc_program_normalise_after(clipc_program *program, clipc_parameter_id convolution,
                                   clipc_parameter_id gain)
{
    if (!program->status && program->declared)
        program->declared->items[convolution].batchnorm = gain;
}

void clipc_program_transform_filters(clipc_program *program, clipc_parameter_id convolution)
{
    if (!program->status && program->declared)
        program->declared->items[convolution].form = CLIPC_FORM_WINOGRAD;
}

void clipc_program_slice_depth(clipc_program *program, clipc_parameter_id matrix, size_t step)
{
    clipc_parameter *parameter;

    if (program->status || !program->declared)
        return;
    parameter = &program->declared->items[matrix];
    if (!clipc_panel_has_slices(parameter->kernel, step))
        parameter->kernel = program->declared->kernels.f32;
}

const clipc_matrix_kernel *clipc_program_kernel(const clipc_program *program,
                                                clipc_parameter_id parameter)
{
    return program->parameters->items[parameter].kernel;
}

const clipc_parameter *clipc_program_parameter_facts(const clipc_program *program,
                                                     clipc_parameter_id parameter)
{
    if (program->status || parameter >= program->parameters->count)
        return NULL;
    return &program->parameters->items[parameter];
}

static const void *copy_attributes(clipc_program *program, const void *attributes, size_t size)
{
    void *copy = clipc_arena_alloc(&program->arena, size);

    if (copy)
        memcpy(copy, attributes, size);
    else
        fail_memory(program);
    return copy;
}

/* Appending may only read values that exist: a recorder that passes another has a bug. */
static bool inputs_exist(const clipc_program *program, const clipc_node_recipe *recipe)
{
    for (size_t i = 0; i < recipe->input_count; i++)
        if (recipe->inputs[i] != CLIPC_NO_VALUE && recipe->inputs[i] >= program->value_count)
            return false;
    return true;
}

/* Copies the operands into the node and lets its inputs live at least until it has run. */
static void take_operands(clipc_program *program, uint32_t index, const clipc_node_recipe *recipe)
{
    clipc_node *node = &program->nodes[index];

    for (size_t i = 0; i < CLIPC_NODE_MAX_INPUTS; i++) {
        node->inputs[i] = i < recipe->input_count ? recipe->inputs[i] : CLIPC_NO_VALUE;
        if (node->inputs[i] != CLIPC_NO_VALUE)
            program->values[node->inputs[i]].last = index;
    }
    for (size_t i = 0; i < CLIPC_NODE_MAX_PARAMETERS; i++)
        node->parameters[i] = recipe->parameters[i];
}

clipc_value clipc_program_append(clipc_program *program, const clipc_node_recipe *recipe)
{
    clipc_node *node;
    clipc_value output;

    if (!program->status && !inputs_exist(program, recipe))
        clipc_program_fail(program, CLIPC_ERROR_ARGUMENT, "%s: reads a value that does not exist",
                           recipe->op->name);
    output = add_value(program, &(clipc_value_facts){.shape = recipe->shape,
                                                     .storage = CLIPC_STORAGE_BLOCK,
                                                     .first = program->node_count,
                                                     .last = program->node_count});
    if (output == CLIPC_NO_VALUE)
        return CLIPC_NO_VALUE;
    if (clipc_grow(&program->nodes, &program->node_capacity, (size_t)program->node_count + 1,
                   sizeof(*program->nodes)) != 0) {
        fail_memory(program);
        return CLIPC_NO_VALUE;
    }
    node = &program->nodes[program->node_count++];
    *node = (clipc_node){.op = recipe->op, .output = output};
    take_operands(program, program->node_count - 1, recipe);
    if (recipe->attributes)
        node->attributes = copy_attributes(program, recipe->attributes, recipe->attributes_size);
    return output;
}

/* Whether recording goes on and the value is one of the program's; else that is its failure. */
static bool value_exists(clipc_program *program, clipc_value value)
{
    if (!program->status && value >= program->value_count)
        clipc_program_fail(program, CLIPC_ERROR_ARGUMENT, "program: no such value");
    return !program->status;
}

void clipc_program_output(clipc_program *program, clipc_value value, uint32_t slot)
{
    if (!value_exists(program, value))
        return;
    program->values[value].storage = CLIPC_STORAGE_BOUND;
    program->values[value].slot = slot;
}

void clipc_program_name(clipc_program *program, clipc_value value, const char *format, ...)
{
    va_list arguments;

    if (!value_exists(program, value))
        return;
    va_start(arguments, format);
    program->values[value].name = clipc_arena_format(&program->arena, format, arguments);
    va_end(arguments);
    if (!program->values[value].name)
        fail_memory(program);
}

const clipc_shape *clipc_program_shape(const clipc_program *program, clipc_value value)
{
    static const clipc_shape none; /* after a failure there are no values to ask */

    return program->status || value >= program->value_count ? &none : &program->values[value].shape;
}
