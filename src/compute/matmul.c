/* SPDX-License-Identifier: MIT */
/* Dividing a matrix product among threads and panels. */
#include "compute/matmul.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "compute/pack.h"
#include "compute/rows.h"

/*
 * A panel is read from memory once for each block of rows and stays in the second-level cache while
 * the block's tiles pass by: so blocks have many rows, but no more than threads can share out.
 * Panels are handed out in groups so that one picture's few rows still busy all threads.
 */
#define MOST_BLOCK_ROWS ((size_t)96)
#define TASKS_PER_WORKER ((size_t)32)
/* Gathered blocks are a worker's own: about as much as the second-level cache takes. */
#define GATHERED_BYTES ((size_t)192 << 10)
/* Every group gathers its block anew, which costs about as much as two panels' products. */
#define LEAST_GATHERED_PANELS ((size_t)16)

/* The most rows of a block: whole tiles, at least one. */
static size_t most_block_rows(const clipc_matrix_kernel *kernel, size_t in_features, bool gathers)
{
    const size_t rows =
        gathers ? clipc_min_size(GATHERED_BYTES / sizeof(float) / in_features, MOST_BLOCK_ROWS)
                : MOST_BLOCK_ROWS;

    return clipc_max_size(rows / kernel->tile_rows, 1) * kernel->tile_rows;
}

/* Bytes of a gathered block's prepared rows, a multiple of the alignment. */
static size_t prepared_bytes(const clipc_matrix_kernel *kernel, size_t in_features)
{
    return kernel->prepare
               ? most_block_rows(kernel, in_features, true) * kernel->row_bytes(in_features)
               : 0;
}

size_t clipc_matmul_scratch(const clipc_matrix_kernel *kernel, size_t in_features)
{
    const size_t rows = most_block_rows(kernel, in_features, true);

    if (in_features > SIZE_MAX / 64 / rows)
        return SIZE_MAX;
    return prepared_bytes(kernel, in_features) + rows * in_features * sizeof(float);
}

size_t clipc_matmul_shared(const clipc_matrix_kernel *kernel, size_t rows, size_t in_features)
{
    size_t bytes;

    if (!kernel->prepare)
        return 0;
    if (in_features > SIZE_MAX / 64)
        return SIZE_MAX;
    return clipc_mul_size(rows, kernel->row_bytes(in_features), &bytes) ? bytes : SIZE_MAX;
}

typedef struct division {
    const clipc_run *run;
    const clipc_matmul *matmul;
    size_t row_bytes;  /* of prepared rows */
    size_t block_rows; /* of one task */
    size_t blocks;
    size_t panels;       /* of the weights */
    size_t group_panels; /* of one task */
    size_t groups;       /* a row block's tasks */
} division;

static division divide(const clipc_run *run, const clipc_matmul *matmul)
{
    const clipc_matrix_kernel *kernel = matmul->kernel;
    const size_t width = kernel->panel_columns;
    const size_t panels = (matmul->out_features + width - 1) / width;
    const size_t most_rows = most_block_rows(kernel, matmul->in_features, matmul->gather != NULL);
    const size_t blocks = (matmul->rows + most_rows - 1) / most_rows;
    const size_t rows = (matmul->rows + blocks - 1) / blocks;
    const size_t wanted = clipc_threads_count(run->threads) * TASKS_PER_WORKER;
    const size_t most = matmul->gather ? clipc_max_size(panels / LEAST_GATHERED_PANELS, 1) : panels;
    const size_t groups = clipc_min_size(most, (wanted + blocks - 1) / blocks);
    division plan = {
        .run = run,
        .matmul = matmul,
        .row_bytes = kernel->row_bytes(matmul->in_features),
        .block_rows = clipc_round_up(rows, kernel->tile_rows),
        .panels = panels,
    };

    plan.blocks = (matmul->rows + plan.block_rows - 1) / plan.block_rows;
    plan.group_panels = (panels + groups - 1) / groups;
    plan.groups = (panels + plan.group_panels - 1) / plan.group_panels;
    return plan;
}

static void multiply_panel(const division *plan, size_t first, size_t rows, const void *a,
                           size_t panel)
{
    const clipc_matmul *matmul = plan->matmul;
    const clipc_matrix_kernel *kernel = matmul->kernel;
    const size_t column = panel * kernel->panel_columns;
    const size_t at = first * matmul->out_features + column;

    kernel->product(&(clipc_panel_product){
        .rows = rows,
        .columns = clipc_min_size(kernel->panel_columns, matmul->out_features - column),
        .depth = matmul->in_features,
        .a = a,
        .a_stride = plan->row_bytes,
        .panel =
            (const char *)matmul->packed + panel * clipc_panel_bytes(kernel, matmul->in_features),
        .bias = matmul->bias ? matmul->bias + column : NULL,
        .residual = matmul->residual ? matmul->residual + at : NULL,
        .residual_stride = matmul->out_features,
        .pointwise = matmul->pointwise,
        .out = matmul->out + at,
        .out_stride = matmul->out_features,
    });
}

static void prepare_rows(const division *plan, const float *rows, size_t count, char *prepared)
{
    const size_t depth = plan->matmul->in_features;

    for (size_t i = 0; i < count; i++)
        plan->matmul->kernel->prepare(rows + i * depth, depth, prepared + i * plan->row_bytes);
}

/* Whether a's rows are to be prepared before any is multiplied. */
static bool needs_preparing(const clipc_matmul *matmul)
{
    return matmul->kernel->prepare && !matmul->gather && !matmul->is_prepared;
}

/* The rows of a task's block as the product takes them, gathered and prepared here if need be. */
static const void *block_of(const division *plan, size_t first, size_t rows, unsigned worker)
{
    const clipc_matmul *matmul = plan->matmul;
    char *prepared = clipc_run_scratch(plan->run, worker);
    float *gathered;

    if (!matmul->gather)
        return (const char *)(needs_preparing(matmul) ? clipc_run_shared(plan->run) : matmul->a) +
               first * plan->row_bytes;
    gathered = (float *)(void *)(prepared + prepared_bytes(matmul->kernel, matmul->in_features));
    matmul->gather(matmul->gather_context, first, rows, gathered);
    if (!matmul->kernel->prepare)
        return gathered;
    prepare_rows(plan, gathered, rows, prepared);
    return prepared;
}

static void multiply_task(void *context, size_t task, unsigned worker)
{
    const division *plan = context;
    const size_t first = task / plan->groups * plan->block_rows;
    const size_t rows = clipc_min_size(plan->block_rows, plan->matmul->rows - first);
    const size_t panel = task % plan->groups * plan->group_panels;
    const size_t end = clipc_min_size(panel + plan->group_panels, plan->panels);
    const void *a = block_of(plan, first, rows, worker);

    for (size_t i = panel; i < end; i++)
        multiply_panel(plan, first, rows, a, i);
}

static void prepare_task(void *context, size_t chunk, unsigned worker)
{
    const division *plan = context;
    const size_t first = chunk * CLIPC_CHUNK_ROWS;

    (void)worker;
    prepare_rows(plan, (const float *)plan->matmul->a + first * plan->matmul->in_features,
                 clipc_chunk_end(chunk, plan->matmul->rows) - first,
                 (char *)clipc_run_shared(plan->run) + first * plan->row_bytes);
}

void clipc_matmul_run(const clipc_run *run, const clipc_matmul *matmul)
{
    division plan = divide(run, matmul);

    if (needs_preparing(matmul))
        clipc_threads_run(run->threads, clipc_row_chunks(matmul->rows), prepare_task, &plan);
    clipc_threads_run(run->threads, plan.blocks * plan.groups, multiply_task, &plan);
}
