/* SPDX-License-Identifier: MIT */
/*
 * Files that PyTorch, safetensors and transformers wrote (reference/make_checkpoints.py): whole,
 * cut at every byte, and with bits flipped.
 */
#include "checkpoint_builder.h"

#include "base/file_map.h"

#define FOLDER CLIPC_TEST_DATA "/checkpoints/"
enum { MOST_VALUES = 64 };

/* The script's formula: element i of a tensor whose file name has `length` letters. */
static float value_at(size_t i, size_t length)
{
    return ((float)((i + length) * 7 % 97) - 48.0f) / 4.0f;
}

static clipc_checkpoint *open_file(const char *name)
{
    clipc_checkpoint *checkpoint;
    clipc_error error;
    char path[512];

    snprintf(path, sizeof(path), FOLDER "%s", name);
    if (clipc_checkpoint_open(&checkpoint, path, &test_limits, &error))
        fail_msg("%s", error.message);
    return checkpoint;
}

static void assert_shape(const clipc_checkpoint *checkpoint, const char *name,
                         clipc_element element, uint32_t rank, const uint64_t *shape)
{
    const clipc_checkpoint_tensor *tensor = clipc_checkpoint_find(checkpoint, name);

    if (!tensor)
        fail_msg("%s is missing", name);
    assert_int_equal(tensor->element, element);
    assert_int_equal(tensor->rank, rank);
    for (uint32_t i = 0; i < rank; i++)
        assert_int_equal(tensor->shape[i], shape[i]);
}

/* Values by the formula for a tensor that the script called `made_as`, times `scale`. */
static void assert_formula(const clipc_checkpoint *checkpoint, const char *name,
                           const char *made_as, size_t count, float scale)
{
    float expected[MOST_VALUES];

    assert_true(count <= MOST_VALUES);
    for (size_t i = 0; i < count; i++)
        expected[i] = scale * value_at(i, strlen(made_as));
    assert_values(checkpoint, name, expected, count);
}

/* --- Every number type, every way to lie in a storage, every wrapping --- */

typedef struct kind {
    const char *name;
    clipc_element element;
    uint32_t rank;
    uint64_t shape[3];
    float scale; /* of the formula; 0: other values */
} kind;

static const kind kinds[] = {
    {"f32", CLIPC_ELEMENT_F32, 2, {3, 4}, 1.0f},
    {"f16", CLIPC_ELEMENT_F16, 2, {3, 4}, 1.0f},
    {"bf16", CLIPC_ELEMENT_BF16, 2, {3, 4}, 1.0f},
    {"f64", CLIPC_ELEMENT_F64, 2, {3, 4}, 1.0f},
    {"i8", CLIPC_ELEMENT_I8, 1, {5}, 4.0f},
    {"i16", CLIPC_ELEMENT_I16, 1, {5}, 4.0f},
    {"i32", CLIPC_ELEMENT_I32, 1, {5}, 4.0f},
    {"i64", CLIPC_ELEMENT_I64, 1, {5}, 4.0f},
    {"u8", CLIPC_ELEMENT_U8, 1, {5}, 0.0f},
    {"bool", CLIPC_ELEMENT_BOOL, 1, {3}, 0.0f},
    {"scalar", CLIPC_ELEMENT_F32, 0, {0}, 1.0f},
    {"empty", CLIPC_ELEMENT_F32, 2, {0, 3}, 1.0f},
    {"parameter", CLIPC_ELEMENT_F32, 2, {2, 2}, 1.0f},
    {"transposed", CLIPC_ELEMENT_F32, 2, {4, 3}, 1.0f},
    {"permuted", CLIPC_ELEMENT_F32, 3, {4, 2, 3}, 1.0f},
    {"shared.first", CLIPC_ELEMENT_F32, 2, {2, 5}, 1.0f},
    {"shared.last", CLIPC_ELEMENT_F32, 1, {10}, 1.0f},
    {"shared.stepped", CLIPC_ELEMENT_F32, 1, {6}, 1.0f},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static void assert_kinds(const char *file, const char *format)
{
    static const float bytes[] = {0, 1, 2, 3, 4}, bools[] = {1, 0, 1};
    clipc_checkpoint *checkpoint = open_file(file);

    assert_string_equal(clipc_checkpoint_format(checkpoint), format);
    assert_int_equal(clipc_checkpoint_get_layout(checkpoint), CLIPC_CHECKPOINT_OPENAI);
    assert_int_equal(clipc_checkpoint_count(checkpoint), KIND_COUNT);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const kind *k = &kinds[i];
        size_t count = 1;

        for (uint32_t axis = 0; axis < k->rank; axis++)
            count *= (size_t)k->shape[axis];
        assert_shape(checkpoint, k->name, k->element, k->rank, k->shape);
        if (k->scale != 0.0f)
            assert_formula(checkpoint, k->name, k->name, count, k->scale);
    }
    assert_values(checkpoint, "u8", bytes, 5);
    assert_values(checkpoint, "bool", bools, 3);
    clipc_checkpoint_close(checkpoint);
}

static void test_kinds(void **state)
{
    (void)state;
    assert_kinds("kinds.pt", "pytorch");
    assert_kinds("kinds_legacy.pt", "pytorch-legacy");
    assert_kinds("nested_state_dict.pt", "pytorch");
    assert_kinds("nested_model.pt", "pytorch-legacy");
    assert_kinds("kinds.safetensors", "safetensors");
}

/* A range of rows is what it is of the whole. */
static void test_rows(void **state)
{
    clipc_checkpoint *checkpoint = open_file("kinds.pt");
    const clipc_checkpoint_tensor *tensor = clipc_checkpoint_find(checkpoint, "permuted");
    float rows[12];

    (void)state;
    assert_non_null(tensor);
    clipc_checkpoint_read(checkpoint, tensor, 1, 2, rows);
    for (size_t i = 0; i < 12; i++)
        assert_true(rows[i] == value_at(6 + i, strlen("permuted")));
    clipc_checkpoint_close(checkpoint);
}

/* --- TorchScript --- */

static void test_torchscript(void **state)
{
    static const char *const files[] = {"torchscript.pt", "torchscript_cuda.pt"};
    static const char weight[] = "transformer.resblocks.1.attn.in_proj_weight";
    static const char bias[] = "transformer.resblocks.0.attn.in_proj_bias";
    const uint64_t shape[] = {6, 2};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        clipc_checkpoint *checkpoint = open_file(files[i]);

        assert_string_equal(clipc_checkpoint_format(checkpoint), "torchscript");
        assert_int_equal(clipc_checkpoint_count(checkpoint), 5); /* without two masks */
        assert_shape(checkpoint, weight, CLIPC_ELEMENT_F16, 2, shape);
        assert_formula(checkpoint, weight, weight, 12, 1.0f);
        assert_formula(checkpoint, bias, bias, 6, 1.0f);
        assert_shape(checkpoint, "logit_scale", CLIPC_ELEMENT_F16, 0, shape);
        assert_formula(checkpoint, "logit_scale", "logit_scale", 1, 1.0f);
        clipc_checkpoint_close(checkpoint);
    }
}

/* --- Hugging Face's layout, in one file and in shards --- */

static void assert_in_proj(const clipc_checkpoint *checkpoint, const char *name, const char *block,
                           const char *ending, size_t piece_count)
{
    float expected[3 * MOST_VALUES];

    for (size_t piece = 0; piece < 3; piece++) {
        char made_as[128];

        snprintf(made_as, sizeof(made_as), "%s.self_attn.%c_proj.%s", block, "qkv"[piece], ending);
        for (size_t i = 0; i < piece_count; i++)
            expected[piece * piece_count + i] = value_at(i, strlen(made_as));
    }
    assert_values(checkpoint, name, expected, 3 * piece_count);
}

/* A projection is the transpose of theirs. */
static void assert_projection(const clipc_checkpoint *checkpoint, const char *name,
                              const char *made_as)
{
    float expected[24];

    for (size_t row = 0; row < 4; row++)
        for (size_t column = 0; column < 6; column++)
            expected[6 * row + column] = value_at(4 * column + row, strlen(made_as));
    assert_values(checkpoint, name, expected, 24);
}

static void test_huggingface(void **state)
{
    static const char *const files[] = {"huggingface.bin", "sharded",
                                        "sharded/model.safetensors.index.json"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        clipc_checkpoint *checkpoint = open_file(files[i]);

        assert_int_equal(clipc_checkpoint_get_layout(checkpoint), CLIPC_CHECKPOINT_HUGGINGFACE);
        assert_int_equal(clipc_checkpoint_count(checkpoint), 38);
        assert_in_proj(checkpoint, "visual.transformer.resblocks.0.attn.in_proj_weight",
                       "vision_model.encoder.layers.0", "weight", 16);
        assert_in_proj(checkpoint, "transformer.resblocks.0.attn.in_proj_bias",
                       "text_model.encoder.layers.0", "bias", 4);
        assert_projection(checkpoint, "visual.proj", "visual_projection.weight");
        assert_projection(checkpoint, "text_projection", "text_projection.weight");
        assert_formula(checkpoint, "visual.ln_pre.bias", "vision_model.pre_layrnorm.bias", 4, 1.0f);
        assert_formula(checkpoint, "token_embedding.weight",
                       "text_model.embeddings.token_embedding.weight", 36, 1.0f);
        assert_null(clipc_checkpoint_find(checkpoint, "text_model.embeddings.position_ids"));
        clipc_checkpoint_close(checkpoint);
    }
}

/* --- Damage --- */

static const char *const damaged_files[] = {
    "kinds.pt", "kinds_legacy.pt", "nested_model.pt", "kinds.safetensors", "torchscript.pt",
};

/* Opens and, when that succeeds, reads everything: neither may touch a byte outside. */
static bool open_damaged(const uint8_t *bytes, size_t size)
{
    clipc_checkpoint *checkpoint;
    clipc_error error = {.code = CLIPC_OK};
    const clipc_status status =
        clipc_checkpoint_open_memory(&checkpoint, bytes, size, "file", &test_limits, &error);

    if (status) {
        assert_null(checkpoint);
        assert_message(&error, "file", "");
        return false;
    }
    (void)read_all(checkpoint);
    clipc_checkpoint_close(checkpoint);
    return true;
}

static void read_fixture(const char *name, char **bytes, size_t *size)
{
    clipc_error error;
    char path[512];

    snprintf(path, sizeof(path), FOLDER "%s", name);
    if (clipc_file_read(path, (size_t)1 << 20, bytes, size, &error))
        fail_msg("%s", error.message);
}

static void test_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(damaged_files) / sizeof(damaged_files[0]); i++) {
        char *bytes;
        size_t size;

        read_fixture(damaged_files[i], &bytes, &size);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *exact = exact_copy(bytes, cut);

            if (open_damaged(exact, cut))
                fail_msg("%s: opens with %zu of its %zu bytes", damaged_files[i], cut, size);
            free(exact);
        }
        free(bytes);
    }
}

/*
 * Two bits of each byte, one at a time. Flips in the weights themselves go unseen; all are
 * survived.
 */
static void test_flipped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(damaged_files) / sizeof(damaged_files[0]); i++) {
        size_t size, refused = 0;
        char *bytes;
        uint8_t *exact;

        read_fixture(damaged_files[i], &bytes, &size);
        exact = exact_copy(bytes, size);
        for (size_t place = 0; place < size; place++) {
            for (unsigned bit = place % 4; bit < 8; bit += 4) {
                exact[place] ^= (uint8_t)(1u << bit);
                refused += !open_damaged(exact, size);
                exact[place] ^= (uint8_t)(1u << bit);
            }
        }
        assert_true(refused > size / 4); /* most of a small file is description */
        assert_true(open_damaged(exact, size));
        free(exact);
        free(bytes);
    }
}

/* What lies under a model's name when fetching it went wrong. */
static void test_other_content(void **state)
{
    (void)state;
    assert_refused("", 0, CLIPC_ERROR_FORMAT, "the file is empty");
    assert_refused("version https://git-lfs.github.com/spec/v1\noid", 46, CLIPC_ERROR_FORMAT,
                   "Git LFS pointer");
    assert_refused("<!DOCTYPE html>", 15, CLIPC_ERROR_FORMAT, "a web page");
    assert_refused("GGUF\3\0\0\0\0\0\0\0", 12, CLIPC_ERROR_FORMAT,
                   "PyTorch's (zip or pickle), safetensors or .clipc was expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),         cmocka_unit_test(test_rows),
        cmocka_unit_test(test_torchscript),   cmocka_unit_test(test_huggingface),
        cmocka_unit_test(test_truncated),     cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_other_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
