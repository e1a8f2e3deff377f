/* SPDX-License-Identifier: MIT */
/* What the tests of ops share: a program with parameters, random values, and a run of it. */
#ifndef CLIPC_TESTS_OPS_OP_TEST_H
#define CLIPC_TESTS_OPS_OP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "compute/ops/ops.h"
#include "compute/pack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small generator of our own, so that a failure can be repeated anywhere. */
typedef struct random_state {
    uint64_t state;
} random_state;

static inline float random_value(random_state *random)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (float)(random->state >> 40) / (float)(1 << 23) - 1.0f;
}

static inline float *random_values(random_state *random, size_t count)
{
    float *values = malloc(count * sizeof(*values));

    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = random_value(random);
    return values;
}

/* A program under construction, its parameters' raw values kept for the reference to use. */
#define FIXTURE_MAX_PARAMETERS 12
typedef struct op_fixture {
    random_state random;
    clipc_parameters parameters;
    clipc_program program;
    float *raw[FIXTURE_MAX_PARAMETERS]; /* by id, as in a checkpoint */
} op_fixture;

static inline void fixture_open(op_fixture *fixture, uint64_t seed)
{
    const clipc_matrix_kernel *f32 = clipc_kernels_choose()->f32;

    *fixture =
        (op_fixture){.random = {seed},
                     .parameters = {.kernels = {f32, f32, f32, f32, .allows_winograd = false}}};
    clipc_program_init_declaring(&fixture->program, &fixture->parameters);
}

static inline void fixture_close(op_fixture *fixture)
{
    for (size_t i = 0; i < FIXTURE_MAX_PARAMETERS; i++)
        free(fixture->raw[i]);
    for (size_t i = 0; i < fixture->parameters.count; i++)
        free(fixture->parameters.items[i].data);
    clipc_program_free(&fixture->program);
    clipc_parameters_free(&fixture->parameters);
}

/* Packs raw [out][in] for a kernel. */
static inline void *pack_matrix(const clipc_matrix_kernel *kernel, const float *raw, size_t out,
                                size_t in)
{
    size_t bytes;
    void *packed;

    assert_true(clipc_packed_bytes(kernel, out, in, &bytes));
    packed = clipc_alloc_aligned(bytes, 1);
    assert_non_null(packed);
    clipc_pack_rows(kernel, packed, in, 0, out, raw);
    return packed;
}

/* Declares a parameter with random values, kept as its role demands. */
static inline clipc_parameter_id fixture_parameter(op_fixture *fixture, clipc_role role,
                                                   clipc_shape shape)
{
    clipc_parameter_id id = clipc_program_parameter(&fixture->program, role, shape, "parameter%zu",
                                                    fixture->parameters.count);
    const size_t count = clipc_shape_count(&shape);
    float *raw = random_values(&fixture->random, count);
    clipc_parameter *parameter = &fixture->parameters.items[id];

    assert_true(id < FIXTURE_MAX_PARAMETERS);
    fixture->raw[id] = raw;
    if (role == CLIPC_ROLE_MATRIX || role == CLIPC_ROLE_PATCH) {
        parameter->data =
            pack_matrix(parameter->kernel, raw, shape.extent[0], count / shape.extent[0]);
    } else {
        parameter->data = malloc(count * sizeof(float));
        assert_non_null(parameter->data);
        memcpy(parameter->data, raw, count * sizeof(float));
    }
    return id;
}

/*
 * Keeps a convolution's filters, [out][in][k][k], as loading does: arranged [out][k][k][in], in the
 * form that recording the convolution has chosen.
 */
static inline void fixture_pack_filters(op_fixture *fixture, clipc_parameter_id id)
{
    clipc_parameter *parameter = &fixture->parameters.items[id];
    const size_t out = parameter->shape.extent[0], in = parameter->shape.extent[1];
    const size_t places = parameter->shape.extent[2] * parameter->shape.extent[3];
    float *arranged = malloc(out * places * in * sizeof(float)), *points;
    size_t bytes;

    assert_non_null(arranged);
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in * places; i++)
            arranged[(o * places + i % places) * in + i / places] =
                fixture->raw[id][o * places * in + i];
    free(parameter->data);
    if (parameter->form == CLIPC_FORM_WINOGRAD) {
        assert_true(clipc_parameter_bytes(parameter, &bytes));
        parameter->data = clipc_alloc_aligned(bytes, 1);
        points = malloc(clipc_pack_winograd_floats(parameter->kernel, in) * sizeof(float));
        assert_true(parameter->data && points);
        clipc_pack_winograd(parameter->kernel, parameter->data, in, 0, out, arranged, points);
        free(points);
    } else {
        parameter->data = pack_matrix(parameter->kernel, arranged, out, places * in);
    }
    free(arranged);
}

/* Plans and runs the program with `workers` threads over the given bindings. */
static inline void fixture_run(op_fixture *fixture, unsigned workers, void *const *bindings,
                               size_t count)
{
    clipc_error error = {.code = CLIPC_OK};
    clipc_run run = {.program = &fixture->program, .kernels = clipc_kernels_choose()};
    size_t scratch_bytes;

    if (clipc_program_plan(&fixture->program, run.kernels, &error) != CLIPC_OK)
        fail_msg("plan: %s", error.message);
    assert_int_equal(clipc_threads_open(&run.threads, workers, &error), CLIPC_OK);
    run.block = clipc_alloc_aligned(fixture->program.block_bytes + 1, 1);
    assert_true(clipc_program_scratch(&fixture->program, workers, &scratch_bytes));
    run.scratch = clipc_alloc_aligned(scratch_bytes + 1, 1);
    assert_non_null(run.block);
    assert_non_null(run.scratch);
    for (size_t i = 0; i < count; i++)
        run.bindings[i] = bindings[i];
    clipc_program_run(&run);
    clipc_threads_close(run.threads);
    free(run.block);
    free(run.scratch);
}

/* What a pointwise function gives, in double. */
static inline double pointwise_value(clipc_pointwise pointwise, double x)
{
    switch (pointwise) {
    case CLIPC_POINTWISE_NONE: return x;
    case CLIPC_POINTWISE_QUICKGELU: return x / (1.0 + exp(-1.702 * x));
    case CLIPC_POINTWISE_GELU: return 0.5 * x * erfc(-x / sqrt(2.0));
    case CLIPC_POINTWISE_RELU: return x > 0.0 ? x : 0.0;
    }
    return x;
}

/* Fails unless |got - wanted| <= tolerance * (1 + |wanted|) everywhere; says where. */
static inline void assert_close(const float *got, const double *wanted, size_t count,
                                double tolerance, const char *what)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - wanted[i]) <= tolerance * (1.0 + fabs(wanted[i]))))
            fail_msg("%s: element %zu is %.9g, %.9g was expected", what, i, (double)got[i],
                     wanted[i]);
}

#endif
