/* SPDX-License-Identifier: MIT */
/*
 * A program: a tower recorded as a flat list of coarse ops over tensors. Recording (the functions
 * of ops/ops.h) appends nodes; planning gives every intermediate an offset in one block of memory
 * by its lifetime; running walks the list.
 *
 * Recording has a sticky error: after the first failure everything recorded is ignored and
 * clipc_program_plan reports it, so that a tower's definition reads without checks.
 */
#ifndef CLIPC_COMPUTE_PROGRAM_H
#define CLIPC_COMPUTE_PROGRAM_H

#include "base/threads.h"
#include "compute/kernels/kernels.h"
#include "compute/parameters.h"
#include "compute/shape.h"

#include <clipc.h>

typedef uint32_t clipc_value; /* a tensor of a program: float32 unless an op says otherwise */
#define CLIPC_NO_VALUE UINT32_MAX

#define CLIPC_NODE_MAX_INPUTS 6
#define CLIPC_NODE_MAX_PARAMETERS 4
#define CLIPC_MAX_BINDINGS 8

typedef struct clipc_program clipc_program;
typedef struct clipc_node clipc_node;
typedef struct clipc_run clipc_run;

/* What computing a node takes, by the op's definition: padding to panels and tiles not counted. */
typedef struct clipc_cost {
    double flops; /* additions, multiplications and what else; a multiply-add is two */
    double bytes; /* of operands read and the output written, each of them once */
    size_t depth; /* a product's: terms of each sum; else 0 */
} clipc_cost;

/* An op: what a node does. One constant of this type a file in ops/. */
typedef struct clipc_op {
    const char *name;
    /*
     * Rows in the form of a matrix kernel (its `prepare`) instead of float32: whether the op can
     * write its output so, and read its first input so for the kernel of its first parameter.
     */
    bool gives_prepared, takes_prepared;
    /* Scratch bytes that each worker needs, SIZE_MAX when they overflow; NULL: none. */
    size_t (*scratch)(const clipc_program *program, const clipc_node *node,
                      const clipc_kernels *kernels);
    /* Scratch bytes that all workers share, likewise. */
    size_t (*shared)(const clipc_program *program, const clipc_node *node);
    /* Computes the node's output from its inputs. Cannot fail: shapes were checked on recording. */
    void (*forward)(const clipc_run *run, const clipc_node *node);
    /* What that takes; it may read bound inputs, such as offsets. */
    clipc_cost (*cost)(const clipc_run *run, const clipc_node *node);
} clipc_op;

struct clipc_node {
    const clipc_op *op;
    clipc_value inputs[CLIPC_NODE_MAX_INPUTS]; /* CLIPC_NO_VALUE where unused */
    clipc_parameter_id parameters[CLIPC_NODE_MAX_PARAMETERS];
    clipc_value output;
    const void *attributes; /* the op's own struct, in the program's arena; NULL: none */
};

/* Where a value's memory comes from. */
typedef enum clipc_storage {
    CLIPC_STORAGE_BLOCK, /* an intermediate at `offset` of the run's block */
    CLIPC_STORAGE_BOUND, /* the caller's memory: binding `slot` of the run */
} clipc_storage;

typedef struct clipc_value_facts {
    clipc_shape shape;
    clipc_storage storage;
    uint32_t slot;
    size_t offset;        /* bytes, a multiple of CLIPC_ALIGNMENT, once planned */
    uint32_t first, last; /* the nodes that write it and read it last */
    /* Once planned: rows are kept as this kernel takes them; NULL: float32. */
    const clipc_matrix_kernel *prepared_for;
    const char *name; /* a stage of the tower to observe; NULL for most */
} clipc_value_facts;

struct clipc_program {
    const clipc_parameters *parameters; /* not owned */
    clipc_parameters *declared;         /* the same while recording declares them; else NULL */
    clipc_node *nodes;
    uint32_t node_count;
    size_t node_capacity;
    clipc_value_facts *values;
    uint32_t value_count;
    size_t value_capacity;
    size_t block_bytes;   /* once planned */
    size_t scratch_bytes; /* a worker's */
    size_t shared_bytes;  /* of scratch that all workers share */
    clipc_arena arena;    /* attributes and names */
    clipc_status status;  /* sticky */
    clipc_error error;
};

/* A program whose recording looks parameters up; they must be sealed. */
void clipc_program_init(clipc_program *program, const clipc_parameters *parameters);
/* A program whose recording declares parameters. */
void clipc_program_init_declaring(clipc_program *program, clipc_parameters *parameters);
void clipc_program_free(clipc_program *program);

/* --- Recording --- */

/* A tensor in the caller's memory, read or written through binding `slot` when run. */
clipc_value clipc_program_bind(clipc_program *program, uint32_t slot, const clipc_shape *shape);

/* The parameter of a formatted name: declared or looked up, as the program was made for. */
clipc_parameter_id clipc_program_parameter(clipc_program *program, clipc_role role,
                                           clipc_shape shape, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Declares that batch norm (gain; bias, mean, variance follow it) comes after a convolution. */
void clipc_program_normalise_after(clipc_program *program, clipc_parameter_id convolution,
                                   clipc_parameter_id gain);

/* Declares that a convolution's weight is kept, and multiplied, in Winograd's form. */
void clipc_program_transform_filters(clipc_program *program, clipc_parameter_id convolution);

/* Declares that a matrix is multiplied in slices of its depth, which begin at multiples of step. */
void clipc_program_slice_depth(clipc_program *program, clipc_parameter_id matrix, size_t step);

/* The kernel that a packed parameter is multiplied with. */
const clipc_matrix_kernel *clipc_program_kernel(const clipc_program *program,
                                                clipc_parameter_id parameter);

/* What is declared of a parameter; NULL after a failure. */
const clipc_parameter *clipc_program_parameter_facts(const clipc_program *program,
                                                     clipc_parameter_id parameter);

/*
 * Appends a node whose output has this shape and returns the output. attributes (size bytes, may be
 * NULL) are copied. Among the input_count inputs, CLIPC_NO_VALUE stands for an optional one left
 * out.
 */
typedef struct clipc_node_recipe {
    const clipc_op *op;
    size_t input_count;
    clipc_value inputs[CLIPC_NODE_MAX_INPUTS];
    clipc_parameter_id parameters[CLIPC_NODE_MAX_PARAMETERS];
    const void *attributes;
    size_t attributes_size;
    clipc_shape shape; /* of the output */
} clipc_node_recipe;
clipc_value clipc_program_append(clipc_program *program, const clipc_node_recipe *recipe);

/* The node's output goes to binding `slot`, the caller's memory, instead of the block. */
void clipc_program_output(clipc_program *program, clipc_value value, uint32_t slot);

/* Names a value as a stage of the tower ("visual.ln_pre") for observers. */
void clipc_program_name(clipc_program *program, clipc_value value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Records a failure; the first one stays. */
void clipc_program_fail(clipc_program *program, clipc_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

const clipc_shape *clipc_program_shape(const clipc_program *program, clipc_value value);

/* --- Planning --- */

/*
 * Lays the intermediates out, and sizes scratch for these kernels; reports what went wrong while
 * recording.
 */
clipc_status clipc_program_plan(clipc_program *program, const clipc_kernels *kernels,
                                clipc_error *error);

/* *bytes = the scratch that a run with so many workers needs; false on overflow. */
bool clipc_program_scratch(const clipc_program *program, unsigned workers, size_t *bytes);

/* --- Running --- */

/* Sees a named stage right after it was computed. */
typedef void (*clipc_observer_fn)(void *data, const char *name, const clipc_shape *shape,
                                  const float *values);

struct clipc_run {
    const clipc_program *program;
    const clipc_kernels *kernels;
    clipc_threads *threads;             /* NULL: the caller alone */
    void *bindings[CLIPC_MAX_BINDINGS]; /* by slot; those that are read are not written */
    unsigned char *block;               /* block_bytes, aligned */
    unsigned char *scratch;             /* clipc_program_scratch() bytes, aligned */
    clipc_observer_fn observer;         /* may be NULL */
    void *observer_data;
    clipc_profile_fn profile; /* may be NULL */
    void *profile_data;
};

/* Computes every node in order. */
void clipc_program_run(const clipc_run *run);

/* The memory of a value, and the data of a parameter, while running. */
void *clipc_run_value(const clipc_run *run, clipc_value value);
const void *clipc_run_parameter(const clipc_run *run, clipc_parameter_id parameter);
const clipc_matrix_kernel *clipc_run_kernel(const clipc_run *run, clipc_parameter_id parameter);
/* A worker's scratch memory, and that which all workers share. */
void *clipc_run_scratch(const clipc_run *run, unsigned worker);
void *clipc_run_shared(const clipc_run *run);

#endif
