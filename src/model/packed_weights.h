/* SPDX-License-Identifier: MIT */
/*
 * The parameters of a model and .clipc files: data that stay in the file where they fit, are packed
 * anew where they do not; and their way into a file.
 */
#ifndef CLIPC_MODEL_PACKED_WEIGHTS_H
#define CLIPC_MODEL_PACKED_WEIGHTS_H

#include "base/threads.h"
#include "checkpoint/packed.h"
#include "compute/parameters.h"

/*
 * Checks that a .clipc file holds every declared parameter, in the form, dtype and size due to it,
 * and nothing else. The data are not touched.
 */
clipc_status clipc_packed_weights_check(clipc_parameters *parameters,
                                        const clipc_checkpoint *checkpoint, clipc_error *error);

/* Whether all matrices of parameters, which have been checked, can be used where they lie. */
bool clipc_packed_weights_fit(const clipc_parameters *parameters,
                              const clipc_checkpoint *checkpoint);

/*
 * Gives the parameters, which have been checked, their data: in the file, which then has to outlive
 * them, or packed anew (after comparing with their checksum) where the panels do not fit. On
 * failure the caller frees parameters as usual.
 */
clipc_status clipc_packed_weights_load(clipc_parameters *parameters,
                                       const clipc_checkpoint *checkpoint, clipc_threads *threads,
                                       clipc_error *error);

/* Reads all data and compares them with their checksums. */
clipc_status clipc_packed_weights_verify(const clipc_checkpoint *checkpoint, clipc_error *error);

/*
 * Writes loaded parameters to a file. header: with its texts, sizes and dtype; the rest is filled
 * in. Matrices that are not packed as the level wants them are packed anew first, and then are of
 * no use for computing.
 */
clipc_status clipc_packed_weights_save(clipc_parameters *parameters, const clipc_kernels *level,
                                       clipc_packed_header *header, const char *path,
                                       clipc_packed_progress_fn progress, void *progress_data,
                                       clipc_error *error);

#endif
