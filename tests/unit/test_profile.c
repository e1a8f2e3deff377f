/* SPDX-License-Identifier: MIT */
/* Profiles of a session: every op is seen once, in order, and nothing else changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <clipc.h>
#include <stdlib.h>
#include <string.h>

/* What a profile has seen. */
typedef struct seen {
    size_t ops, products;
    double seconds, flops, bytes;
    char first[32], last[32];
} seen;

static void note(void *data, const clipc_profile_op *op)
{
    seen *all = data;

    assert_true(op->rank >= 1 && op->rank <= 4);
    for (size_t i = 0; i < op->rank; i++)
        assert_true(op->shape[i] > 0);
    assert_true(op->seconds >= 0.0);
    assert_true(op->flops >= 0.0);
    assert_true(op->bytes > 0.0);
    if (all->ops++ == 0)
        strncpy(all->first, op->op, sizeof(all->first) - 1);
    memset(all->last, 0, sizeof(all->last));
    strncpy(all->last, op->op, sizeof(all->last) - 1);
    all->products += op->depth > 0;
    all->seconds += op->seconds;
    all->flops += op->flops;
    all->bytes += op->bytes;
}

static clipc_model *model;
static clipc_session *session;
static clipc_model_info info;

static int open_session(void **state)
{
    clipc_session_options options;

    (void)state;
    clipc_session_options_init(&options);
    options.threads = 2;
    if (clipc_model_open(&model, "tiny", NULL, NULL) ||
        clipc_session_open(&session, model, &options, NULL))
        return -1;
    clipc_model_get_info(model, &info);
    return 0;
}

static int close_session(void **state)
{
    (void)state;
    clipc_session_close(session);
    clipc_model_close(model);
    return 0;
}

/*
 * The products of a Vision Transformer of which one row a picture is read. In each block: queries,
 * keys and values 3, output 1, MLP 8 (of width squared), and two products with each key.
 */
static double vit_product_flops(void)
{
    const double width = info.vision_width, patch = info.patch_size;
    const double squares =
        (double)(info.image_size / info.patch_size) * (double)(info.image_size / info.patch_size);
    const double rows = squares + 1.0, layers = info.vision_layers[0];

    return 2.0 * (squares * 3.0 * patch * patch * width + layers * rows * 3.0 * width * width +
                  ((layers - 1.0) * rows + 1.0) * (9.0 * width * width + 2.0 * rows * width) +
                  width * info.embed_dim);
}

static void test_pictures(void **state)
{
    const size_t floats = (size_t)3 * info.image_size * info.image_size;
    float *pixels = calloc(2 * floats, sizeof(*pixels));
    float plain[2 * CLIPC_MAX_EMBED_DIM], profiled[2 * CLIPC_MAX_EMBED_DIM];
    const size_t out_bytes = 2 * info.embed_dim * sizeof(float);
    seen one = {0}, two = {0};

    (void)state;
    assert_non_null(pixels);
    for (size_t i = 0; i < 2 * floats; i++)
        pixels[i] = (float)(i % 13) / 13.0f;
    assert_int_equal(clipc_encode_pixels(session, pixels, 2, plain, NULL), CLIPC_OK);

    clipc_session_profile(session, note, &two);
    assert_int_equal(clipc_encode_pixels(session, pixels, 2, profiled, NULL), CLIPC_OK);
    assert_memory_equal(plain, profiled, out_bytes);
    clipc_session_profile(session, note, &one);
    assert_int_equal(clipc_encode_pixels(session, pixels, 1, profiled, NULL), CLIPC_OK);
    clipc_session_profile(session, NULL, NULL);
    assert_int_equal(clipc_encode_pixels(session, pixels, 1, profiled, NULL), CLIPC_OK);

    /* patches; two norms, four linear layers and attention a block; rows picked twice; two norms */
    assert_int_equal(one.ops, 1 + 7 * info.vision_layers[0] + 2 + 2 + 1);
    assert_int_equal(one.products, 1 + 4 * info.vision_layers[0] + 1);
    assert_int_equal(two.ops, one.ops);
    assert_string_equal(one.first, "patch_embed");
    assert_string_equal(one.last, "linear");
    assert_true(one.seconds > 0.0);
    /* norms and positions add some operations, not many */
    assert_true(one.flops > vit_product_flops());
    assert_true(one.flops < 1.02 * vit_product_flops());
    assert_true(two.flops == 2.0 * one.flops);
    /* the weights are read once for both */
    assert_true(two.bytes > one.bytes && two.bytes < 2.0 * one.bytes);
    free(pixels);
}

/* Texts that begin alike cost less together; how much less is seen in the profile. */
static void test_texts(void **state)
{
    static const char *const texts[] = {"a photo of a red boat", "a photo of a red house"};
    float plain[2 * CLIPC_MAX_EMBED_DIM], profiled[2 * CLIPC_MAX_EMBED_DIM];
    seen alone = {0}, together = {0};

    (void)state;
    assert_int_equal(clipc_encode_texts(session, texts, 2, 0, plain, NULL), CLIPC_OK);
    clipc_session_profile(session, note, &together);
    assert_int_equal(clipc_encode_texts(session, texts, 2, 0, profiled, NULL), CLIPC_OK);
    assert_memory_equal(plain, profiled, 2 * info.embed_dim * sizeof(float));
    clipc_session_profile(session, note, &alone);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(clipc_encode_texts(session, texts + i, 1, 0, profiled, NULL), CLIPC_OK);
    clipc_session_profile(session, NULL, NULL);
    assert_string_equal(alone.first, "token_embed");
    assert_int_equal(alone.ops, 2 * together.ops);
    assert_true(together.flops < 0.8 * alone.flops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, open_session, close_session);
}
