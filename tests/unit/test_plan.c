/* SPDX-License-Identifier: MIT */
/* Recording and planning: lifetimes, memory that is reused, sizes that overflow, sticky errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "compute/program.h"

#include <stdlib.h>
#include <string.h>

/*
 * An op for these tests: every element of the output becomes one plus the sum of all elements of
 * all inputs, modulo a prime, so that one value overwritten too early changes all that follow.
 */
static void mix_forward(const clipc_run *run, const clipc_node *node)
{
    const clipc_shape *shape = clipc_program_shape(run->program, node->output);
    float *out = clipc_run_value(run, node->output);
    uint64_t sum = 1;

    for (size_t i = 0; i < CLIPC_NODE_MAX_INPUTS; i++) {
        const clipc_shape *in;
        const float *x;

        if (node->inputs[i] == CLIPC_NO_VALUE)
            continue;
        in = clipc_program_shape(run->program, node->inputs[i]);
        x = clipc_run_value(run, node->inputs[i]);
        for (size_t j = 0; j < clipc_shape_count(in); j++)
            sum += (uint64_t)x[j] * (i + 1);
    }
    for (size_t j = 0; j < clipc_shape_count(shape); j++)
        out[j] = (float)((sum + j) % 8191);
}

static const clipc_op mix_op = {.name = "mix", .forward = mix_forward};

static size_t huge_scratch(const clipc_program *program, const clipc_node *node,
                           const clipc_kernels *kernels)
{
    (void)program;
    (void)node;
    (void)kernels;
    return SIZE_MAX;
}

static const clipc_op huge_op = {.name = "huge", .forward = mix_forward, .scratch = huge_scratch};

static clipc_value mix(clipc_program *program, clipc_value a, clipc_value b, size_t count)
{
    return clipc_program_append(program, &(clipc_node_recipe){.op = &mix_op,
                                                              .inputs = {a, b},
                                                              .input_count = 2,
                                                              .shape = clipc_shape_1(count)});
}

/* Runs over a block of its own, filled with rubbish before. */
static void run(const clipc_program *program, void *const *bindings, size_t count)
{
    clipc_run run = {.program = program, .kernels = &clipc_kernels_portable};

    run.block = clipc_alloc_aligned(program->block_bytes + 1, 1);
    assert_non_null(run.block);
    memset(run.block, 0xA5, program->block_bytes);
    for (size_t i = 0; i < count; i++)
        run.bindings[i] = bindings[i];
    clipc_program_run(&run);
    free(run.block);
}

/* --- Random programs --- */

typedef struct random_program {
    uint64_t state;
    clipc_program program;
    clipc_value values[64];
    size_t count;
} random_program;

static size_t draw(random_program *random, size_t below)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random->state >> 33) % below;
}

/* Some 40 nodes over an input; old values are read again at times. */
static void record(random_program *random, uint64_t seed)
{
    const clipc_shape in = clipc_shape_1(5);

    *random = (random_program){.state = seed};
    clipc_program_init(&random->program, NULL);
    random->values[random->count++] = clipc_program_bind(&random->program, 0, &in);
    while (random->count < 42) {
        const size_t recent = random->count < 4 ? random->count : 4;
        const clipc_value a = random->values[random->count - 1 - draw(random, recent)];
        const clipc_value b =
            draw(random, 4) ? CLIPC_NO_VALUE : random->values[draw(random, random->count)];

        random->values[random->count] =
            mix(&random->program, a, b, 1 + draw(random, draw(random, 3) ? 30 : 300));
        random->count++;
    }
    clipc_program_output(&random->program, random->values[random->count - 1], 1);
}

static size_t padded_bytes(const clipc_value_facts *value)
{
    const size_t bytes = clipc_shape_count(&value->shape) * sizeof(float);

    return (bytes + CLIPC_ALIGNMENT - 1) / CLIPC_ALIGNMENT * CLIPC_ALIGNMENT;
}

/* No two values that are alive at one node share a byte; all lie inside the block, aligned. */
static void check_layout(const clipc_program *program)
{
    for (uint32_t i = 0; i < program->value_count; i++) {
        const clipc_value_facts *a = &program->values[i];

        if (a->storage != CLIPC_STORAGE_BLOCK)
            continue;
        assert_int_equal(a->offset % CLIPC_ALIGNMENT, 0);
        assert_true(a->offset + padded_bytes(a) <= program->block_bytes);
        for (uint32_t j = 0; j < i; j++) {
            const clipc_value_facts *b = &program->values[j];
            const bool meet = a->first <= b->last && b->first <= a->last;

            if (b->storage == CLIPC_STORAGE_BLOCK && meet &&
                a->offset < b->offset + padded_bytes(b) && b->offset < a->offset + padded_bytes(a))
                fail_msg("values %u and %u overlap", (unsigned)i, (unsigned)j);
        }
    }
}

/* Lifetimes as the nodes tell them: written once, read last at the last node that lists it. */
static void check_lifetimes(const clipc_program *program)
{
    for (uint32_t i = 0; i < program->node_count; i++) {
        const clipc_node *node = &program->nodes[i];

        assert_int_equal(program->values[node->output].first, i);
        for (size_t j = 0; j < CLIPC_NODE_MAX_INPUTS; j++)
            if (node->inputs[j] != CLIPC_NO_VALUE) {
                assert_true(program->values[node->inputs[j]].last >= i);
                assert_true(node->inputs[j] < node->output);
            }
    }
}

/* The bytes that a layout without reuse takes, and the most that is alive at once. */
static void count_bytes(const clipc_program *program, size_t *all, size_t *peak)
{
    *all = *peak = 0;
    for (uint32_t node = 0; node < program->node_count; node++) {
        size_t alive = 0;

        for (uint32_t i = 0; i < program->value_count; i++) {
            const clipc_value_facts *value = &program->values[i];

            if (value->storage == CLIPC_STORAGE_BLOCK && value->first <= node &&
                node <= value->last)
                alive += padded_bytes(value);
        }
        *peak = alive > *peak ? alive : *peak;
    }
    for (uint32_t i = 0; i < program->value_count; i++)
        if (program->values[i].storage == CLIPC_STORAGE_BLOCK)
            *all += padded_bytes(&program->values[i]);
}

/* Gives every intermediate bytes of its own, as a reference for what a shared layout computes. */
static void spread_out(clipc_program *program)
{
    size_t offset = 0;

    for (uint32_t i = 0; i < program->value_count; i++)
        if (program->values[i].storage == CLIPC_STORAGE_BLOCK) {
            program->values[i].offset = offset;
            offset += padded_bytes(&program->values[i]);
        }
    program->block_bytes = offset;
}

static void test_random_programs(void **state)
{
    float in[5] = {1, 2, 3, 4, 5}, shared[300] = {0}, separate[300] = {0};
    size_t reused = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_program random;
        clipc_error error;
        size_t all, peak;

        record(&random, seed * 977);
        assert_int_equal(clipc_program_plan(&random.program, clipc_kernels_choose(), &error),
                         CLIPC_OK);
        check_lifetimes(&random.program);
        check_layout(&random.program);
        count_bytes(&random.program, &all, &peak);
        assert_true(random.program.block_bytes >= peak);
        assert_true(random.program.block_bytes <= all);
        reused += random.program.block_bytes < all / 2;
        run(&random.program, (void *[]){in, shared}, 2);
        spread_out(&random.program);
        run(&random.program, (void *[]){in, separate}, 2);
        assert_memory_equal(shared, separate, sizeof(shared));
        clipc_program_free(&random.program);
    }
    assert_true(reused >= 30); /* some seeds keep early values alive to the end */
}

/* A chain of equal values needs two places, however long it is. */
static void test_a_chain_reuses_its_memory(void **state)
{
    const clipc_shape in = clipc_shape_1(16);
    clipc_program program;
    clipc_value x;
    clipc_error error;

    (void)state;
    clipc_program_init(&program, NULL);
    x = clipc_program_bind(&program, 0, &in);
    for (size_t i = 0; i < 100; i++)
        x = mix(&program, x, CLIPC_NO_VALUE, 64);
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error), CLIPC_OK);
    assert_int_equal(program.block_bytes, 2 * 64 * sizeof(float));
    /* planning again gives the same */
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error), CLIPC_OK);
    assert_int_equal(program.block_bytes, 2 * 64 * sizeof(float));
    clipc_program_free(&program);
}

/* What the caller's memory holds takes none of the block. */
static void test_bound_values_take_no_memory(void **state)
{
    const clipc_shape in = clipc_shape_1(1000);
    clipc_program program;
    clipc_error error;
    clipc_value x;

    (void)state;
    clipc_program_init(&program, NULL);
    x = mix(&program, clipc_program_bind(&program, 0, &in), CLIPC_NO_VALUE, 1000);
    clipc_program_output(&program, x, 1);
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error), CLIPC_OK);
    assert_int_equal(program.block_bytes, 0);
    assert_int_equal(program.scratch_bytes, 0);
    clipc_program_free(&program);
}

/* --- Failures --- */

/* Records a value of this shape; planning must fail with this status. */
static void refused(clipc_shape shape, clipc_status status)
{
    const clipc_shape one = clipc_shape_1(1);
    clipc_program program;
    clipc_error error = {.code = CLIPC_OK};
    clipc_value x;

    clipc_program_init(&program, NULL);
    x = clipc_program_bind(&program, 0, &one);
    x = clipc_program_append(
        &program,
        &(clipc_node_recipe){.op = &mix_op, .inputs = {x}, .input_count = 1, .shape = shape});
    assert_int_equal(x, CLIPC_NO_VALUE);
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error), status);
    assert_int_equal(error.code, status);
    clipc_program_free(&program);
}

static void test_sizes_that_overflow(void **state)
{
    (void)state;
    refused(clipc_shape_1(SIZE_MAX), CLIPC_ERROR_LIMIT);
    refused(clipc_shape_2((size_t)1 << 40, (size_t)1 << 40), CLIPC_ERROR_LIMIT);
    refused(clipc_shape_4(1 << 16, 1 << 16, 1 << 16, 1 << 16), CLIPC_ERROR_LIMIT);
    refused(clipc_shape_1(SIZE_MAX / 4), CLIPC_ERROR_LIMIT);
    refused(clipc_shape_2(3, 0), CLIPC_ERROR_LIMIT);
}

/* Each value has a size that can be computed with, together they have not. */
static void test_a_block_that_overflows(void **state)
{
    const clipc_shape one = clipc_shape_1(1);
    clipc_program program;
    clipc_error error;
    clipc_value first, x;

    (void)state;
    clipc_program_init(&program, NULL);
    first = clipc_program_bind(&program, 0, &one);
    first = mix(&program, first, CLIPC_NO_VALUE, SIZE_MAX / 32);
    x = mix(&program, first, CLIPC_NO_VALUE, SIZE_MAX / 32);
    mix(&program, first, x, SIZE_MAX / 32);
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_LIMIT);
    assert_string_equal(error.message, "program: needs too much memory");
    clipc_program_free(&program);
}

static void test_scratch_that_overflows(void **state)
{
    clipc_program program;
    clipc_error error;

    (void)state;
    clipc_program_init(&program, NULL);
    clipc_program_append(&program, &(clipc_node_recipe){.op = &huge_op, .shape = clipc_shape_1(1)});
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_LIMIT);
    clipc_program_free(&program);
}

/* After the first failure everything is ignored, and planning tells that failure. */
static void test_the_first_failure_stays(void **state)
{
    const clipc_shape one = clipc_shape_1(1);
    clipc_program program;
    clipc_error error;
    clipc_value x;

    (void)state;
    clipc_program_init(&program, NULL);
    x = clipc_program_bind(&program, 0, &one);
    clipc_program_fail(&program, CLIPC_ERROR_UNSUPPORTED, "first of %d", 2);
    clipc_program_fail(&program, CLIPC_ERROR_FORMAT, "second");
    assert_int_equal(mix(&program, x, CLIPC_NO_VALUE, 4), CLIPC_NO_VALUE);
    clipc_program_output(&program, x, 1);
    clipc_program_name(&program, x, "name");
    assert_int_equal(clipc_program_shape(&program, x)->rank, 0);
    assert_int_equal(program.node_count, 0);
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_UNSUPPORTED);
    assert_string_equal(error.message, "first of 2");
    clipc_program_free(&program);
}

static void test_values_that_do_not_exist(void **state)
{
    clipc_program program;
    clipc_error error;

    (void)state;
    clipc_program_init(&program, NULL);
    assert_int_equal(mix(&program, 3, CLIPC_NO_VALUE, 4), CLIPC_NO_VALUE);
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_ARGUMENT);
    assert_string_equal(error.message, "mix: reads a value that does not exist");
    clipc_program_free(&program);
    clipc_program_init(&program, NULL);
    clipc_program_output(&program, CLIPC_NO_VALUE, 0);
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_ARGUMENT);
    clipc_program_free(&program);
    clipc_program_init(&program, NULL);
    clipc_program_name(&program, 0, "name");
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_ARGUMENT);
    clipc_program_free(&program);
}

/* --- Parameters --- */

static void test_parameters_are_declared_then_looked_up(void **state)
{
    static const char *const names[] = {"b", "a", "c.weight", "c"};
    clipc_parameters parameters = {0};
    clipc_program program;
    clipc_error error;

    (void)state;
    clipc_program_init_declaring(&program, &parameters);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(clipc_program_parameter(&program, CLIPC_ROLE_VALUES, clipc_shape_1(i + 1),
                                                 "%s", names[i]),
                         i);
    clipc_program_free(&program);
    assert_int_equal(clipc_parameters_seal(&parameters, &error), CLIPC_OK);
    clipc_program_init(&program, &parameters);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(clipc_program_parameter(&program, CLIPC_ROLE_VALUES, clipc_shape_1(i + 1),
                                                 "%s", names[i]),
                         i);
    assert_int_equal(
        clipc_program_parameter(&program, CLIPC_ROLE_VALUES, clipc_shape_1(1), "%s.%d", "d", 4),
        CLIPC_NO_PARAMETER);
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_NOT_FOUND);
    assert_string_equal(error.message, "d.4: is not declared");
    clipc_program_free(&program);
    clipc_program_init(&program, &parameters);
    clipc_program_parameter(&program, CLIPC_ROLE_VALUES, clipc_shape_1(9), "a");
    assert_int_equal(clipc_program_plan(&program, clipc_kernels_choose(), &error),
                     CLIPC_ERROR_ARGUMENT);
    assert_string_equal(error.message, "a: was declared with another shape");
    clipc_program_free(&program);
    clipc_parameters_free(&parameters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_programs),
        cmocka_unit_test(test_a_chain_reuses_its_memory),
        cmocka_unit_test(test_bound_values_take_no_memory),
        cmocka_unit_test(test_sizes_that_overflow),
        cmocka_unit_test(test_a_block_that_overflows),
        cmocka_unit_test(test_scratch_that_overflows),
        cmocka_unit_test(test_the_first_failure_stays),
        cmocka_unit_test(test_values_that_do_not_exist),
        cmocka_unit_test(test_parameters_are_declared_then_looked_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
