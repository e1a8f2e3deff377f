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
    uint64_t parameter_count; /* without statistics */
    const clipc_kernels *kernels;
    clipc_tokenizer *tokenizer;
    char format[32], layout[32]; /* as in clipc_model_info */
};

#endif
