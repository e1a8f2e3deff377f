/* SPDX-License-Identifier: MIT */
/*
 * Multi-head scaled dot-product attention (Vaswani et al. 2017, arXiv:1706.03762) within packed
 * sequences. One task is one head of one sequence; the scores of one query at a time are all that
 * is kept.
 */
#include "base/sizes.h"
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
    const uint32_t *offsets; /* NULL: sequences all of one length */
    const float *query, *key, *value;
    size_t query_stride, key_stride, value_stride;
    float *out;
} attention_job;

/* The rows of one sequence. */
typedef struct span {
    size_t key, keys;      /* first row and number of keys */
    size_t query, queries; /* first row and number of queries */
} span;

static span span_of(const attention_job *job, size_t sequence)
{
    const attention_attributes *attributes = job->attributes;
    span rows;

    if (job->offsets) {
        rows.key = job->offsets[sequence];
        rows.keys = job->offsets[sequence + 1] - rows.key;
    } else {
        rows.key = sequence * attributes->length;
        rows.keys = attributes->length;
    }
    rows.queries = attributes->queries ? attributes->queries : rows.keys;
    rows.query = attributes->queries ? sequence * attributes->queries : rows.key;
    return rows;
}

/* One query against the first `keys` keys of its sequence. */
static void attend(const attention_job *job, const float *query, const float *key,
                   const float *value, size_t keys, float *scores, float *out)
{
    const clipc_kernels *kernels = job->run->kernels;
    const size_t size = job->attributes->width / job->attributes->heads;
    const float scale = 1.0f / sqrtf((float)size);

    for (size_t i = 0; i < keys; i++)
        scores[i] = scale * kernels->dot(query, key + i * job->key_stride, size);
    kernels->softmax(scores, keys);
    memset(out, 0, size * sizeof(*out));
    for (size_t i = 0; i < keys; i++)
        kernels->axpy(scores[i], value + i * job->value_stride, size, out);
}

static void attend_head(void *context, size_t task, unsigned worker)
{
    const attention_job *job = context;
    const attention_attributes *attributes = job->attributes;
    const span rows = span_of(job, task / attributes->heads);
    const size_t column = task % attributes->heads * (attributes->width / attributes->heads);
    float *scores = clipc_run_scratch(job->run, worker);

    for (size_t i = 0; i < rows.queries; i++) {
        const size_t row = rows.query + i;

        attend(job, job->query + row * job->query_stride + column,
               job->key + rows.key * job->key_stride + column,
               job->value + rows.key * job->value_stride + column,
               attributes->causal ? i + 1 : rows.keys, scores,
               job->out + row * attributes->width + column);
    }
}

/* The operand's first row at its first column, and the distance between its rows. */
static const float *operand(const clipc_run *run, clipc_value value, size_t first, size_t *stride)
{
    const float *rows = clipc_run_value(run, value);

    *stride = clipc_program_shape(run->program, value)->extent[1];
    return rows + first;
}

static void attention_forward(const clipc_run *run, const clipc_node *node)
{
    const attention_attributes *attributes = node->attributes;
    attention_job job = {.run = run, .attributes = attributes};

    job.query = operand(run, node->inputs[0], attributes->first[0], &job.query_stride);
    job.key = operand(run, node->inputs[1], attributes->first[1], &job.key_stride);
    job.value = operand(run, node->inputs[2], attributes->first[2], &job.value_stride);
    job.offsets = node->inputs[3] == CLIPC_NO_VALUE ? NULL : clipc_run_value(run, node->inputs[3]);
    job.out = clipc_run_value(run, node->output);
    clipc_threads_run(run->threads, attributes->sequences * attributes->heads, attend_head, &job);
}

static size_t attention_scratch(const clipc_program *program, const clipc_node *node)
{
    const attention_attributes *attributes = node->attributes;

    (void)program;
    return attributes->longest * sizeof(float);
}

static const clipc_op attention_op = {
    .name = "attention", .scratch = attention_scratch, .forward = attention_forward};

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
    else
        clipc_rule_shape(program, op, "offsets", sequences->offsets, clipc_shape_1(count + 1));
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
        .longest = sequences->length ? sequences->length : keys,
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
                                sequences->length ? CLIPC_NO_VALUE : sequences->offsets},
                     .input_count = 4,
                     .attributes = &attributes,
                     .attributes_size = sizeof(attributes),
                     .shape = clipc_shape_2(queries, width),
                 });
}
