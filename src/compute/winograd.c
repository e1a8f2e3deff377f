/* SPDX-License-Identifier: MIT */
/* Dividing a Winograd convolution among threads, and its three steps. */
#include "compute/winograd.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "compute/pack.h"

#include <string.h>

#define INPUTS CLIPC_WINOGRAD_INPUTS
#define OUTPUTS CLIPC_WINOGRAD_OUTPUTS
#define POINTS CLIPC_WINOGRAD_POINTS
/* Between the points of a block: they do not all fall into the same sets of a cache. */
#define POINT_GAP (CLIPC_ALIGNMENT / sizeof(float))

/*
 * A block of tiles, transformed, is a worker's own and read once for each panel: it should fit the
 * second-level cache. A panel's points are read once for each block: so blocks have many tiles.
 */
#define BLOCK_BYTES ((size_t)320 << 10)
#define LEAST_BLOCK_TILES ((size_t)16)
#define TASKS_PER_WORKER ((size_t)4)
/* Every group of panels transforms its block anew. */
#define LEAST_PANELS ((size_t)4)

typedef struct division {
    const clipc_run *run;
    const clipc_winograd *convolution;
    size_t tiles_down, tiles_across; /* of a picture */
    size_t tiles;                    /* of all */
    size_t block_tiles;              /* of one task */
    size_t blocks;
    size_t panels;       /* of each point's weights */
    size_t group_panels; /* of one task */
    size_t groups;       /* a block's tasks */
} division;

/* The most tiles of a block: what tiles of the product's rows there are room for. */
static size_t most_block_tiles(const clipc_matrix_kernel *kernel, size_t in)
{
    const size_t tiles =
        clipc_max_size(BLOCK_BYTES / POINTS / sizeof(float) / in, LEAST_BLOCK_TILES);

    return clipc_round_up(tiles, kernel->tile_rows);
}

/* Floats between a block's points, before and after the product. */
static size_t input_stride(const clipc_matrix_kernel *kernel, size_t in)
{
    return clipc_round_up(most_block_tiles(kernel, in) * in, POINT_GAP) + POINT_GAP;
}

static size_t sum_stride(const clipc_matrix_kernel *kernel, size_t in)
{
    return clipc_round_up(most_block_tiles(kernel, in) * kernel->panel_columns, POINT_GAP) +
           POINT_GAP;
}

size_t clipc_winograd_scratch(const clipc_matrix_kernel *kernel, size_t in)
{
    if (in > SIZE_MAX / 64 / POINTS / most_block_tiles(kernel, 1))
        return SIZE_MAX;
    return (POINTS * (input_stride(kernel, in) + sum_stride(kernel, in)) + in) * sizeof(float);
}

static division divide(const clipc_run *run, const clipc_winograd *convolution)
{
    const clipc_matrix_kernel *kernel = convolution->kernel;
    const size_t most = most_block_tiles(kernel, convolution->in);
    const size_t wanted = clipc_threads_count(run->threads) * TASKS_PER_WORKER;
    division plan = {
        .run = run,
        .convolution = convolution,
        .tiles_down = (convolution->height + OUTPUTS - 1) / OUTPUTS,
        .tiles_across = (convolution->width + OUTPUTS - 1) / OUTPUTS,
        .panels = (convolution->out_channels + kernel->panel_columns - 1) / kernel->panel_columns,
    };
    size_t groups;

    plan.tiles = convolution->n * plan.tiles_down * plan.tiles_across;
    plan.blocks = (plan.tiles + most - 1) / most;
    plan.block_tiles = (plan.tiles + plan.blocks - 1) / plan.blocks;
    groups = clipc_min_size(clipc_max_size(plan.panels / LEAST_PANELS, 1),
                            (wanted + plan.blocks - 1) / plan.blocks);
    plan.group_panels = (plan.panels + groups - 1) / groups;
    plan.groups = (plan.panels + plan.group_panels - 1) / plan.group_panels;
    return plan;
}

/* A worker's scratch. */
typedef struct tile_block {
    size_t first, tiles;
    const float *zeros; /* a pixel outside of the map */
    float *inputs;      /* [POINTS][tiles][in], points input_stride apart */
    float *sums;        /* [POINTS][tiles][panel_columns], points sum_stride apart */
} tile_block;

/* Where a tile lies: its picture and its first place there. */
typedef struct corner {
    size_t picture, y, x;
} corner;

static corner corner_of(const division *plan, size_t tile)
{
    const size_t row = tile / plan->tiles_across; /* of all pictures one below the other */

    return (corner){.picture = row / plan->tiles_down,
                    .y = row % plan->tiles_down * OUTPUTS,
                    .x = tile % plan->tiles_across * OUTPUTS};
}

/* The 6x6 pixels around a tile, from one place above and left of it on. */
static void find_pixels(const clipc_winograd *convolution, const corner *at, const float *zeros,
                        const float **pixels)
{
    const size_t height = convolution->height, width = convolution->width;

    for (size_t i = 0; i < POINTS; i++) {
        const size_t y = at->y + i / INPUTS, x = at->x + i % INPUTS; /* with the padding */
        const bool is_inside = y >= 1 && y <= height && x >= 1 && x <= width;

        pixels[i] = is_inside ? convolution->x + ((at->picture * height + y - 1) * width + x - 1) *
                                                     convolution->in
                              : zeros;
    }
}

static void transform_inputs(const division *plan, const tile_block *block)
{
    const clipc_winograd *convolution = plan->convolution;
    const size_t stride = input_stride(convolution->kernel, convolution->in);

    for (size_t i = 0; i < block->tiles; i++) {
        const corner at = corner_of(plan, block->first + i);
        const float *pixels[POINTS];

        find_pixels(convolution, &at, block->zeros, pixels);
        plan->run->kernels->winograd_input(pixels, convolution->in,
                                           block->inputs + i * convolution->in, stride);
    }
}

static size_t panel_width(const clipc_winograd *convolution, size_t panel)
{
    const size_t columns = convolution->kernel->panel_columns;

    return clipc_min_size(columns, convolution->out_channels - panel * columns);
}

static void multiply_points(const division *plan, const tile_block *block, size_t panel)
{
    const clipc_winograd *convolution = plan->convolution;
    const clipc_matrix_kernel *kernel = convolution->kernel;
    const size_t bytes = clipc_panel_bytes(kernel, convolution->in);
    const char *weights = (const char *)convolution->packed + panel * POINTS * bytes;

    for (size_t point = 0; point < POINTS; point++)
        kernel->product(&(clipc_panel_product){
            .rows = block->tiles,
            .columns = panel_width(convolution, panel),
            .depth = convolution->in,
            .a = block->inputs + point * input_stride(kernel, convolution->in),
            .a_stride = convolution->in * sizeof(float),
            .panel = weights + point * bytes,
            .out = block->sums + point * sum_stride(kernel, convolution->in),
            .out_stride = kernel->panel_columns,
        });
}

static void transform_outputs(const division *plan, const tile_block *block, size_t panel)
{
    const clipc_winograd *convolution = plan->convolution;
    const size_t columns = convolution->kernel->panel_columns, pool = convolution->pool;
    const size_t height = convolution->height / pool, width = convolution->width / pool;
    const size_t channels = convolution->out_channels, places = OUTPUTS / pool;
    clipc_winograd_tile tile = {
        .point_stride = sum_stride(convolution->kernel, convolution->in),
        .columns = panel_width(convolution, panel),
        .bias = convolution->bias ? convolution->bias + panel * columns : NULL,
        .relu = convolution->relu,
        .pools = pool > 1,
        .row_stride = width * channels,
        .place_stride = channels,
    };

    for (size_t i = 0; i < block->tiles; i++) {
        const corner at = corner_of(plan, block->first + i);
        const size_t y = at.y / pool, x = at.x / pool;

        if (y >= height || x >= width)
            continue; /* less than a square */
        tile.sums = block->sums + i * columns;
        tile.rows = clipc_min_size(places, height - y);
        tile.width = clipc_min_size(places, width - x);
        tile.out =
            convolution->out + ((at.picture * height + y) * width + x) * channels + panel * columns;
        plan->run->kernels->winograd_output(&tile);
    }
}

static void convolve_task(void *context, size_t task, unsigned worker)
{
    const division *plan = context;
    const clipc_winograd *convolution = plan->convolution;
    const clipc_matrix_kernel *kernel = convolution->kernel;
    const size_t panel = task % plan->groups * plan->group_panels;
    const size_t end = clipc_min_size(panel + plan->group_panels, plan->panels);
    tile_block block = {.first = task / plan->groups * plan->block_tiles};
    float *zeros;

    block.tiles = clipc_min_size(plan->block_tiles, plan->tiles - block.first);
    block.inputs = clipc_run_scratch(plan->run, worker);
    block.sums = block.inputs + POINTS * input_stride(kernel, convolution->in);
    zeros = block.sums + POINTS * sum_stride(kernel, convolution->in);
    memset(zeros, 0, convolution->in * sizeof(*zeros));
    block.zeros = zeros;
    transform_inputs(plan, &block);
    for (size_t i = panel; i < end; i++) {
        multiply_points(plan, &block, i);
        transform_outputs(plan, &block, i);
    }
}

void clipc_winograd_run(const clipc_run *run, const clipc_winograd *convolution)
{
    division plan = divide(run, convolution);

    clipc_threads_run(run->threads, plan.blocks * plan.groups, convolve_task, &plan);
}
