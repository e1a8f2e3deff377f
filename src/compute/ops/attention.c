/* SPDX-License-Identifier: MIT */
/*
 * Multi-head scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762) within packed
 * sequences. One task is one head of one sequence. Its keys, transposed and scaled, and its values
 * are packed as a matrix product's panels; queries then pass by a few rows at a time, whose scores
 * are all that is kept.
 */
#include "base/memory.h"
#include "base/sizes.h"
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"

#include <math.h>
#include <string.h>

typedef struct attention_attributes {
    size_t first[3]; /* the first column of query, key, value */
    size_t width, heads;
    bool causal;
    size_t sequences, length, queries; /* as clipc_sequences */
    size_t longest;                    /* bound of a sequence's keys, for scratch */
} attention_attributes;

typedef struct attention_job {
    const clipc_run *run;
    const attention_attributes *attributes;
    const uint32_t *offsets;  /* NULL: sequences all of one length */
    const uint32_t *key_rows; /* NULL: a sequence's keys stand together */
    const uint32_t *key_offsets;
    const float *query, *key, *value;
    size_t query_stride, key_stride, value_stride;
    float *out;
} attention_job;

/* The rows of one sequence. */
typedef struct span {
    const uint32_t *key_rows; /* [keys]; NULL: from `key` on */
    size_t key, keys;
    size_t query, queries; /* first row and number of queries */
} span;

static span span_of(const attention_job *job, size_t sequence)
{
    const attention_attributes *attributes = job->attributes;
    span rows = {.key = sequence * attributes->length, .keys = attributes->length};

    if (job->offsets) {
        rows.key = job->offsets[sequence];
        rows.keys = job->offsets[sequence + 1] - rows.key;
    }
    rows.queries = attributes->queries ? attributes->queries : rows.keys;
    rows.query = attributes->queries ? sequence * attributes->queries : rows.key;
    if (job->key_rows) {
        rows.key_rows = job->key_rows + job->key_offsets[sequence];
        rows.keys = job->key_offsets[sequence + 1] - job->key_offsets[sequence];
    }
    return rows;
}

static size_t key_row(const span *rows, size_t i)
{
    return rows->key_rows ? rows->key_rows[i] : rows->key + i;
}

/* One head of one sequence, in a worker's scratch. */
typedef struct head {
    const attention_job *job;
    span rows;
    size_t column, size; /* the head's columns of query, key, value, out */
    float *keys;         /* [panels of keys][size][panel_columns]: scaled by 1 / sqrt(size) */
    float *values;       /* [panels of columns][keys][panel_columns] */
    float *scores;       /* [block_rows][keys rounded up to panels] */
} head;

static size_t round_to_panels(const clipc_matrix_kernel *kernel, size_t n)
{
    return clipc_round_up(n, kernel->panel_columns);
}

/* Rows of queries whose scores are computed together. */
static size_t block_rows(const clipc_matrix_kernel *kernel)
{
    return 4 * kernel->tile_rows;
}

static void pack_keys(const head *h)
{
    const clipc_matrix_kernel *kernel = h->job->run->kernels->f32;
    const size_t columns = kernel->panel_columns, padded = round_to_panels(kernel, h->rows.keys);
    const float scale = 1.0f / sqrtf((float)h->size);

    for (size_t i = 0; i < padded; i++) {
        float *target = h->keys + i / columns * columns * h->size + i % columns;
        const bool is_key = i < h->rows.keys;
        const float *key =
            h->job->key + (is_key ? key_row(&h->rows, i) : 0) * h->job->key_stride + h->column;

        for (size_t k = 0; k < h->size; k++)
            target[k * columns] = is_key ? scale * key[k] : 0.0f;
    }
}

static void pack_values(const head *h)
{
    const size_t columns = h->job->run->kernels->f32->panel_columns;

    for (size_t column = 0; column < h->size; column += columns) {
        const size_t width = clipc_min_size(columns, h->size - column);
        float *panel = h->values + column * h->rows.keys;

        for (size_t i = 0; i < h->rows.keys; i++, panel += columns) {
            memcpy(panel,
                   h->job->value + key_row(&h->rows, i) * h->job->value_stride + h->column + column,
                   width * sizeof(*panel));
            memset(panel + width, 0, (columns - width) * sizeof(*panel));
        }
    }
}

/*
 * Softmax of each row over the keys it may see; the others weigh nothing, and 0 times a value is
 * added without a change, so a row does not depend on its block.
 */
static void weigh(const head *h, size_t first, size_t rows, size_t keys, size_t stride)
{
    const size_t before = h->rows.keys - h->rows.queries; /* keys that every query sees */

    for (size_t i = 0; i < rows; i++) {
        float *scores = h->scores + i * stride;
        const size_t seen = h->job->attributes->causal ? before + first + i + 1 : keys;

        h->job->run->kernels->softmax(scores, seen);
        memset(scores + seen, 0, (keys - seen) * sizeof(*scores));
    }
}

/* Queries [first, first + rows) of the sequence. */
static void attend_block(const head *h, size_t first, size_t rows)
{
    const attention_job *job = h->job;
    const clipc_matrix_kernel *kernel = job->run->kernels->f32;
    const size_t columns = kernel->panel_columns, row = h->rows.query + first;
    const size_t unseen = job->attributes->causal ? h->rows.queries - first - rows : 0;
    const size_t keys = h->rows.keys - unseen;
    const size_t stride = round_to_panels(kernel, h->rows.keys);

    for (size_t key = 0; key < keys; key += columns)
        kernel->product(&(clipc_panel_product){
            .rows = rows,
            .columns = columns,
            .depth = h->size,
            .a = job->query + row * job->query_stride + h->column,
            .a_stride = job->query_stride * sizeof(float),
            .panel = h->keys + key * h->size,
            .out = h->scores + key,
            .out_stride = stride,
        });
    weigh(h, first, rows, keys, stride);
    for (size_t column = 0; column < h->size; column += columns)
        kernel->product(&(clipc_panel_product){
            .rows = rows,
            .columns = clipc_min_size(columns, h->size - column),
            .depth = keys,
            .a = h->scores,
            .a_stride = stride * sizeof(float),
            .panel = h->values + column * h->rows.keys,
            .out = job->out + row * job->attributes->width + h->column + column,
            .out_stride = job->attributes->width,
        });
}

/* Floats of the parts of a worker's scratch, each a multiple of the alignment. */
static size_t aligned(size_t floats)
{
    return clipc_round_up(floats, CLIPC_ALIGNMENT / sizeof(float));
}

static size_t key_floats(const clipc_matrix_kernel *kernel, size_t keys, size_t size)
{
    return aligned(round_to_panels(kernel, keys) * size);
}

static size_t value_floats(const clipc_matrix_kernel *kernel, size_t keys, size_t size)
{
    return aligned(keys * round_to_panels(kernel, size));
}

static size_t score_floats(const clipc_matrix_kernel *kernel, size_t keys)
{
    return aligned(block_rows(kernel) * round_to_panels(kernel, keys));
}

static void attend_head(void *context, size_t task, unsigned worker)
{
    const attention_job *job = context;
    const clipc_matrix_kernel *kernel = job->run->kernels->f32;
    const size_t size = job->attributes->width / job->attributes->heads;
    const size_t most = block_rows(kernel);
    head h = {.job = job, .size = size};

    h.rows = span_of(job, task / job->attributes->heads);
    if (h.rows.queries == 0)
        return;
    h.column = task % job->attributes->heads * size;
    h.keys = clipc_run_scratch(job->run, worker);
    h.values = h.keys + key_floats(kernel, h.rows.keys, size);
    h.scores = h.values + value_floats(kernel, h.rows.keys, size);
    pack_keys(&h);
    pack_values(&h);
    for (size_t i = 0; i < h.rows.queries; i += most)
        attend_block(&h, i, clipc_min_size(most, h.rows.queries - i));
}

/* The operand's first row at its first column, and the distance between its rows. */
static const float *operand(const clipc_run *run, clipc_value value, size_t first, size_t *stride)
{
    const float *rows = clipc_run_value(run, value);

    *stride = clipc_program_shape(run->program, value)->extent[1];
    return rows + first;
}

/* Where the sequences are: all of a job but its operands. */
static attention_job sequences_of(const clipc_run *run, const clipc_node *node)
{
    attention_job job = {.run = run, .attributes = node->attributes};

    job.offsets = node->inputs[3] == CLIPC_NO_VALUE ? NULL : clipc_run_value(run, node->inputs[3]);
    if (node->inputs[4] != CLIPC_NO_VALUE) {
        job.key_rows = clipc_run_value(run, node->inputs[4]);
        job.key_offsets = clipc_run_value(run, node->inputs[5]);
    }
    return job;
}

static void attention_forward(const clipc_run *run, const clipc_node *node)
{
    const attention_attributes *attributes = node->attributes;
    attention_job job = sequences_of(run, node);

    job.query = operand(run, node->inputs[0], attributes->first[0], &job.query_stride);
    job.key = operand(run, node->inputs[1], attributes->first[1], &job.key_stride);
    job.value = operand(run, node->inputs[2], attributes->first[2], &job.value_stride);
    job.out = clipc_run_value(run, node->output);
    clipc_threads_run(run->threads, attributes->sequences * attributes->heads, attend_head, &job);
}

static size_t attention_scratch(const clipc_program *program, const clipc_node *node,
                                const clipc_kernels *kernels)
{
    const attention_attributes *attributes = node->attributes;
    const clipc_matrix_kernel *kernel = kernels->f32;
    const size_t size = attributes->width / attributes->heads, keys = attributes->longest;
    const size_t columns = kernel->panel_columns;
    size_t bound; /* of each of the three parts, in floats */

    (void)program;
    if (!clipc_mul_size(keys + columns, size + columns + block_rows(kernel), &bound) ||
        bound > SIZE_MAX / 16 / sizeof(float))
        return SIZE_MAX;
    return (key_floats(kernel, keys, size) + value_floats(kernel, keys, size) +
            score_floats(kernel, keys)) *
           sizeof(float);
}

/*
 * For each pair of a query and a key that it sees, the products that make its score and that its
 * value takes part in; softmax is not counted.
 */
static clipc_cost attention_cost(const clipc_run *run, const clipc_node *node)
{
    const attention_attributes *attributes = node->attributes;
    const attention_job job = sequences_of(run, node);
    const double width = (double)attributes->width;
    double pairs = 0.0;
    size_t rows = 0; /* of query and output, key and value */
    clipc_cost cost = {0};

    for (size_t i = 0; i < attributes->sequences; i++) {
        const span sequence = span_of(&job, i);
        const double queries = (double)sequence.queries;

        pairs += queries * (double)sequence.keys;
        if (attributes->causal) /* the last query sees all, the one before it one less, ... */
            pairs -= queries * (queries - 1.0) / 2.0;
        if (sequence.queries)
            rows += 2 * sequence.queries + 2 * sequence.keys;
    }
    cost.flops = 4.0 * pairs * width;
    cost.bytes = clipc_cost_bytes(rows) * width;
    for (size_t i = 3; i < CLIPC_NODE_MAX_INPUTS; i++)
        cost.bytes += clipc_cost_bytes(clipc_cost_elements(run, node->inputs[i]));
    return cost;
}

static const clipc_op attention_op = {.name = "attention",
                                      .scratch = attention_scratch,
                                      .forward = attention_forward,
                                      .cost = attention_cost};

/* The columns that an operand is read at are there. */
static bool has_columns(clipc_program *program, const char *what, const clipc_columns *columns,
                        size_t width)
{
    const size_t all = clipc_program_shape(program, columns->value)->extent[1];

    return clipc_rule_rank(program, attention_op.name, what, columns->value, 2) &&
           clipc_rule(program, attention_op.name,
                      columns->first <= all && width <= all - columns->first,
                      "operands as wide as the columns read");
}

/* Sequences, queries and keys add up to the rows there are. */
static bool has_sequences(clipc_program *program, const clipc_sequences *sequences, size_t queries,
                          size_t keys, bool causal)
{
    const char *op = attention_op.name;
    const size_t count = sequences->count;

    if (!clipc_rule(program, op, count > 0, "a sequence") ||
        !clipc_rule(program, op, !causal || sequences->queries == 0,
                    "as many queries as keys under a causal mask"))
        return false;
    if (sequences->length)
        clipc_rule(program, op, keys % count == 0 && keys / count == sequences->length,
                   "sequences that take up all keys");
    else if (clipc_rule(program, op, sequences->longest > 0, "the longest sequence's length"))
        clipc_rule_shape(program, op, "offsets", sequences->offsets, clipc_shape_1(count + 1));
    if (sequences->is_listed) {
        clipc_rule_rank(program, op, "key rows", sequences->key_rows, 1);
        clipc_rule_shape(program, op, "key offsets", sequences->key_offsets,
                         clipc_shape_1(count + 1));
    }
    return clipc_rule(program, op,
                      sequences->queries
                          ? queries % count == 0 && queries / count == sequences->queries
                          : queries == keys,
                      "sequences that take up all queries");
}

clipc_value clipc_op_attention(clipc_program *program, clipc_columns query, clipc_columns key,
                               clipc_columns value, size_t width, size_t heads, bool causal,
                               const clipc_sequences *sequences)
{
    const size_t queries = clipc_program_shape(program, query.value)->extent[0];
    const size_t keys = clipc_program_shape(program, key.value)->extent[0];
    attention_attributes attributes = {
        .first = {query.first, key.first, value.first},
        .width = width,
        .heads = heads,
        .causal = causal,
        .sequences = sequences->count,
        .length = sequences->length,
        .queries = sequences->queries,
        .longest = sequences->length ? sequences->length : clipc_min_size(sequences->longest, keys),
    };

    if (heads == 0 || width % heads != 0) {
        clipc_program_fail(program, CLIPC_ERROR_FORMAT,
                           "attention: width %zu does not divide into %zu heads", width, heads);
        return CLIPC_NO_VALUE;
    }
    if (!has_columns(program, "query", &query, width) ||
        !has_columns(program, "key", &key, width) ||
        !has_columns(program, "value", &value, width) ||
        !clipc_rule(program, attention_op.name,
                    clipc_program_shape(program, value.value)->extent[0] == keys,
                    "a value for each key") ||
        !has_sequences(program, sequences, queries, keys, causal))
        return CLIPC_NO_VALUE;
    return clipc_program_append(
        program, &(clipc_node_recipe){
                     .op = &attention_op,
                     .inputs = {query.value, key.value, value.value,
                                sequences->length ? CLIPC_NO_VALUE : sequences->offsets,
                                sequences->is_listed ? sequences->key_rows : CLIPC_NO_VALUE,
                                sequences->is_listed ? sequences->key_offsets : CLIPC_NO_VALUE},
                     .input_count = 6,
                     .attributes = &attributes,
                     .attributes_size = sizeof(attributes),
                     .shape = clipc_shape_2(queries, width),
                 });
}
