/* SPDX-License-Identifier: MIT */
/*
 * How fast the kernels of every level are on this machine, on one thread, beside what the same
 * arithmetic reaches without loads or stores.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "compute/pack.h"

#include <stdlib.h>

/* Of many short trials the best counts: others were cut short by whoever shares the processor. */
enum { TRIALS = 40, CEILING_TRIALS = 100, CEILING_STEPS = 20000 };
/* Weights are cold, as in a tower: copies of more than any cache take turns. */
#define ALL_COPIES_BYTES ((size_t)128 << 20)
#define MOST_COPIES ((size_t)24)
/* Rows that pass by a panel in turn, about as many as matmul.c makes it. */
#define BLOCK_ROWS ((size_t)96)
/* A slow kernel is not tried so often. */
#define MOST_SECONDS 0.2

typedef struct product_shape {
    size_t rows, out_features, in_features;
} product_shape;

/* ViT-B/32's layers at one picture and at eight, ViT-B/16's, seven tokens of text, one row. */
static const product_shape shapes[] = {
    {50, 2304, 768}, {50, 3072, 768}, {50, 768, 3072}, {400, 3072, 768},
    {197, 768, 768}, {7, 2048, 512},  {1, 3072, 768},
};

typedef struct bench {
    const clipc_matrix_kernel *kernel;
    product_shape shape;
    size_t copies, packed_bytes, row_bytes;
    float *weights, *rows, *out;
    char *packed, *prepared;
} bench;

/* Numbers around zero that no compiler foresees. */
static void fill(float *values, size_t count)
{
    uint32_t state = 1;

    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(state >> 8) / (float)(1 << 23) - 1.0f;
    }
}

static void bench_close(bench *b)
{
    free(b->weights);
    free(b->rows);
    free(b->out);
    free(b->packed);
    free(b->prepared);
}

static bool bench_open(bench *b, const clipc_matrix_kernel *kernel, const product_shape *shape)
{
    const size_t in = shape->in_features;

    *b = (bench){.kernel = kernel, .shape = *shape, .row_bytes = kernel->row_bytes(in)};
    if (!clipc_packed_bytes(kernel, shape->out_features, in, &b->packed_bytes))
        return false;
    b->copies = clipc_min_size(ALL_COPIES_BYTES / b->packed_bytes + 1, MOST_COPIES);
    b->weights = clipc_alloc_aligned(shape->out_features * in, sizeof(float));
    b->rows = clipc_alloc_aligned(shape->rows * in, sizeof(float));
    b->out = clipc_alloc_aligned(shape->rows * shape->out_features, sizeof(float));
    b->packed = clipc_alloc_aligned(b->copies, b->packed_bytes);
    b->prepared = clipc_alloc_aligned(shape->rows, b->row_bytes);
    if (!b->weights || !b->rows || !b->out || !b->packed || !b->prepared)
        return false;
    fill(b->weights, shape->out_features * in);
    fill(b->rows, shape->rows * in);
    for (size_t i = 0; i < b->copies; i++)
        clipc_pack_rows(kernel, b->packed + i * b->packed_bytes, in, 0, shape->out_features,
                        b->weights);
    return true;
}

/* The whole product once: rows are prepared, as linear does, then all panels pass. */
static void multiply(const bench *b, size_t trial)
{
    const clipc_matrix_kernel *kernel = b->kernel;
    const size_t in = b->shape.in_features, out = b->shape.out_features;
    const char *packed = b->packed + trial % b->copies * b->packed_bytes;
    const char *rows = kernel->prepare ? b->prepared : (const char *)b->rows;

    for (size_t i = 0; kernel->prepare && i < b->shape.rows; i++)
        kernel->prepare(b->rows + i * in, in, b->prepared + i * b->row_bytes);
    for (size_t first = 0; first < b->shape.rows; first += BLOCK_ROWS)
        for (size_t column = 0; column < out; column += kernel->panel_columns)
            kernel->product(&(clipc_panel_product){
                .rows = clipc_min_size(BLOCK_ROWS, b->shape.rows - first),
                .columns = clipc_min_size(kernel->panel_columns, out - column),
                .depth = in,
                .a = rows + first * b->row_bytes,
                .a_stride = b->row_bytes,
                .panel = packed + column / kernel->panel_columns * clipc_panel_bytes(kernel, in),
                .out = b->out + first * out + column,
                .out_stride = out,
            });
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void time_trials(const bench *b, clipc_kernel_speed *speed)
{
    const double begin = clipc_seconds_now();
    double seconds[TRIALS];
    size_t trials = 0;

    while (trials < TRIALS && (trials < 2 || clipc_seconds_now() - begin < MOST_SECONDS)) {
        const double start = clipc_seconds_now();

        multiply(b, trials);
        seconds[trials++] = clipc_seconds_now() - start;
    }
    qsort(seconds, trials, sizeof(seconds[0]), compare);
    speed->seconds = seconds[0];
    speed->median_seconds = seconds[trials / 2];
}

/* Operations a second of the kernel's arithmetic alone; 0 where it has none to measure. */
static double ceiling_of(const clipc_matrix_kernel *kernel)
{
    double best = 0.0;

    for (size_t trial = 0; kernel->arithmetic && trial < CEILING_TRIALS; trial++) {
        const double start = clipc_seconds_now();
        const double operations = kernel->arithmetic(CEILING_STEPS);
        const double rate = operations / (clipc_seconds_now() - start);

        best = rate > best ? rate : best;
    }
    return best;
}

static clipc_status measure_kernel(const char *level, const clipc_matrix_kernel *kernel,
                                   clipc_kernel_speed_fn report, void *data, clipc_error *error)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        clipc_kernel_speed speed = {.level = level,
                                    .dtype = kernel->dtype,
                                    .rows = shapes[i].rows,
                                    .out_features = shapes[i].out_features,
                                    .in_features = shapes[i].in_features};
        bench b;

        if (!bench_open(&b, kernel, &shapes[i])) {
            bench_close(&b);
            return clipc_fail_memory(error, "kernels", ALL_COPIES_BYTES);
        }
        speed.ceiling = ceiling_of(kernel);
        time_trials(&b, &speed);
        bench_close(&b);
        speed.flops =
            2.0 * (double)speed.rows * (double)speed.out_features * (double)speed.in_features;
        report(data, &speed);
    }
    return CLIPC_OK;
}

clipc_status clipc_measure_kernels(clipc_kernel_speed_fn report, void *data, clipc_error *error)
{
    clipc_status status = CLIPC_OK;

    for (const clipc_kernels *level = clipc_kernels_next(NULL); level && !status;
         level = clipc_kernels_next(level)) {
        const clipc_matrix_kernel *kernels[] = {level->f32, level->bf16, level->int8};

        for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]) && !status; i++)
            status = measure_kernel(level->level, kernels[i], report, data, error);
    }
    return status;
}
