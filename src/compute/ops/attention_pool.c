/* SPDX-License-Identifier: MIT */
/*
 * Attention in which one query asks all tokens of a picture, as CLIP's ResNets pool their maps.
 * With a single query the projections of keys and values need not be applied to every token: of a
 * head
 *
 *     scores      q . (K x_t + b) = (K^T q) . x_t + a constant, which softmax leaves out
 *     out         sum_t p_t (V x_t + c) = V (sum_t p_t x_t) + c, as the p_t sum to 1
 *
 * so the query is taken to the space of the tokens and their mean back: K and V meet one row a head
 * instead of fifty tokens.
 */
#include "base/memory.h"
#include "base/sizes.h"
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"
#include "compute/pack.h"

#include <math.h>
#include <string.h>

typedef struct pool_attributes {
    size_t heads, tokens; /* tokens of a picture */
} pool_attributes;

/* The sizes of a node, and the offsets of what its workers share, in bytes. */
typedef struct pool_plan {
    size_t n, tokens, width, heads, size; /* size: of a head */
    const clipc_matrix_kernel *key, *value;
    size_t query_bytes, mean_bytes;   /* of one row as key's, value's product takes it */
    size_t queries, rows, means, end; /* offsets; rows: [n][heads][width] */
} pool_plan;

typedef struct pool_job {
    const clipc_run *run;
    pool_plan plan;
    const float *x, *query, *bias;
    const char *key, *value; /* packed */
    float *rows;             /* first K^T q, then the tokens' mean, of each head */
    const void *queries;     /* as the product takes them: of each picture, head by head */
    const void *means;
    float *out;
} pool_job;

static pool_plan plan_of(const clipc_program *program, const clipc_node *node)
{
    const pool_attributes *attributes = node->attributes;
    const clipc_shape *query = clipc_program_shape(program, node->inputs[1]);
    pool_plan plan = {
        .n = query->extent[0],
        .tokens = attributes->tokens,
        .width = query->extent[1],
        .heads = attributes->heads,
        .size = query->extent[1] / attributes->heads,
        .key = clipc_program_kernel(program, node->parameters[0]),
        .value = clipc_program_kernel(program, node->parameters[1]),
    };
    const size_t rows = plan.n * plan.heads;

    plan.query_bytes = plan.key->row_bytes(plan.size);
    plan.mean_bytes = plan.value->row_bytes(plan.width);
    plan.rows = plan.key->prepare ? rows * plan.query_bytes : 0;
    plan.means = plan.rows + clipc_round_up(rows * plan.width * sizeof(float), CLIPC_ALIGNMENT);
    plan.end = plan.means + (plan.value->prepare ? rows * plan.mean_bytes : 0);
    return plan;
}

/* --- 1. Each head's query in the space of the tokens: K^T q --- */

static void prepare_queries(void *context, size_t picture, unsigned worker)
{
    const pool_job *job = context;
    const pool_plan *plan = &job->plan;

    (void)worker;
    for (size_t head = 0; head < plan->heads; head++)
        plan->key->prepare(job->query + picture * plan->width + head * plan->size, plan->size,
                           (char *)(uintptr_t)job->queries +
                               (picture * plan->heads + head) * plan->query_bytes);
}

/* The columns of one panel, for all heads: each takes its own slice of the panel's depth. */
static void expand_queries(void *context, size_t panel, unsigned worker)
{
    const pool_job *job = context;
    const pool_plan *plan = &job->plan;
    const clipc_matrix_kernel *kernel = plan->key;
    const size_t column = panel * kernel->panel_columns;
    const char *weights = job->key + panel * clipc_panel_bytes(kernel, plan->width);
    const size_t head_bytes = kernel->prepare ? plan->query_bytes : plan->size * sizeof(float);

    (void)worker;
    for (size_t head = 0; head < plan->heads; head++)
        kernel->product(&(clipc_panel_product){
            .rows = plan->n,
            .columns = clipc_min_size(kernel->panel_columns, plan->width - column),
            .depth = plan->size,
            .a = (const char *)job->queries + head * head_bytes,
            .a_stride = plan->heads * head_bytes,
            .panel = clipc_panel_slice(kernel, weights, head * plan->size),
            .out = job->rows + head * plan->width + column,
            .out_stride = plan->heads * plan->width,
        });
}

/* --- 2. Scores, softmax, and the tokens' mean --- */

/* A worker's scratch: parts for one picture and as many heads as a panel has columns. */
typedef struct pool_scratch {
    float *queries; /* a panel: [width][columns] */
    float *scores;  /* [tokens][columns] */
    float *weights; /* [columns][tokens] */
    float *tokens;  /* a panel: [tokens][columns] */
} pool_scratch;

/* Floats of the first part, and of each of the three others. */
static size_t query_floats(const clipc_matrix_kernel *kernel, size_t width)
{
    return clipc_panel_bytes(kernel, width) / sizeof(float);
}

static size_t token_floats(const clipc_matrix_kernel *kernel, size_t tokens)
{
    return clipc_round_up(tokens * kernel->panel_columns, CLIPC_ALIGNMENT / sizeof(float));
}

static pool_scratch divide_scratch(const clipc_matrix_kernel *kernel, float *memory, size_t width,
                                   size_t tokens)
{
    const size_t part = token_floats(kernel, tokens);
    float *next = memory + query_floats(kernel, width);

    return (pool_scratch){
        .queries = memory, .scores = next, .weights = next + part, .tokens = next + 2 * part};
}

/* Scores [tokens][columns] to weights [heads][tokens] that sum to 1. */
static void weigh(const pool_job *job, const pool_scratch *scratch, size_t heads)
{
    const size_t columns = job->run->kernels->f32->panel_columns, tokens = job->plan.tokens;
    const float scale = 1.0f / sqrtf((float)job->plan.size);

    for (size_t head = 0; head < heads; head++) {
        float *weights = scratch->weights + head * tokens;

        for (size_t token = 0; token < tokens; token++)
            weights[token] = scale * scratch->scores[token * columns + head];
        job->run->kernels->softmax(weights, tokens);
    }
}

/* Columns [column, column + width) of a picture's tokens as a panel. */
static void pack_tokens(const pool_job *job, const float *x, size_t column, size_t width,
                        float *panel)
{
    const size_t columns = job->run->kernels->f32->panel_columns;

    for (size_t token = 0; token < job->plan.tokens; token++, panel += columns) {
        memcpy(panel, x + token * job->plan.width + column, width * sizeof(*panel));
        memset(panel + width, 0, (columns - width) * sizeof(*panel));
    }
}

static void attend(void *context, size_t task, unsigned worker)
{
    const pool_job *job = context;
    const pool_plan *plan = &job->plan;
    const clipc_matrix_kernel *kernel = job->run->kernels->f32;
    const size_t columns = kernel->panel_columns, width = plan->width;
    const size_t groups = (plan->heads + columns - 1) / columns;
    const size_t picture = task / groups, first = task % groups * columns;
    const size_t heads = clipc_min_size(columns, plan->heads - first);
    const float *x = job->x + picture * plan->tokens * width;
    float *rows = job->rows + (picture * plan->heads + first) * width;
    const pool_scratch scratch =
        divide_scratch(kernel, clipc_run_scratch(job->run, worker), width, plan->tokens);

    kernel->pack(rows, heads, width, scratch.queries);
    kernel->product(&(clipc_panel_product){.rows = plan->tokens,
                                           .columns = heads,
                                           .depth = width,
                                           .a = x,
                                           .a_stride = width * sizeof(float),
                                           .panel = scratch.queries,
                                           .out = scratch.scores,
                                           .out_stride = columns});
    weigh(job, &scratch, heads);
    for (size_t column = 0; column < width; column += columns) {
        const size_t count = clipc_min_size(columns, width - column);

        pack_tokens(job, x, column, count, scratch.tokens);
        kernel->product(&(clipc_panel_product){.rows = heads,
                                               .columns = count,
                                               .depth = plan->tokens,
                                               .a = scratch.weights,
                                               .a_stride = plan->tokens * sizeof(float),
                                               .panel = scratch.tokens,
                                               .out = rows + column,
                                               .out_stride = width});
    }
    for (size_t i = 0; plan->value->prepare && i < heads; i++)
        plan->value->prepare(rows + i * width, width,
                             (char *)(uintptr_t)job->means +
                                 (picture * plan->heads + first + i) * plan->mean_bytes);
}

/* --- 3. Each head's values of its mean: V mean + c --- */

/* The columns of one panel: those of a head, or the last of one and the first of the next. */
static void project_means(void *context, size_t panel, unsigned worker)
{
    const pool_job *job = context;
    const pool_plan *plan = &job->plan;
    const clipc_matrix_kernel *kernel = plan->value;
    const size_t first = panel * kernel->panel_columns;
    const size_t end = clipc_min_size(first + kernel->panel_columns, plan->width);
    float *values = clipc_run_scratch(job->run, worker);

    for (size_t column = first; column < end;) {
        const size_t head = column / plan->size;
        const size_t next = clipc_min_size((head + 1) * plan->size, end);

        kernel->product(&(clipc_panel_product){
            .rows = plan->n,
            .columns = end - first,
            .depth = plan->width,
            .a = (const char *)job->means + head * plan->mean_bytes,
            .a_stride = plan->heads * plan->mean_bytes,
            .panel = job->value + panel * clipc_panel_bytes(kernel, plan->width),
            .bias = job->bias + first,
            .out = values,
            .out_stride = kernel->panel_columns,
        });
        for (size_t i = 0; i < plan->n; i++)
            memcpy(job->out + i * plan->width + column,
                   values + i * kernel->panel_columns + column - first,
                   (next - column) * sizeof(*values));
        column = next;
    }
}

static size_t panel_count(const clipc_matrix_kernel *kernel, size_t columns)
{
    return (columns + kernel->panel_columns - 1) / kernel->panel_columns;
}

static void attention_pool_forward(const clipc_run *run, const clipc_node *node)
{
    char *shared = clipc_run_shared(run);
    pool_job job = {
        .run = run,
        .plan = plan_of(run->program, node),
        .x = clipc_run_value(run, node->inputs[0]),
        .query = clipc_run_value(run, node->inputs[1]),
        .key = clipc_run_parameter(run, node->parameters[0]),
        .value = clipc_run_parameter(run, node->parameters[1]),
        .bias = clipc_run_parameter(run, node->parameters[2]),
        .out = clipc_run_value(run, node->output),
    };
    const pool_plan *plan = &job.plan;

    job.rows = (float *)(void *)(shared + plan->rows);
    job.queries = plan->key->prepare ? (const void *)shared : job.query;
    job.means = plan->value->prepare ? (const void *)(shared + plan->means) : job.rows;
    if (plan->key->prepare)
        clipc_threads_run(run->threads, plan->n, prepare_queries, &job);
    clipc_threads_run(run->threads, panel_count(plan->key, plan->width), expand_queries, &job);
    clipc_threads_run(run->threads, plan->n * panel_count(run->kernels->f32, plan->heads), attend,
                      &job);
    clipc_threads_run(run->threads, panel_count(plan->value, plan->width), project_means, &job);
}

static size_t attention_pool_scratch(const clipc_program *program, const clipc_node *node,
                                     const clipc_kernels *kernels)
{
    const pool_plan plan = plan_of(program, node);
    size_t bytes, values;

    if (!clipc_mul_size(plan.tokens + plan.width, 4 * sizeof(float) * kernels->f32->panel_columns,
                        &bytes) ||
        !clipc_mul_size(plan.n, plan.value->panel_columns * sizeof(float), &values))
        return SIZE_MAX;
    bytes = (query_floats(kernels->f32, plan.width) + 3 * token_floats(kernels->f32, plan.tokens)) *
            sizeof(float);
    return clipc_max_size(bytes, values);
}

static size_t attention_pool_shared(const clipc_program *program, const clipc_node *node)
{
    return plan_of(program, node).end;
}

static clipc_cost attention_pool_cost(const clipc_run *run, const clipc_node *node)
{
    const pool_plan plan = plan_of(run->program, node);
    clipc_cost cost = clipc_cost_whole(run, node, 3, 0.0);

    cost.flops =
        4.0 * (double)plan.n * (double)plan.width * (double)(plan.width + plan.heads * plan.tokens);
    cost.depth = plan.width;
    return cost;
}

static const clipc_op attention_pool_op = {.name = "attention_pool",
                                           .scratch = attention_pool_scratch,
                                           .shared = attention_pool_shared,
                                           .forward = attention_pool_forward,
                                           .cost = attention_pool_cost};

clipc_value clipc_op_attention_pool(clipc_program *program, clipc_value tokens, clipc_value query,
                                    clipc_parameter_id key, clipc_parameter_id value,
                                    clipc_parameter_id value_bias, size_t heads)
{
    const char *op = attention_pool_op.name;
    const clipc_shape *rows = clipc_program_shape(program, tokens);
    const clipc_shape *asked = clipc_program_shape(program, query);
    pool_attributes attributes = {.heads = heads};
    size_t n, width;

    if (!clipc_rule_rank(program, op, "tokens", tokens, 2) ||
        !clipc_rule_rank(program, op, "query", query, 2))
        return CLIPC_NO_VALUE;
    n = asked->extent[0];
    width = asked->extent[1];
    if (!clipc_rule(program, op, rows->extent[1] == width && rows->extent[0] % n == 0,
                    "a query for so many tokens each, of their width") ||
        !clipc_rule(program, op, heads > 0 && width % heads == 0,
                    "a width that divides into heads") ||
        !clipc_rule_parameter(program, op, "key", key, clipc_shape_2(width, width)) ||
        !clipc_rule_parameter(program, op, "value", value, clipc_shape_2(width, width)) ||
        !clipc_rule_parameter(program, op, "value's bias", value_bias, clipc_shape_1(width)))
        return CLIPC_NO_VALUE;
    attributes.tokens = rows->extent[0] / n;
    clipc_program_slice_depth(program, key, width / heads);
    return clipc_program_append(program, &(clipc_node_recipe){
                                             .op = &attention_pool_op,
                                             .inputs = {tokens, query},
                                             .input_count = 2,
                                             .parameters = {key, value, value_bias},
                                             .attributes = &attributes,
                                             .attributes_size = sizeof(attributes),
                                             .shape = *asked,
                                         });
}
