/* SPDX-License-Identifier: MIT */
/*
 * The parameters of a model: name, shape, role and, once loaded, values in the form that the
 * kernels want. Nobody writes this table by hand: recording a tower declares each parameter where
 * it is used, and loading, converting and (in training) decay and gradients are driven by the
 * result.
 */
#ifndef CLIPC_COMPUTE_PARAMETERS_H
#define CLIPC_COMPUTE_PARAMETERS_H

#include "base/arena.h"
#include "compute/kernels/kernels.h"
#include "compute/shape.h"

#include <clipc.h>

typedef uint32_t clipc_parameter_id;
#define CLIPC_NO_PARAMETER UINT32_MAX

/* What an op does with a parameter decides the form in which its values are kept. */
typedef enum clipc_role {
    CLIPC_ROLE_VALUES, /* float32 as they stand: gains, biases, positional embeddings */
    CLIPC_ROLE_TABLE,  /* [rows][width], looked up by row; float16 where the file has it */
    CLIPC_ROLE_MATRIX, /* [out][in], packed in panels */
    CLIPC_ROLE_MATRIX_TRANSPOSED, /* [in][out] in the file, packed as [out][in] */
    CLIPC_ROLE_PATCH,             /* [out][in][h][w], packed as [out][in*h*w] */
    CLIPC_ROLE_CONVOLUTION,       /* [out][in][h][w], packed as [out][h*w*in] for channels-last */
    CLIPC_ROLE_STATISTIC,         /* running mean, variance: as VALUES, but not trained */
} clipc_role;

/* The form in which a parameter's data is kept; pack.h has their sizes. */
typedef enum clipc_form {
    CLIPC_FORM_PLAIN,    /* float32 as in the checkpoint */
    CLIPC_FORM_HALF,     /* float16 likewise: a TABLE that the checkpoint keeps so */
    CLIPC_FORM_PANELS,   /* packed for the kernel */
    CLIPC_FORM_WINOGRAD, /* a 3x3 convolution's filters transformed and packed, see winograd.h */
} clipc_form;

typedef struct clipc_parameter {
    const char *name; /* as OpenAI's checkpoints spell it; owned by the table */
    clipc_role role;
    clipc_shape shape; /* as in the checkpoint */
    /* A convolution followed by batch norm: its gain; bias, mean, variance are the next three. */
    clipc_parameter_id batchnorm;
    const clipc_matrix_kernel *kernel; /* what packed values are packed for, and multiplied with */
    clipc_form form;
    void *data;       /* in the table's block or in a mapped file; NULL until loaded */
    bool is_left_out; /* not to be loaded: data stays NULL */
} clipc_parameter;

/* What packed parameters are multiplied with, by role. */
typedef struct clipc_matrix_kernels {
    const clipc_matrix_kernel *matrix;      /* and patches */
    const clipc_matrix_kernel *pointwise;   /* convolutions of 1x1, but narrow ones */
    const clipc_matrix_kernel *convolution; /* larger and narrow ones */
    const clipc_matrix_kernel *f32;         /* what takes their place where their form is no use */
    bool allows_winograd;                   /* convolution's may be kept in WINOGRAD form */
} clipc_matrix_kernels;

typedef struct clipc_parameters {
    clipc_matrix_kernels kernels; /* of the parameters declared from now on */
    clipc_parameter *items;
    size_t count, capacity;
    uint32_t *by_name; /* indices in ascending order of name, once sealed */
    void *block;       /* the data of all, owned; NULL until loaded */
    bool sealed;       /* complete: from now on immutable but for the data while loading */
    clipc_arena names;
} clipc_parameters;

/* Declares (before sealing) a parameter; CLIPC_NO_PARAMETER when out of memory. name is copied. */
clipc_parameter_id clipc_parameters_add(clipc_parameters *parameters, const char *name,
                                        clipc_role role, const clipc_shape *shape);

/* Ends declaring: sorts the names. */
clipc_status clipc_parameters_seal(clipc_parameters *parameters, clipc_error *error);

/* Looks a name up (after sealing); CLIPC_NO_PARAMETER when there is none. */
clipc_parameter_id clipc_parameters_find(const clipc_parameters *parameters, const char *name);

void clipc_parameters_free(clipc_parameters *parameters);

/* "matrix", "values", ... */
const char *clipc_role_name(clipc_role role);

#endif
