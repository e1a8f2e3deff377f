/* SPDX-License-Identifier: MIT */
/* Layer normalisation (Ba et al. 2016, arXiv:1607.06450) over the last extent. */
#include "compute/cost.h"
#include "compute/ops/ops.h"
#include "compute/ops/rules.h"
#include "compute/rows.h"

#define EPSILON 1e-5f

typedef struct layernorm_job {
    const clipc_run *run;
    const float *x, *gain, *bias;
    const clipc_matrix_kernel *prepared_for; /* NULL: float32 rows are written */
    char *out;
    size_t out_stride; /* bytes */
    size_t rows, width;
} layernorm_job;

static void layernorm_rows(void *context, size_t chunk, unsigned worker)
{
    const layernorm_job *job = context;
    const size_t end = clipc_chunk_end(chunk, job->rows);

    for (size_t i = chunk * CLIPC_CHUNK_ROWS; i < end; i++) {
        char *out = job->out + i * job->out_stride;
        float *row = job->prepared_for ? clipc_run_scratch(job->run, worker) : (void *)out;

        job->run->kernels->layernorm(job->x + i * job->width, job->gain, job->bias, job->width,
                                     EPSILON, row);
        if (job->prepared_for)
            job->prepared_for->prepare(row, job->width, out);
    }
}

static void layernorm_forward(const clipc_run *run, const clipc_node *node)
{
    const clipc_value_facts *output = &run->program->values[node->output];
    const clipc_matrix_kernel *kernel = output->prepared_for;
    const size_t width = output->shape.extent[1];
    layernorm_job job = {
        .run = run,
        .x = clipc_run_value(run, node->inputs[0]),
        .gain = clipc_run_parameter(run, node->parameters[0]),
        .bias = clipc_run_parameter(run, node->parameters[1]),
        .prepared_for = kernel,
        .out = clipc_run_value(run, node->output),
        .out_stride = kernel ? kernel->row_bytes(width) : width * sizeof(float),
        .rows = output->shape.extent[0],
        .width = width,
    };

    clipc_threads_run(run->threads, clipc_row_chunks(job.rows), layernorm_rows, &job);
}

/* A row before it is prepared. */
static size_t layernorm_scratch(const clipc_program *program, const clipc_node *node,
                                const clipc_kernels *kernels)
{
    const clipc_value_facts *output = &program->values[node->output];

    (void)kernels;
    return output->prepared_for ? output->shape.extent[1] * sizeof(float) : 0;
}

/* The mean 1, the variance 3, the value at mean 0 and variance 1 2, gain and bias 2. */
static clipc_cost layernorm_cost(const clipc_run *run, const clipc_node *node)
{
    return clipc_cost_whole(run, node, 2, 8.0);
}

static const clipc_op layernorm_op = {
    .name = "layernorm",
    .gives_prepared = true,
    .scratch = layernorm_scratch,
    .forward = layernorm_forward,
    .cost = layernorm_cost,
};

clipc_value clipc_op_layernorm(clipc_program *program, clipc_value x, clipc_parameter_id gain,
                               clipc_parameter_id bias)
{
    const clipc_shape width = clipc_shape_1(clipc_program_shape(program, x)->extent[1]);

    if (!clipc_rule_rank(program, layernorm_op.name, "x", x, 2) ||
        !clipc_rule_parameter(program, layernorm_op.name, "gain", gain, width) ||
        !clipc_rule_parameter(program, layernorm_op.name, "bias", bias, width))
        return CLIPC_NO_VALUE;
    return clipc_program_append(program, &(clipc_node_recipe){
                                             .op = &layernorm_op,
                                             .inputs = {x},
                                             .input_count = 1,
                                             .parameters = {gain, bias},
                                             .shape = *clipc_program_shape(program, x),
                                         });
}
