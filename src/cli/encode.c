/* SPDX-License-Identifier: MIT */
/* Batches for the encoders, with each bad input reported by name. */
#include "cli/encode.h"

#include "cli/command.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_directory(const char *path)
{
    struct stat status;

    return !stat(path, &status) && S_ISDIR(status.st_mode);
}

int clipc_cli_encode_images(clipc_cli_encoder *encoder, const char *const *paths, size_t n,
                            float *out, bool *good)
{
    clipc_error errors[CLIPC_CLI_IMAGE_BATCH], error;
    clipc_status status;
    size_t bad = 0;

    memset(errors, 0, sizeof(errors));
    status = clipc_encode_image_files(encoder->session, paths, n, &encoder->image_options, out,
                                      errors, &error);
    for (size_t i = 0; i < n; i++) {
        good[i] = !errors[i].code;
        if (good[i])
            continue;
        bad++;
        clipc_cli_progress_clear(encoder->progress);
        if (is_directory(paths[i]))
            clipc_cli_error("%s: is a directory, a picture was expected", paths[i]);
        else
            clipc_cli_report(&errors[i]);
    }
    if (status && !bad) {
        clipc_cli_progress_clear(encoder->progress);
        clipc_cli_report(&error);
        return CLIPC_CLI_FAILED;
    }
    return bad ? CLIPC_CLI_INPUT : CLIPC_CLI_DONE;
}

/* Tokenizes what is good of texts into consecutive rows of ids; returns how many that are. */
static size_t tokenize(clipc_cli_encoder *encoder, const clipc_cli_text *texts, size_t n,
                       int32_t *ids, bool *good)
{
    size_t context = encoder->info.context_length;
    size_t done = 0;

    for (size_t i = 0; i < n; i++) {
        clipc_error error;
        char name[256];

        good[i] =
            !clipc_tokenize_bytes(encoder->model, texts[i].bytes, texts[i].size,
                                  ids + done * context, context, encoder->text_flags, NULL, &error);
        if (good[i]) {
            done++;
            continue;
        }
        clipc_cli_progress_clear(encoder->progress);
        clipc_cli_text_name(&texts[i], name, sizeof(name));
        clipc_cli_error("%s: %s", name, error.message);
    }
    return done;
}

/* Moves the first rows of out to where good says, the last row first; the others become zeros. */
static void spread_rows(float *out, size_t n, size_t width, const bool *good, size_t done)
{
    for (size_t i = n; i-- > 0;) {
        if (!good[i])
            memset(out + i * width, 0, width * sizeof(*out));
        else if (--done != i)
            memcpy(out + i * width, out + done * width, width * sizeof(*out));
    }
}

int clipc_cli_encode_texts(clipc_cli_encoder *encoder, const clipc_cli_text *texts, size_t n,
                           float *out, bool *good)
{
    int32_t *ids = calloc(n, encoder->info.context_length * sizeof(*ids));
    clipc_status status;
    clipc_error error;
    size_t done;

    if (!ids)
        return clipc_cli_out_of_memory();
    done = tokenize(encoder, texts, n, ids, good);
    status = clipc_encode_tokens(encoder->session, ids, done, out, &error);
    free(ids);
    if (status) {
        clipc_cli_progress_clear(encoder->progress);
        clipc_cli_report(&error);
        return CLIPC_CLI_FAILED;
    }
    spread_rows(out, n, encoder->info.embed_dim, good, done);
    return done < n ? CLIPC_CLI_INPUT : CLIPC_CLI_DONE;
}
