/* SPDX-License-Identifier: MIT */
/*
 * Which of these words fits this picture? A complete program on top of libclipc:
 *
 *     classify boat.png boat apple "hot air balloon"
 *
 * The model is the one that $CLIPC_MODEL names (a file, a folder, a name such as ViT-B/32 that
 * `clipc pull` fetched), else the small one inside the library. Build it with
 *
 *     cc classify.c -o classify $(pkg-config --cflags --libs clipc)
 */
#include <clipc.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Each label is put where {} stands; a class is the mean of what its two sentences give. */
static const char *const templates[] = {"a drawing of a {}", "a photo of a {}"};
#define TEMPLATE_COUNT (sizeof(templates) / sizeof(templates[0]))

/* What the program holds; everything NULL at first, so that it can be closed at any point. */
typedef struct program {
    clipc_model *model;     /* immutable: many threads could share it */
    clipc_session *session; /* scratch memory: one for each thread */
    float *picture;         /* [embed_dim] */
    float *classes;         /* [labels][embed_dim] */
    float *scores;          /* [labels] */
} program;

static void close_program(program *p)
{
    free(p->scores);
    free(p->classes);
    free(p->picture);
    clipc_session_close(p->session); /* before the model that it uses */
    clipc_model_close(p->model);
}

/* Opens the model and makes room for the numbers of a picture and n labels. */
static clipc_status open_program(program *p, size_t n, clipc_error *error)
{
    clipc_model_info info;
    clipc_status status = clipc_model_open(&p->model, getenv("CLIPC_MODEL"), NULL, error);

    if (!status)
        status = clipc_session_open(&p->session, p->model, NULL, error);
    if (status)
        return status;
    clipc_model_get_info(p->model, &info);
    p->picture = calloc(info.embed_dim, sizeof(*p->picture));
    p->scores = calloc(n, sizeof(*p->scores));
    if (n <= SIZE_MAX / info.embed_dim)
        p->classes = calloc(n * info.embed_dim, sizeof(*p->classes));
    if (!p->picture || !p->scores || !p->classes) {
        error->code = CLIPC_ERROR_MEMORY;
        snprintf(error->message, sizeof(error->message), "not enough memory");
        return error->code;
    }
    return CLIPC_OK;
}

/* p->scores becomes the probability of each label. */
static clipc_status classify(program *p, const char *path, const char *const *labels, size_t n,
                             clipc_error *error)
{
    clipc_status status;

    /* A picture and a text come out as vectors of the same space ... */
    status = clipc_encode_image_files(p->session, &path, 1, NULL, p->picture, NULL, error);
    if (!status)
        status = clipc_encode_classes(p->session, labels, n, templates, TEMPLATE_COUNT, 0,
                                      p->classes, error);
    /* ... where the angle between them tells how well they fit. The logits are its cosines times
     * the scale that the model learned, one row for each picture. */
    if (!status)
        status = clipc_logits(p->model, p->picture, 1, p->classes, n, p->scores, error);
    if (!status)
        clipc_softmax(p->scores, 1, n, p->scores);
    return status;
}

int main(int argc, char **argv)
{
    program p = {0};
    clipc_error error = {0};
    clipc_status status;
    const char *const *labels = (const char *const *)argv + 2;
    size_t n;

    if (argc < 3) {
        fprintf(stderr, "usage: classify PICTURE LABEL...\n");
        return 2;
    }
    n = (size_t)argc - 2;
    status = open_program(&p, n, &error);
    if (!status)
        status = classify(&p, argv[1], labels, n, &error);
    if (status)
        fprintf(stderr, "classify: %s\n", error.message);
    else
        for (size_t i = 0; i < n; i++)
            printf("%5.1f %%  %s\n", 100.0 * (double)p.scores[i], labels[i]);
    close_program(&p);
    /* Output that could not be written is a failure as well. */
    return status || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
