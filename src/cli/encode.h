/* SPDX-License-Identifier: MIT */
/*
 * Encoding a batch of which some may be bad, as embed and classify need it: what fails is reported
 * and leaves a row of zeros, the rest is done.
 */
#ifndef CLIPC_CLI_ENCODE_H
#define CLIPC_CLI_ENCODE_H

#include "cli/lines.h"
#include "cli/progress.h"

#include <clipc.h>
#include <stdbool.h>

enum {
    CLIPC_CLI_IMAGE_BATCH = 32,
    CLIPC_CLI_TEXT_BATCH = 64,
};

/* What encoding takes besides its input. */
typedef struct clipc_cli_encoder {
    const clipc_model *model;
    clipc_session *session;
    clipc_model_info info;
    clipc_image_options image_options;
    unsigned text_flags;          /* CLIPC_TOKENIZE_* */
    clipc_cli_progress *progress; /* taken off the screen before an error line */
} clipc_cli_encoder;

/*
 * out: [n][embed_dim], good: [n] tells which rows are done; n up to the batch size above. Returns
 * CLIPC_CLI_DONE, CLIPC_CLI_INPUT when some failed, CLIPC_CLI_FAILED when nothing can go on.
 */
int clipc_cli_encode_images(clipc_cli_encoder *encoder, const char *const *paths, size_t n,
                            float *out, bool *good);
int clipc_cli_encode_texts(clipc_cli_encoder *encoder, const clipc_cli_text *texts, size_t n,
                           float *out, bool *good);

#endif
