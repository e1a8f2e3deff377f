/* SPDX-License-Identifier: MIT */
/*
 * Miniatures of every kind of CLIP against what the PyTorch reference computes from the same files
 * (make_models.py): the features of every stage, embeddings, logits and probabilities; and the same
 * bits in every division of the work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checkpoint/checkpoint.h"
#include "model/session.h"

#include <clipc.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_DIFFERENCE 1e-4 /* of a feature, relative to the reference's largest value */
#define LEAST_COSINE 0.999999
#define LARGEST_LOGIT_DIFFERENCE 1e-3

static const char *const names[] = {"vit_quickgelu", "vit_gelu", "vit_huggingface", "resnet_openai",
                                    "resnet_open_clip"};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

/* --- What the reference computed --- */

/* A model with its inputs and the reference's results. */
typedef struct miniature {
    const char *name;
    clipc_checkpoint *expected;
    clipc_model *model;
    clipc_model_info info;
    size_t pictures, texts;
    float *pixels; /* [pictures][3][S][S] */
    int32_t *ids;  /* [texts][context] */
} miniature;

static const clipc_checkpoint_tensor *find(const miniature *m, const char *name)
{
    const clipc_checkpoint_tensor *tensor = clipc_checkpoint_find(m->expected, name);

    if (!tensor)
        fail_msg("%s: the reference has no %s", m->name, name);
    return tensor;
}

static size_t count(const clipc_checkpoint_tensor *tensor)
{
    size_t product = 1;

    for (uint32_t i = 0; i < tensor->rank; i++)
        product *= (size_t)tensor->shape[i];
    return product;
}

/* The reference's values of this name; free(). */
static float *expected_values(const miniature *m, const char *name)
{
    const clipc_checkpoint_tensor *tensor = find(m, name);
    float *values = malloc(count(tensor) * sizeof(*values));

    assert_non_null(values);
    clipc_checkpoint_read(m->expected, tensor, 0, tensor->shape[0], values);
    return values;
}

/* The generator that make_models.py has too: from -2 to 2. */
static float *make_pixels(size_t values)
{
    float *pixels = malloc(values * sizeof(*pixels));
    uint64_t state = 7;

    assert_non_null(pixels);
    for (size_t i = 0; i < values; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        pixels[i] = (float)(state >> 40) / (float)(1 << 22) - 2.0f;
    }
    return pixels;
}

static void open_miniature_in(miniature *m, const char *name, clipc_dtype dtype)
{
    const clipc_checkpoint_options options = {.max_weight_bytes = 1 << 24};
    clipc_model_options model_options;
    clipc_error error;
    char path[1024];
    float *ids;

    *m = (miniature){.name = name};
    clipc_model_options_init(&model_options);
    model_options.dtype = dtype;
    snprintf(path, sizeof(path), "%s/models/%s.expected.safetensors", CLIPC_TEST_DATA, name);
    if (clipc_checkpoint_open(&m->expected, path, &options, &error) != CLIPC_OK)
        fail_msg("%s", error.message);
    snprintf(path, sizeof(path), "%s/models/%s", CLIPC_TEST_DATA, name);
    if (clipc_model_open(&m->model, path, &model_options, &error) != CLIPC_OK)
        fail_msg("%s", error.message);
    clipc_model_get_info(m->model, &m->info);
    m->pictures = (size_t)find(m, "image")->shape[0];
    m->texts = (size_t)find(m, "text")->shape[0];
    m->pixels = make_pixels(m->pictures * 3 * m->info.image_size * m->info.image_size);
    assert_int_equal(find(m, "ids")->shape[1], m->info.context_length);
    m->ids = malloc(m->texts * m->info.context_length * sizeof(*m->ids));
    assert_non_null(m->ids);
    ids = expected_values(m, "ids");
    for (size_t i = 0; i < m->texts * m->info.context_length; i++)
        m->ids[i] = (int32_t)ids[i];
    free(ids);
}

static void open_miniature(miniature *m, const char *name)
{
    open_miniature_in(m, name, CLIPC_DTYPE_F32);
}

static void close_miniature(miniature *m)
{
    clipc_checkpoint_close(m->expected);
    clipc_model_close(m->model);
    free(m->pixels);
    free(m->ids);
}

static clipc_session *open_session(const miniature *m, unsigned threads, size_t max_batch)
{
    clipc_session_options options;
    clipc_session *session;
    clipc_error error;

    clipc_session_options_init(&options);
    options.threads = threads;
    options.max_batch = max_batch;
    if (clipc_session_open(&session, m->model, &options, &error) != CLIPC_OK)
        fail_msg("%s", error.message);
    return session;
}

static float *encode_pixels(const miniature *m, clipc_session *session)
{
    float *out = malloc(m->pictures * m->info.embed_dim * sizeof(*out));
    clipc_error error;

    assert_non_null(out);
    if (clipc_encode_pixels(session, m->pixels, m->pictures, out, &error) != CLIPC_OK)
        fail_msg("%s", error.message);
    return out;
}

static float *encode_tokens(const miniature *m, clipc_session *session)
{
    float *out = malloc(m->texts * m->info.embed_dim * sizeof(*out));
    clipc_error error;

    assert_non_null(out);
    if (clipc_encode_tokens(session, m->ids, m->texts, out, &error) != CLIPC_OK)
        fail_msg("%s", error.message);
    return out;
}

/* --- Comparing --- */

/* Features of a stage: rows of `width` values. */
static void compare_features(const miniature *m, const char *name, const float *got,
                             const float *wanted, size_t values, size_t width)
{
    double largest = 0.0, difference = 0.0;

    for (size_t i = 0; i < values; i++) {
        largest = fmax(largest, fabs((double)wanted[i]));
        if (!(fabs((double)got[i] - (double)wanted[i]) <= difference)) /* true for NaN */
            difference = fabs((double)got[i] - (double)wanted[i]);
    }
    if (!(difference <= LARGEST_DIFFERENCE * largest))
        fail_msg("%s: %s differs by %g, its largest value is %g", m->name, name, difference,
                 largest);
    for (size_t row = 0; row < values; row += width) {
        double dot = 0.0, a = 0.0, b = 0.0;

        for (size_t i = row; i < row + width; i++) {
            dot += (double)got[i] * (double)wanted[i];
            a += (double)got[i] * (double)got[i];
            b += (double)wanted[i] * (double)wanted[i];
        }
        if (a + b > 0.0 && !(dot / sqrt(a * b) > LEAST_COSINE)) /* a place of zeros has no angle */
            fail_msg("%s: row %zu of %s has cosine %.9f", m->name, row / width, name,
                     dot / sqrt(a * b));
    }
}

/* What an observer of pictures, or of one text, has seen. */
typedef struct observation {
    const miniature *m;
    bool is_text;
    size_t first, end; /* the text's first row among all texts' tokens, its end token's place */
    size_t index;      /* the text's */
    size_t stages;
    bool last_block; /* of which one is a Transformer's last, computed where it is read */
} observation;

/* The place of a text's end token: the first of the largest id. */
static size_t end_of(const int32_t *ids, size_t context)
{
    size_t end = 0;

    for (size_t i = 1; i < context; i++)
        if (ids[i] > ids[end])
            end = i;
    return end;
}

/* Which of the reference's `all` rows belongs to row `row` of `rows` that were observed. */
static size_t reference_row(const observation *seen, size_t all, size_t rows, size_t row)
{
    if (!seen->is_text)
        return rows == all ? row : row * (all / rows); /* all, or the class tokens */
    if (all == seen->m->texts)
        return seen->index;
    return seen->first + (rows == 1 ? seen->end : row);
}

static void compare_stage(void *data, const char *name, const clipc_shape *shape,
                          const float *values)
{
    observation *seen = data;
    const clipc_checkpoint_tensor *tensor = find(seen->m, name);
    const size_t rows = shape->extent[0], all = (size_t)tensor->shape[0];
    const size_t width = clipc_shape_count(shape) / rows;
    float *reference = expected_values(seen->m, name);
    float *wanted = malloc(rows * width * sizeof(*wanted));

    assert_non_null(wanted);
    assert_int_equal(tensor->rank, shape->rank);
    for (size_t i = 1; i < shape->rank; i++)
        assert_int_equal(tensor->shape[i], shape->extent[i]);
    for (size_t i = 0; i < rows; i++) {
        const size_t row = reference_row(seen, all, rows, i);

        assert_true(row < all);
        memcpy(wanted + i * width, reference + row * width, width * sizeof(*wanted));
    }
    compare_features(seen->m, name, values, wanted, rows * width, shape->extent[shape->rank - 1]);
    free(reference);
    free(wanted);
    seen->stages++;
    if (strstr(name, "resblocks"))
        seen->last_block = rows < (seen->is_text ? seen->end + 1 : all);
}

/* The stages among the reference's results: all but inputs and ends. */
static size_t count_stages(const miniature *m)
{
    static const char *const others[] = {"ids", "image", "text", "logits", "probs", "classes"};
    size_t stages = clipc_checkpoint_count(m->expected);

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        stages -= clipc_checkpoint_find(m->expected, others[i]) != NULL;
    return stages;
}

static void compare_named(const miniature *m, const char *name, const float *got, size_t width)
{
    float *wanted = expected_values(m, name);

    compare_features(m, name, got, wanted, count(find(m, name)), width);
    free(wanted);
}

/* Text by text: together, they would share the rows of what they begin with. */
static void check_text_stages(clipc_session *session, const miniature *m, size_t *stages)
{
    const size_t context = m->info.context_length;
    observation seen = {.m = m, .is_text = true};

    for (size_t i = 0; i < m->texts; i++, seen.first += seen.end + 1) {
        float *out = malloc(m->info.embed_dim * sizeof(*out));
        clipc_error error;

        seen.index = i;
        seen.end = end_of(m->ids + i * context, context);
        seen.stages = 0;
        clipc_session_observe(session, compare_stage, &seen);
        if (clipc_encode_tokens(session, m->ids + i * context, 1, out, &error) != CLIPC_OK)
            fail_msg("%s", error.message);
        assert_true(seen.last_block == (seen.end > 0));
        free(out);
    }
    clipc_session_observe(session, NULL, NULL);
    *stages = seen.stages;
}

static void check_stages(const char *name)
{
    miniature m;
    observation pictures = {.m = &m};
    clipc_session *session;
    size_t text_stages;
    float *image, *text;

    open_miniature(&m, name);
    session = open_session(&m, 2, 16);
    clipc_session_observe(session, compare_stage, &pictures);
    image = encode_pixels(&m, session);
    check_text_stages(session, &m, &text_stages);
    text = encode_tokens(&m, session);
    assert_true(pictures.last_block == (m.info.patch_size > 0));
    assert_int_equal(pictures.stages + text_stages, count_stages(&m));
    compare_named(&m, "image", image, m.info.embed_dim);
    compare_named(&m, "text", text, m.info.embed_dim);
    clipc_session_close(session);
    close_miniature(&m);
    free(image);
    free(text);
}

static void test_stages(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAME_COUNT; i++)
        check_stages(names[i]);
}

static void compare_scores(const miniature *m, const char *name, const float *got)
{
    float *wanted = expected_values(m, name);

    for (size_t i = 0; i < m->pictures * m->texts; i++)
        if (!(fabs((double)got[i] - (double)wanted[i]) < LARGEST_LOGIT_DIFFERENCE))
            fail_msg("%s: element %zu of %s is %.9g, %.9g was expected", m->name, i, name,
                     (double)got[i], (double)wanted[i]);
    free(wanted);
}

static void check_scores(const char *name)
{
    miniature m;
    clipc_session *session;
    float *image, *text, *scores;
    clipc_error error;

    open_miniature(&m, name);
    session = open_session(&m, 1, 0);
    image = encode_pixels(&m, session);
    text = encode_tokens(&m, session);
    scores = malloc(m.pictures * m.texts * sizeof(*scores));
    assert_non_null(scores);
    assert_int_equal(clipc_logits(m.model, image, m.pictures, text, m.texts, scores, &error),
                     CLIPC_OK);
    compare_scores(&m, "logits", scores);
    clipc_normalize(image, m.pictures, m.info.embed_dim); /* makes no difference */
    clipc_normalize(text, m.texts, m.info.embed_dim);
    assert_int_equal(clipc_logits(m.model, image, m.pictures, text, m.texts, scores, &error),
                     CLIPC_OK);
    compare_scores(&m, "logits", scores);
    clipc_softmax(scores, m.pictures, m.texts, scores);
    compare_scores(&m, "probs", scores);
    clipc_session_close(session);
    close_miniature(&m);
    free(image);
    free(text);
    free(scores);
}

static void test_scores(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAME_COUNT; i++)
        check_scores(names[i]);
}

/* --- The same bits however the work is divided --- */

static void check_divisions(const char *name)
{
    static const size_t batches[] = {1, 2, 3, 4, 5, 0};
    miniature m;
    float *first_image = NULL, *first_text = NULL;

    open_miniature(&m, name);
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
        for (unsigned threads = 1; threads <= 3; threads++) {
            clipc_session *session = open_session(&m, threads, batches[i]);
            float *image = encode_pixels(&m, session), *text = encode_tokens(&m, session);

            if (!first_image) {
                first_image = image;
                first_text = text;
            } else {
                assert_memory_equal(image, first_image,
                                    m.pictures * m.info.embed_dim * sizeof(*image));
                assert_memory_equal(text, first_text, m.texts * m.info.embed_dim * sizeof(*text));
                free(image);
                free(text);
            }
            clipc_session_close(session);
        }
    close_miniature(&m);
    free(first_image);
    free(first_text);
}

static void test_bits_do_not_depend_on_batches_or_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAME_COUNT; i++)
        check_divisions(names[i]);
}

/* A session may be given pictures in any numbers, one call after the other. */
/* The smallest cosine between rows of `got` and those of the reference. */
static double worst_cosine(const float *got, const float *wanted, size_t rows, size_t dim)
{
    double worst = 1.0;

    for (size_t i = 0; i < rows; i++) {
        double dot = 0.0, a = 0.0, b = 0.0;

        for (size_t j = i * dim; j < (i + 1) * dim; j++) {
            dot += (double)got[j] * (double)wanted[j];
            a += (double)got[j] * (double)got[j];
            b += (double)wanted[j] * (double)wanted[j];
        }
        worst = fmin(worst, dot / sqrt(a * b));
    }
    return worst;
}

/*
 * Both towers in a reduced precision stay near the reference, but are not float32 under another
 * name. The miniatures are narrow, so rounding shows more than at full size (docs/precision.md),
 * most of all in convolutions of eight channels.
 */
static void check_precision(const char *name, clipc_dtype dtype, double bound_of_vit)
{
    const bool is_resnet = strncmp(name, "resnet", 6) == 0;
    const double bound[2] = {is_resnet ? 0.995 : bound_of_vit, bound_of_vit};
    miniature m;
    clipc_session *session;
    float *image, *text, *wanted_image, *wanted_text;
    double cosine[2];

    open_miniature_in(&m, name, dtype);
    session = open_session(&m, 2, 0);
    image = encode_pixels(&m, session);
    text = encode_tokens(&m, session);
    wanted_image = expected_values(&m, "image");
    wanted_text = expected_values(&m, "text");
    cosine[0] = worst_cosine(image, wanted_image, m.pictures, m.info.embed_dim);
    cosine[1] = worst_cosine(text, wanted_text, m.texts, m.info.embed_dim);
    for (size_t i = 0; i < 2; i++)
        if (!(cosine[i] > bound[i]) || cosine[i] > 1.0 - 1e-9)
            fail_msg("%s, dtype %d: the worst cosine of %s is %.9f, above %g was expected", name,
                     (int)dtype, i ? "texts" : "pictures", cosine[i], bound[i]);
    free(image);
    free(text);
    free(wanted_image);
    free(wanted_text);
    clipc_session_close(session);
    close_miniature(&m);
}

static void test_reduced_precision(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        check_precision(names[i], CLIPC_DTYPE_BF16, 0.9995);
        check_precision(names[i], CLIPC_DTYPE_INT8, 0.99);
    }
}

static void test_a_session_takes_calls_of_any_size(void **state)
{
    miniature m;
    clipc_session *session;
    float *together, row[64];
    size_t picture;

    (void)state;
    open_miniature(&m, "resnet_openai");
    session = open_session(&m, 2, 0);
    picture = (size_t)3 * m.info.image_size * m.info.image_size;
    together = encode_pixels(&m, session);
    assert_true(m.info.embed_dim <= 64);
    assert_int_equal(clipc_encode_pixels(session, m.pixels, 0, row, NULL), CLIPC_OK);
    for (size_t i = m.pictures; i-- > 0;) {
        assert_int_equal(clipc_encode_pixels(session, m.pixels + i * picture, 1, row, NULL),
                         CLIPC_OK);
        assert_memory_equal(row, together + i * m.info.embed_dim, m.info.embed_dim * sizeof(*row));
    }
    free(together);
    clipc_session_close(session);
    close_miniature(&m);
}

/* --- Classes --- */

static void test_classes_with_templates(void **state)
{
    static const char *const labels[] = {"cat", "ox", "the owl"};
    static const char *const templates[] = {"a {}.", "{}", "{}, {}!"};
    float classes[3 * 17], alone[3 * 17], text[17];
    miniature m;
    clipc_session *session;
    clipc_error error;

    (void)state;
    open_miniature(&m, "vit_gelu");
    assert_int_equal(m.info.embed_dim, 17);
    session = open_session(&m, 2, 0);
    if (clipc_encode_classes(session, labels, 3, templates, 3, 0, classes, &error) != CLIPC_OK)
        fail_msg("%s", error.message);
    compare_named(&m, "classes", classes, 17);
    /* without templates: the label's own embedding, normalised */
    assert_int_equal(clipc_encode_classes(session, labels, 3, NULL, 0, 0, alone, &error), CLIPC_OK);
    assert_int_equal(clipc_encode_texts(session, labels + 2, 1, 0, text, &error), CLIPC_OK);
    clipc_normalize(text, 1, 17);
    for (size_t j = 0; j < 17; j++)
        assert_true(fabsf(alone[2 * 17 + j] - text[j]) < 1e-6f);
    assert_int_equal(clipc_encode_classes(session, NULL, 0, NULL, 0, 0, NULL, &error), CLIPC_OK);
    clipc_session_close(session);
    close_miniature(&m);
}

/* A label that does not fit leaves what the caller has as it was. */
static void test_classes_that_fail_write_nothing(void **state)
{
    static const char *const labels[] = {"cat", "a label far too long for twenty tokens of it"};
    float classes[2 * 17];
    miniature m;
    clipc_session *session;
    clipc_error error;

    (void)state;
    open_miniature(&m, "vit_gelu");
    session = open_session(&m, 1, 0);
    classes[0] = 5.0f;
    assert_int_equal(clipc_encode_classes(session, labels, 2, NULL, 0, 0, classes, &error),
                     CLIPC_ERROR_TOO_LONG);
    assert_true(classes[0] == 5.0f);
    clipc_session_close(session);
    close_miniature(&m);
}

/* --- Mistakes --- */

static void test_ids_outside_the_vocabulary_are_refused(void **state)
{
    miniature m;
    clipc_session *session;
    clipc_error error;
    float out[6 * 20];

    (void)state;
    open_miniature(&m, "vit_quickgelu");
    session = open_session(&m, 1, 0);
    m.ids[m.info.context_length + 3] = (int32_t)m.info.vocab_size;
    assert_int_equal(clipc_encode_tokens(session, m.ids, m.texts, out, &error),
                     CLIPC_ERROR_ARGUMENT);
    assert_string_equal(error.message,
                        "tokens: id 514 at position 3 of text 1, 0 to 513 was expected");
    m.ids[m.info.context_length + 3] = -1;
    assert_int_equal(clipc_encode_tokens(session, m.ids, m.texts, out, NULL), CLIPC_ERROR_ARGUMENT);
    clipc_session_close(session);
    close_miniature(&m);
}

static void test_the_activation_can_be_overridden(void **state)
{
    clipc_model_options options;
    miniature m;
    clipc_model *other;
    clipc_session *session;
    clipc_error error;
    float *wanted, *got;
    char path[1024];

    (void)state;
    open_miniature(&m, "vit_quickgelu");
    clipc_model_options_init(&options);
    options.activation = CLIPC_ACTIVATION_GELU;
    snprintf(path, sizeof(path), "%s/models/%s", CLIPC_TEST_DATA, m.name);
    if (clipc_model_open(&other, path, &options, &error) != CLIPC_OK)
        fail_msg("%s", error.message);
    clipc_model_close(m.model);
    m.model = other;
    session = open_session(&m, 1, 0);
    got = encode_pixels(&m, session);
    wanted = expected_values(&m, "image");
    assert_true(fabsf(got[0] - wanted[0]) > 1e-4f);
    free(got);
    free(wanted);
    clipc_session_close(session);
    close_miniature(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_bits_do_not_depend_on_batches_or_threads),
        cmocka_unit_test(test_reduced_precision),
        cmocka_unit_test(test_a_session_takes_calls_of_any_size),
        cmocka_unit_test(test_classes_with_templates),
        cmocka_unit_test(test_classes_that_fail_write_nothing),
        cmocka_unit_test(test_ids_outside_the_vocabulary_are_refused),
        cmocka_unit_test(test_the_activation_can_be_overridden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
