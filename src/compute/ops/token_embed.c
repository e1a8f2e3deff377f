/* SPDX-License-Identifier: MIT */
/* Token ids to rows: an embedding table's row plus a positional embedding. */
#include "base/float_formats.h"
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"
#include "compute/rows.h"

typedef struct embed_job {
    const void *table;
    bool is_half;
    const float *positions;
    const uint32_t *ids, *places;
    float *out;
    size_t tokens, width;
} embed_job;

static void embed_token(const embed_job *job, size_t token)
{
    const size_t row = (size_t)job->ids[token] * job->width;
    const float *position = job->positions + (size_t)job->places[token] * job->width;
    float *out = job->out + token * job->width;

    if (job->is_half) {
        const uint16_t *half = job->table;

        for (size_t j = 0; j < job->width; j++)
            out[j] = clipc_float_from_f16(half[row + j]) + position[j];
    } else {
        const float *full = job->table;

        for (size_t j = 0; j < job->width; j++)
            out[j] = full[row + j] + position[j];
    }
}

static void embed_tokens(void *context, size_t chunk, unsigned worker)
{
    const embed_job *job = context;
    const size_t end = clipc_chunk_end(chunk, job->tokens);

    (void)worker;
    for (size_t i = chunk * CLIPC_CHUNK_ROWS; i < end; i++)
        embed_token(job, i);
}

static void token_embed_forward(const clipc_run *run, const clipc_node *node)
{
    const clipc_parameter *table = &run->program->parameters->items[node->parameters[0]];
    const clipc_shape *shape = clipc_program_shape(run->program, node->output);
    embed_job job = {
        .table = table->data,
        .is_half = table->form == CLIPC_FORM_HALF,
        .positions = clipc_run_parameter(run, node->parameters[1]),
        .ids = clipc_run_value(run, node->inputs[0]),
        .places = clipc_run_value(run, node->inputs[1]),
        .out = clipc_run_value(run, node->output),
        .tokens = shape->extent[0],
        .width = shape->extent[1],
    };

    clipc_threads_run(run->threads, clipc_row_chunks(job.tokens), embed_tokens, &job);
}

/* A row of the table and one of the positions for each token. */
static clipc_cost token_embed_cost(const clipc_run *run, const clipc_node *node)
{
    const bool is_half =
        run->program->parameters->items[node->parameters[0]].form == CLIPC_FORM_HALF;
    const size_t elements = clipc_cost_elements(run, node->output);
    const size_t indices = 2 * clipc_cost_elements(run, node->inputs[0]);

    return (clipc_cost){
        .flops = (double)elements,
        .bytes = (is_half ? 2.5 : 3.0) * clipc_cost_bytes(elements) + clipc_cost_bytes(indices),
    };
}

static const clipc_op token_embed_op = {
    .name = "token_embed", .forward = token_embed_forward, .cost = token_embed_cost};

clipc_value clipc_op_token_embed(clipc_program *program, clipc_value ids, clipc_value places,
                                 clipc_parameter_id table, clipc_parameter_id positions)
{
    const clipc_parameter *rows = clipc_program_parameter_facts(program, table);
    const clipc_parameter *places_known = clipc_program_parameter_facts(program, positions);

    if (!clipc_rule_rank(program, token_embed_op.name, "ids", ids, 1) ||
        !clipc_rule_shape(program, token_embed_op.name, "places", places,
                          *clipc_program_shape(program, ids)) ||
        !clipc_rule_parameter_rank(program, token_embed_op.name, "table", table, 2) ||
        !clipc_rule(program, token_embed_op.name, rows->role == CLIPC_ROLE_TABLE,
                    "a table declared as one") ||
        !clipc_rule_parameter_rank(program, token_embed_op.name, "positions", positions, 2) ||
        !clipc_rule(program, token_embed_op.name,
                    rows->shape.extent[1] == places_known->shape.extent[1],
                    "one width of table and positions"))
        return CLIPC_NO_VALUE;
    return clipc_program_append(
        program, &(clipc_node_recipe){
                     .op = &token_embed_op,
                     .inputs = {ids, places},
                     .input_count = 2,
                     .parameters = {table, positions},
                     .shape = clipc_shape_2(clipc_program_shape(program, ids)->extent[0],
                                            rows->shape.extent[1]),
                 });
}
