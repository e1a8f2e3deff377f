/* SPDX-License-Identifier: MIT */
/* Tensor names in the three layouts: there and back, and pieces that do not fit together. */
#include "checkpoint_builder.h"

#include "checkpoint/layouts.h"

static void test_there_and_back(void **state)
{
    static const struct {
        const char *openai, *huggingface;
        unsigned pieces;
        bool is_transposed;
    } names[] = {
        {"logit_scale", "logit_scale", 1, false},
        {"visual.proj", "visual_projection.weight", 1, true},
        {"text_projection", "text_projection.weight", 1, true},
        {"positional_embedding", "text_model.embeddings.position_embedding.weight", 1, false},
        {"visual.ln_pre.bias", "vision_model.pre_layrnorm.bias", 1, false},
        {"ln_final.weight", "text_model.final_layer_norm.weight", 1, false},
        {"transformer.resblocks.11.attn.in_proj_bias",
         "text_model.encoder.layers.11.self_attn.k_proj.bias", 3, false},
        {"visual.transformer.resblocks.0.mlp.c_proj.weight",
         "vision_model.encoder.layers.0.mlp.fc2.weight", 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        clipc_mapped_name mapped;

        assert_true(clipc_layout_to_huggingface(names[i].openai, 1, &mapped));
        assert_string_equal(mapped.name, names[i].huggingface);
        assert_int_equal(mapped.pieces, names[i].pieces);
        assert_int_equal(mapped.is_transposed, names[i].is_transposed);
        assert_true(clipc_layout_map(CLIPC_CHECKPOINT_HUGGINGFACE, names[i].huggingface, &mapped));
        assert_string_equal(mapped.name, names[i].openai);
        assert_int_equal(mapped.pieces, names[i].pieces);
        assert_int_equal(mapped.piece, names[i].pieces == 3 ? 1 : 0);
        assert_int_equal(mapped.is_transposed, names[i].is_transposed);
    }
}

static void test_unmapped(void **state)
{
    static const char *const kept[] = {
        "visual.layer1.0.conv1.weight",
        "vision_model.encoder.layers..mlp.fc1.weight",
        "vision_model.encoder.layers.0.self_attn.x_proj.weight",
        "vision_model.encoder.layers.0.mlp.fc1.gain",
        "vision_model.encoder.layers.0.mlp.fc1.weight.more",
        "logit_scale2",
        "",
    };
    clipc_mapped_name mapped;
    char longest[400];

    (void)state;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        assert_true(clipc_layout_map(CLIPC_CHECKPOINT_HUGGINGFACE, kept[i], &mapped));
        assert_string_equal(mapped.name, kept[i]);
        assert_false(mapped.is_dropped);
    }
    assert_false(clipc_layout_to_huggingface("visual.layer1.0.conv1.weight", 0, &mapped));
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_false(clipc_layout_map(CLIPC_CHECKPOINT_OPENAI, longest, &mapped));
    assert_false(clipc_layout_to_huggingface(longest, 0, &mapped));
    /* A number that makes the other side's name too long. */
    memset(longest, '1', sizeof(longest) - 1);
    memcpy(longest, "transformer.resblocks.", 22);
    memcpy(longest + 230, ".attn.out_proj.bias", sizeof(".attn.out_proj.bias"));
    assert_false(clipc_layout_to_huggingface(longest, 0, &mapped));
}

static void test_dropped(void **state)
{
    static const char *const names[] = {
        "input_resolution",
        "context_length",
        "vocab_size",
        "attn_mask",
        "transformer.resblocks.3.attn_mask",
        "visual.bn1.num_batches_tracked",
        "text_model.embeddings.position_ids",
        "vision_model.embeddings.position_ids",
    };
    clipc_mapped_name mapped;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(clipc_layout_map(CLIPC_CHECKPOINT_HUGGINGFACE, names[i], &mapped));
        assert_true(mapped.is_dropped);
    }
}

static void test_detection(void **state)
{
    clipc_checkpoint_layout layout = CLIPC_CHECKPOINT_OPENAI;
    clipc_mapped_name mapped;

    (void)state;
    assert_false(clipc_layout_detect("visual.conv1.weight", &layout));
    assert_false(clipc_layout_detect("text_projection", &layout));
    assert_true(clipc_layout_detect("text.transformer.resblocks.0.ln_1.bias", &layout));
    assert_int_equal(layout, CLIPC_CHECKPOINT_OPEN_CLIP_CUSTOM);
    assert_true(clipc_layout_map(layout, "text.ln_final.bias", &mapped));
    assert_string_equal(mapped.name, "ln_final.bias");
    assert_true(clipc_layout_map(layout, "visual.proj", &mapped));
    assert_string_equal(mapped.name, "visual.proj");
    assert_true(clipc_layout_detect("vision_model.post_layernorm.bias", &layout));
    assert_int_equal(layout, CLIPC_CHECKPOINT_HUGGINGFACE);
    assert_string_equal(clipc_layout_strip("module._orig_mod.module.logit_scale"), "logit_scale");
    assert_string_equal(clipc_layout_strip("modules.logit_scale"), "modules.logit_scale");
}

/* --- q, k and v --- */

#define PIECE(letter, shape, begin, end)                                                           \
    "\"text_model.encoder.layers.0.self_attn." letter                                              \
    "_proj.weight\":{\"dtype\":\"U8\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static clipc_byte_buffer make_file(const char *header, const char *data)
{
    clipc_byte_buffer file = {0};

    clipc_buffer_append_uint(&file, strlen(header), 8);
    clipc_buffer_append_text(&file, header);
    clipc_buffer_append_text(&file, data);
    assert_false(file.failed);
    return file;
}

static void test_pieces(void **state)
{
    static const float expected[] = {'q', 'Q', 'k', 'K', 'v', 'V'};
    clipc_byte_buffer file =
        make_file("{" PIECE("v", "[1,2]", "4", "6") "," PIECE("q", "[1,2]", "0", "2") "," PIECE(
                      "k", "[1,2]", "2", "4") "}",
                  "qQkKvV");
    clipc_checkpoint *checkpoint = open_bytes(file.bytes, file.size);

    (void)state;
    assert_int_equal(clipc_checkpoint_count(checkpoint), 1);
    assert_int_equal(clipc_checkpoint_at(checkpoint, 0)->shape[0], 3);
    assert_values(checkpoint, "transformer.resblocks.0.attn.in_proj_weight", expected, 6);
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&file);
}

static void test_bad_pieces(void **state)
{
    static const struct {
        const char *header, *text;
    } cases[] = {
        {"{" PIECE("q", "[3]", "0", "3") "," PIECE("v", "[3]", "3", "6") "}",
         "self_attn.q_proj.weight is there, but not the others of q, k and v"},
        {"{" PIECE("q", "[2]", "0", "2") "," PIECE("k", "[1]", "2", "3") "," PIECE("v", "[3]", "3",
                                                                                   "6") "}",
         "differ in type or shape, but belong together"},
        {"{" PIECE("q", "[3]", "0", "3") "," PIECE("q", "[3]", "3", "6") "}", "is there twice"},
        {"{" PIECE("q", "[]", "0", "1") "," PIECE("k", "[5]", "1", "6") "}", "has no extents"},
        {"{\"vision_model.a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
         "\"visual_projection.weight\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[0,6]}}",
         "visual_projection.weight has 1 extents, 2 were expected"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        clipc_byte_buffer file = make_file(cases[i].header, "qQkKvV");

        assert_refused(file.bytes, file.size, CLIPC_ERROR_FORMAT, cases[i].text);
        clipc_buffer_free(&file);
    }
}

/* --- Rows where they lie --- */

/* q, k, v of two rows of two, and a projection that is transposed, in `dtype` of `size` bytes. */
static clipc_checkpoint *open_floats(clipc_byte_buffer *file, const char *dtype, size_t size,
                                     size_t padding)
{
    static const char *const pieces[] = {
        "text_model.encoder.layers.0.self_attn.q_proj.weight",
        "text_model.encoder.layers.0.self_attn.k_proj.weight",
        "text_model.encoder.layers.0.self_attn.v_proj.weight",
        "visual_projection.weight",
    };
    char header[1024];
    size_t used = 0;

    for (size_t i = 0; i < 4; i++)
        used += (size_t)snprintf(header + used, sizeof(header) - used,
                                 "%c\"%s\":{\"dtype\":\"%s\",\"shape\":[2,2],"
                                 "\"data_offsets\":[%zu,%zu]}",
                                 i ? ',' : '{', pieces[i], dtype, 4 * size * i, 4 * size * (i + 1));
    used += (size_t)snprintf(header + used, sizeof(header) - used, "}");
    while (used % 8 != padding)
        header[used++] = ' ';
    header[used] = '\0';
    *file = make_file(header, "");
    for (uint32_t i = 0; i < 16; i++) /* 1, -1, ...: finite in either type */
        clipc_buffer_append_uint(file, (i % 2 ? 0xBFu : 0x3Fu) << 8 * (size - 1), (unsigned)size);
    return open_bytes(file->bytes, file->size);
}

static void test_views(void **state)
{
    clipc_byte_buffer file;
    clipc_checkpoint *checkpoint = open_floats(&file, "F32", 4, 0);
    const clipc_checkpoint_tensor *joined =
        clipc_checkpoint_find(checkpoint, "transformer.resblocks.0.attn.in_proj_weight");
    const clipc_checkpoint_tensor *transposed = clipc_checkpoint_find(checkpoint, "visual.proj");

    (void)state;
    assert_non_null(joined);
    for (uint64_t first = 0; first < 6; first++)
        for (uint64_t rows = 1; first + rows <= 6; rows++) {
            const bool is_inside = first / 2 == (first + rows - 1) / 2; /* of one piece */
            const float *view = clipc_checkpoint_view(checkpoint, joined, first, rows);
            float read[12];

            clipc_checkpoint_read(checkpoint, joined, first, rows, read);
            assert_int_equal(view != NULL, is_inside);
            if (view)
                assert_memory_equal(view, read, rows * 2 * sizeof(*view));
        }
    assert_null(clipc_checkpoint_view(checkpoint, joined, 0, 0));
    assert_non_null(transposed);
    assert_null(clipc_checkpoint_view(checkpoint, transposed, 0, 2));
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&file);

    checkpoint = open_floats(&file, "F32", 4, 1); /* not aligned */
    joined = clipc_checkpoint_find(checkpoint, "transformer.resblocks.0.attn.in_proj_weight");
    assert_null(clipc_checkpoint_view(checkpoint, joined, 0, 1));
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&file);

    checkpoint = open_floats(&file, "F16", 2, 0);
    joined = clipc_checkpoint_find(checkpoint, "transformer.resblocks.0.attn.in_proj_weight");
    assert_null(clipc_checkpoint_view(checkpoint, joined, 0, 1));
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_unmapped),
        cmocka_unit_test(test_dropped),        cmocka_unit_test(test_detection),
        cmocka_unit_test(test_pieces),         cmocka_unit_test(test_bad_pieces),
        cmocka_unit_test(test_views),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
