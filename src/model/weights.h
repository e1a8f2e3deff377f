/* SPDX-License-Identifier: MIT */
/* Checkpoint tensors -> the parameters' data, in the form that the kernels want. */
#ifndef CLIPC_MODEL_WEIGHTS_H
#define CLIPC_MODEL_WEIGHTS_H

#include "base/threads.h"
#include "checkpoint/checkpoint.h"
#include "compute/parameters.h"

/*
 * Loads every declared parameter that is not left out: checks that all are there with their shapes
 * and that the checkpoint holds nothing else, converts, packs, folds batch norms into the
 * convolutions before them (whose biases then stand in the batch norms' own). Values must be
 * finite. On failure the caller frees parameters as usual.
 */
clipc_status clipc_weights_load(clipc_parameters *parameters, const clipc_checkpoint *checkpoint,
                                clipc_threads *threads, clipc_error *error);

/* The same checks of names and shapes, without loading. */
clipc_status clipc_weights_check(clipc_parameters *parameters, const clipc_checkpoint *checkpoint,
                                 clipc_error *error);

#endif
