/* SPDX-License-Identifier: MIT */
/*
 * Planning a program's memory: values whose lifetimes do not meet share bytes. Values are placed in
 * the order they are written, each at the lowest offset that is free while it lives (first fit);
 * with the few sizes a tower has this comes close to the peak of what is alive at once.
 */
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "compute/program.h"

/* Offsets and sizes stay below this, so that two of them can be added. */
#define LARGEST (SIZE_MAX / 4)

static clipc_status too_large(clipc_error *error)
{
    return clipc_fail(error, CLIPC_ERROR_LIMIT, "program: needs too much memory");
}

/*
 * What a node wants of its input `slot`: rows prepared for the kernel returned, or NULL, float32.
 */
static const clipc_matrix_kernel *wanted_rows(const clipc_program *program, const clipc_node *node,
                                              size_t slot)
{
    const clipc_matrix_kernel *kernel;

    if (slot != 0 || !node->op->takes_prepared)
        return NULL;
    kernel = clipc_program_kernel(program, node->parameters[0]);
    return kernel->prepare ? kernel : NULL;
}

/*
 * Where all that read a value multiply with one kernel, its rows are written as that kernel takes
 * them: a LayerNorm then rounds or quantises each row while it is at hand, and nobody does it
 * again.
 */
static void choose_row_forms(clipc_program *program)
{
    for (uint32_t i = 0; i < program->value_count; i++)
        program->values[i].prepared_for = NULL;
    for (uint32_t i = 0; i < program->node_count; i++) {
        const clipc_node *writer = &program->nodes[i];
        clipc_value_facts *value = &program->values[writer->output];
        const clipc_matrix_kernel *kernel = NULL;
        bool is_agreed = value->storage == CLIPC_STORAGE_BLOCK && !value->name;

        if (!writer->op->gives_prepared)
            continue;
        for (uint32_t j = i + 1; j <= value->last && is_agreed; j++)
            for (size_t slot = 0; slot < CLIPC_NODE_MAX_INPUTS; slot++)
                if (program->nodes[j].inputs[slot] == writer->output) {
                    const clipc_matrix_kernel *wanted =
                        wanted_rows(program, &program->nodes[j], slot);

                    is_agreed = is_agreed && wanted && (!kernel || kernel == wanted);
                    kernel = wanted;
                }
        value->prepared_for = is_agreed ? kernel : NULL;
    }
}

static size_t value_bytes(const clipc_value_facts *value)
{
    if (value->prepared_for)
        return value->shape.extent[0] * value->prepared_for->row_bytes(value->shape.extent[1]);
    return clipc_round_up(clipc_shape_count(&value->shape) * sizeof(float), CLIPC_ALIGNMENT);
}

static bool alive_together(const clipc_value_facts *a, const clipc_value_facts *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/*
 * If an earlier value that lives at the same time overlaps [offset, offset + bytes), returns the
 * end of it, the next place to try; else offset itself.
 */
static size_t next_free(const clipc_program *program, uint32_t index, size_t offset, size_t bytes)
{
    const clipc_value_facts *value = &program->values[index];

    for (uint32_t i = 0; i < index; i++) {
        const clipc_value_facts *other = &program->values[i];

        if (other->storage != CLIPC_STORAGE_BLOCK || !alive_together(value, other))
            continue;
        if (other->offset < offset + bytes && offset < other->offset + value_bytes(other))
            return other->offset + value_bytes(other);
    }
    return offset;
}

static size_t place(const clipc_program *program, uint32_t index, size_t bytes)
{
    size_t offset = 0, next;

    /* Candidates only grow; every step passes the end of one earlier value, so this ends. */
    while ((next = next_free(program, index, offset, bytes)) != offset)
        offset = next;
    return offset;
}

/* The most that any node needs, of both kinds of scratch; false when that is too large. */
static bool plan_scratch(clipc_program *program, const clipc_kernels *kernels)
{
    size_t own = 0, shared = 0;

    for (uint32_t i = 0; i < program->node_count; i++) {
        const clipc_node *node = &program->nodes[i];

        if (node->op->scratch)
            own = clipc_max_size(own, node->op->scratch(program, node, kernels));
        if (node->op->shared)
            shared = clipc_max_size(shared, node->op->shared(program, node));
    }
    if (own > LARGEST || shared > LARGEST)
        return false;
    program->scratch_bytes = clipc_round_up(own, CLIPC_ALIGNMENT);
    program->shared_bytes = clipc_round_up(shared, CLIPC_ALIGNMENT);
    return true;
}

clipc_status clipc_program_plan(clipc_program *program, const clipc_kernels *kernels,
                                clipc_error *error)
{
    if (program->status)
        return clipc_fail(error, program->status, "%s", program->error.message);
    choose_row_forms(program);
    program->block_bytes = 0;
    for (uint32_t i = 0; i < program->value_count; i++) {
        clipc_value_facts *value = &program->values[i];
        size_t bytes, end;

        if (value->storage != CLIPC_STORAGE_BLOCK)
            continue;
        bytes = value_bytes(value);
        value->offset = place(program, i, bytes);
        if (!clipc_add_size(value->offset, bytes, &end) || end > LARGEST)
            return too_large(error);
        program->block_bytes = clipc_max_size(program->block_bytes, end);
    }
    return plan_scratch(program, kernels) ? CLIPC_OK : too_large(error);
}

bool clipc_program_scratch(const clipc_program *program, unsigned workers, size_t *bytes)
{
    return clipc_mul_size(program->scratch_bytes, workers, bytes) &&
           clipc_add_size(*bytes, program->shared_bytes, bytes);
}
