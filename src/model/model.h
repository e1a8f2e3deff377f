/* SPDX-License-Identifier: MIT */
/* What a clipc_model holds: immutable once open, shared by threads. */
#ifndef CLIPC_MODEL_MODEL_H
#define CLIPC_MODEL_MODEL_H

#include "compute/kernels/kernels.h"
#include "compute/parameters.h"
#include "model/config.h"
#include "text/tokenizer.h"

struct clipc_model {
    clipc_config config;
    clipc_parameters parameters;
    float logit_scale; /* before exp() */
    bool has_weights;
    unsigned towers;          /* CLIPC_TOWER_*: whose weights those are */
    uint64_t parameter_count; /* without statistics */
    const clipc_kernels *kernels;
    clipc_tokenizer *tokenizer;
    char format[32], layout[32]; /* as in clipc_model_info */
    clipc_checkpoint *packed; /* a .clipc file, where the parameters' data lie; NULL: another's */
    char packed_for[32];
    bool is_mapped;
};

/* Fails unless the weights of this tower are there; `what` is what it encodes. */
clipc_status clipc_model_require(const clipc_model *model, unsigned tower, const char *what,
                                 clipc_error *error);

#endif
