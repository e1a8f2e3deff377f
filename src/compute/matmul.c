/* SPDX-License-Identifier: MIT */
/* Dividing a matrix product among threads and panels. */
#include "compute/matmul.h"

#include "base/sizes.h"

/*
 * A block of rows stays in the second-level cache while every panel passes by: the deeper the rows,
 * the fewer. Panels are handed out in groups so that one picture's few rows still busy all threads.
 */
#define BLOCK_FLOATS ((size_t)48 << 10)
#define MOST_BLOCK_ROWS ((size_t)96)
#define TASKS_PER_WORKER ((size_t)4)
/* Every group gathers its block anew, which costs about as much as two panels' products. */
#define LEAST_GATHERED_PANELS ((size_t)16)

/* Whole tiles, at least one. */
static size_t block_rows(const clipc_kernels *kernels, size_t in_features)
{
    const size_t rows = clipc_min_size(BLOCK_FLOATS / in_features, MOST_BLOCK_ROWS);

    return clipc_max_size(rows / kernels->tile_rows, 1) * kernels->tile_rows;
}

size_t clipc_matmul_scratch(const clipc_kernels *kernels, size_t in_features)
{
    size_t bytes;

    return clipc_mul_size(block_rows(kernels, in_features) * sizeof(float), in_features, &bytes)
               ? bytes
               : SIZE_MAX;
}

typedef struct division {
    const clipc_run *run;
    const clipc_matmul *matmul;
    size_t block_rows; /* of one task */
    size_t blocks;
    size_t panels;       /* of the weights */
    size_t group_panels; /* of one task */
    size_t groups;       /* a row block's tasks */
} division;

static division divide(const clipc_run *run, const clipc_matmul *matmul)
{
    const size_t width = run->kernels->panel_columns;
    const size_t panels = (matmul->out_features + width - 1) / width;
    const size_t most_rows = block_rows(run->kernels, matmul->in_features);
    const size_t blocks = (matmul->rows + most_rows - 1) / most_rows;
    const size_t wanted = clipc_threads_count(run->threads) * TASKS_PER_WORKER;
    const size_t most = matmul->gather ? clipc_max_size(panels / LEAST_GATHERED_PANELS, 1) : panels;
    const size_t groups = clipc_min_size(most, (wanted + blocks - 1) / blocks);
    division plan = {
        .run = run, .matmul = matmul, .block_rows = most_rows, .blocks = blocks, .panels = panels};

    plan.group_panels = (panels + groups - 1) / groups;
    plan.groups = (panels + plan.group_panels - 1) / plan.group_panels;
    return plan;
}

static void multiply_panel(const division *plan, size_t first, size_t rows, const float *a,
                           size_t panel)
{
    const clipc_matmul *matmul = plan->matmul;
    const size_t width = plan->run->kernels->panel_columns, column = panel * width;
    const size_t at = first * matmul->out_features + column;

    plan->run->kernels->panel_product(&(clipc_panel_product){
        .rows = rows,
        .columns = clipc_min_size(width, matmul->out_features - column),
        .depth = matmul->in_features,
        .a = a,
        .a_stride = matmul->in_features,
        .panel = matmul->packed + column * matmul->in_features,
        .bias = matmul->bias ? matmul->bias + column : NULL,
        .residual = matmul->residual ? matmul->residual + at : NULL,
        .residual_stride = matmul->out_features,
        .pointwise = matmul->pointwise,
        .out = matmul->out + at,
        .out_stride = matmul->out_features,
    });
}

static void multiply_task(void *context, size_t task, unsigned worker)
{
    const division *plan = context;
    const clipc_matmul *matmul = plan->matmul;
    const size_t first = task / plan->groups * plan->block_rows;
    const size_t rows = clipc_min_size(plan->block_rows, matmul->rows - first);
    const size_t panel = task % plan->groups * plan->group_panels;
    const size_t end = clipc_min_size(panel + plan->group_panels, plan->panels);
    const float *a;

    if (matmul->gather) {
        float *block = clipc_run_scratch(plan->run, worker);

        matmul->gather(matmul->gather_context, first, rows, block);
        a = block;
    } else {
        a = matmul->a + first * matmul->in_features;
    }
    for (size_t i = panel; i < end; i++)
        multiply_panel(plan, first, rows, a, i);
}

void clipc_matmul_run(const clipc_run *run, const clipc_matmul *matmul)
{
    division plan = divide(run, matmul);

    clipc_threads_run(run->threads, plan.blocks * plan.groups, multiply_task, &plan);
}
