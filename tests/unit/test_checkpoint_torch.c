/* SPDX-License-Identifier: MIT */
/* What PyTorch's pickles say of tensors, state dicts and TorchScript modules, right and wrong. */
#include "checkpoint_builder.h"

static const float values[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static clipc_checkpoint *open_archive(zip_builder *zip)
{
    return open_bytes(zip->bytes.bytes, zip->bytes.size);
}

static void close_archive(clipc_checkpoint *checkpoint, zip_builder *zip)
{
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&zip->bytes);
}

static void assert_pickle_refused(const char *pickle, clipc_status status, const char *text)
{
    zip_builder zip = torch_archive(pickle, values, sizeof(values));

    assert_zip_refused(&zip, status, text);
}

/* A state dict of one tensor "t" must give these values. */
static void assert_view(const char *pickle, const float *expected, size_t count)
{
    zip_builder zip = torch_archive(pickle, values, sizeof(values));
    clipc_checkpoint *checkpoint = open_archive(&zip);

    assert_values(checkpoint, "t", expected, count);
    close_archive(checkpoint, &zip);
}

/* --- Views --- */

static void test_views(void **state)
{
    static const float columns[6] = {2, 6, 10, 3, 7, 11}, stepped[4] = {1, 4, 7, 10};
    static const float one = 7;

    (void)state;
    assert_view(PICKLED_STATE_DICT("12", "0", "I3\nI4\n", "I4\nI1\n"), values, 12);
    assert_view(PICKLED_STATE_DICT("12", "4", "I8\n", "I1\n"), values + 4, 8);
    assert_view(PICKLED_STATE_DICT("12", "1", "I2\nI3\n", "I1\nI4\n"), columns, 6);
    assert_view(PICKLED_STATE_DICT("12", "0", "I4\n", "I3\n"), stepped, 4);
    assert_view(PICKLED_STATE_DICT("12", "6", "", ""), &one, 1);
    /* The stride of an extent of one says nothing. */
    assert_view(PICKLED_STATE_DICT("12", "0", "I1\nI12\n", "I9223372036854775807\nI1\n"), values,
                12);
    /* A storage may be larger than its description, not smaller. */
    assert_view(PICKLED_STATE_DICT("5", "0", "I5\n", "I1\n"), values, 5);
}

static void test_empty(void **state)
{
    static const char *const shapes[] = {"I0\n", "I0\nI3\n", "I3\nI0\n"};
    static const char *const strides[] = {"I1\n", "I3\nI1\n",
                                          "I9223372036854775807\nI9223372036854775807\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char pickle[512];

        snprintf(pickle, sizeof(pickle), PICKLED_STATE_DICT("12", "0", "%s", "%s"), shapes[i],
                 strides[i]);
        assert_view(pickle, NULL, 0);
    }
}

static void test_outside(void **state)
{
    static const char text[] = "tensor t reaches outside its 48 bytes";
    static const char *const pickles[] = {
        PICKLED_STATE_DICT("12", "0", "I13\n", "I1\n"),
        PICKLED_STATE_DICT("12", "1", "I12\n", "I1\n"),
        PICKLED_STATE_DICT("12", "12", "", ""),
        PICKLED_STATE_DICT("12", "0", "I3\nI4\n", "I5\nI1\n"),
        PICKLED_STATE_DICT("12", "0", "I2\nI2\n", "I1\nI11\n"),
        PICKLED_STATE_DICT("13", "0", "I12\n", "I1\n"), /* more elements than bytes */
        PICKLED_STATE_DICT("9223372036854775807", "0", "I12\n", "I1\n"),
        PICKLED_STATE_DICT("12", "9223372036854775807", "I2\n", "I9223372036854775807\n"),
        PICKLED_STATE_DICT("12", "0", "I4294967296\nI4294967296\n", "I1\nI1\n"),
        PICKLED_STATE_DICT("12", "0", "I9223372036854775807\nI2\nI2\n", "I1\nI1\nI1\n"),
        PICKLED_STATE_DICT("12", "0", "I2\nI2\n", "I9223372036854775807\nI9223372036854775807\n"),
        PICKLED_STATE_DICT("12", "0", "I4294967296\nI4294967296\nI0\n", "I1\nI1\nI1\n"),
        /* All elements in one place: memory that the file does not bound. */
        PICKLED_STATE_DICT("12", "0", "I1000000\n", "I0\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pickles) / sizeof(pickles[0]); i++)
        assert_pickle_refused(pickles[i], CLIPC_ERROR_FORMAT, text);
    assert_pickle_refused(PICKLED_STATE_DICT("12", "13", "I0\n", "I1\n"), CLIPC_ERROR_FORMAT, text);
}

static void test_descriptions(void **state)
{
    static const char text[] = "tensor t is not described as PyTorch does";
    static const char *const pickles[] = {
        PICKLED_STATE_DICT("-1", "0", "I2\n", "I1\n"),
        PICKLED_STATE_DICT("12", "-1", "I2\n", "I1\n"),
        PICKLED_STATE_DICT("12", "0", "I-2\n", "I1\n"),
        PICKLED_STATE_DICT("12", "0", "I2\n", "I-1\n"),
        PICKLED_STATE_DICT("12", "0", "I2\n", ""),
        PICKLED_STATE_DICT("12", "0", "N", "I1\n"),
        PICKLED_STATE_DICT("12", "0", "I1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\n",
                           "I1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\n"),
        "}Vt\n" PICKLED_VIEW("N", "0", "I2\n", "I1\n") "s.",
        "}Vt\n" PICKLED_VIEW("VQ\nQ", "0", "I2\n", "I1\n") "s.",
        "}Vt\n" PICKLED_VIEW("(Vstorage\nctorch\nSize\nV0\nVcpu\nI12\ntQ", "0", "I2\n",
                             "I1\n") "s.",
        "}Vt\n" PICKLED_VIEW("(Vmodule\nctorch\nFloatStorage\nV0\nVcpu\nI12\ntQ", "0", "I2\n",
                             "I1\n") "s.",
        "}Vt\n" PICKLED_VIEW("(Vstorage\nctorch\nFloatStorage\nI0\nVcpu\nI12\ntQ", "0", "I2\n",
                             "I1\n") "s.",
        "}Vt\nctorch._utils\n_rebuild_tensor_v2\n(tRs.",
        "}Vt\nctorch._utils\n_rebuild_parameter\n(ctorch._utils\n_rebuild_tensor_v2\n(tRtRs.",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pickles) / sizeof(pickles[0]); i++)
        assert_pickle_refused(pickles[i], CLIPC_ERROR_FORMAT, text);
    assert_pickle_refused("}Vt\n" PICKLED_VIEW("(Vstorage\nctorch\nFloatStorage\nV1\nVcpu\nI12\ntQ",
                                               "0", "I2\n", "I1\n") "s.",
                          CLIPC_ERROR_FORMAT, "does not hold the data of tensor t");
    /* A key that would lead out of its folder finds nothing. */
    assert_pickle_refused(
        "}Vt\n" PICKLED_VIEW("(Vstorage\nctorch\nFloatStorage\nV../data.pkl\nVcpu\nI12\ntQ", "0",
                             "I2\n", "I1\n") "s.",
        CLIPC_ERROR_FORMAT, "does not hold the data of tensor t");
}

/* --- State dicts --- */

#define VIEW PICKLED_VIEW(PICKLED_STORAGE("FloatStorage", "12"), "0", "I12\n", "I1\n")

static void test_places(void **state)
{
    (void)state;
    assert_view("}Vmodule.t\n" VIEW "s.", values, 12);
    assert_view("}Vmodule._orig_mod.module.t\n" VIEW "s.", values, 12);
    assert_view("}(Vepoch\nI3\nVstate_dict\n}Vmodule.t\n" VIEW "su.", values, 12);
    assert_view("}(Vargs\nNVmodel\n}Vt\n" VIEW "su.", values, 12);
    /* What is no tensor under a name that is no text does not matter. */
    assert_view("}(I3\nVx\nVt\n" VIEW "NNu.", values, 12);
}

static void test_no_state_dict(void **state)
{
    static const char text[] = "holds no state dict";

    (void)state;
    assert_pickle_refused("N.", CLIPC_ERROR_FORMAT, text);
    assert_pickle_refused("}.", CLIPC_ERROR_FORMAT, text);
    assert_pickle_refused("](" VIEW "e.", CLIPC_ERROR_FORMAT, text);
    assert_pickle_refused(VIEW ".", CLIPC_ERROR_FORMAT, text);
    assert_pickle_refused("}Vstate_dict\nI3\ns.", CLIPC_ERROR_FORMAT, text);
    assert_pickle_refused("}Vstate_dict\n}Vmodel\n}Vt\n" VIEW "sss.", CLIPC_ERROR_FORMAT, text);
    /* A dict that holds itself. */
    assert_pickle_refused("}p0\nVstate_dict\ng0\ns.", CLIPC_ERROR_FORMAT, text);
}

static void test_same_names(void **state)
{
    (void)state;
    assert_pickle_refused("}(Vt\n" VIEW "Vmodule.t\n" VIEW "u.", CLIPC_ERROR_FORMAT,
                          "tensor module.t is there twice");
}

static void test_limit(void **state)
{
    zip_builder zip = torch_archive("}Vt\n" VIEW "s.", values, sizeof(values));
    const clipc_checkpoint_options small = {.max_weight_bytes = 47};
    clipc_checkpoint *checkpoint;
    clipc_error error;

    (void)state;
    assert_int_equal(clipc_checkpoint_open_memory(&checkpoint, zip.bytes.bytes, zip.bytes.size,
                                                  "file", &small, &error),
                     CLIPC_ERROR_LIMIT);
    assert_message(&error, "file", "more than the limit of 47 bytes");
    clipc_buffer_free(&zip.bytes);
}

/* Very many names of one tensor. */
static void test_many_tensors(void **state)
{
    clipc_byte_buffer pickle = {0};
    zip_builder zip;

    (void)state;
    clipc_buffer_append_text(&pickle, "}(Vt\n" VIEW "p0\n");
    for (int i = 0; i < 65536; i++) {
        char item[32];

        snprintf(item, sizeof(item), "V%d\ng0\n", i);
        clipc_buffer_append_text(&pickle, item);
    }
    clipc_buffer_append(&pickle, "u.", 3);
    zip = torch_archive((const char *)pickle.bytes, values, sizeof(values));
    assert_zip_refused(&zip, CLIPC_ERROR_LIMIT, "more than 65536 tensors");
    clipc_buffer_free(&pickle);
}

/* --- TorchScript's modules --- */

#define MODULE(name, attributes) "c__torch__.m\n" name "\n)\x81}(" attributes "ub"

static void test_modules(void **state)
{
    zip_builder zip = torch_archive(
        MODULE("Top", "Va\n" MODULE("Inner", "Vtraining\nI00\nVw\n" VIEW) "Vn\nI7\nVs\n" VIEW) ".",
        values, sizeof(values));
    clipc_checkpoint *checkpoint = open_archive(&zip);

    (void)state;
    assert_string_equal(clipc_checkpoint_format(checkpoint), "torchscript");
    assert_int_equal(clipc_checkpoint_count(checkpoint), 2);
    assert_values(checkpoint, "a.w", values, 12);
    assert_values(checkpoint, "s", values, 12);
    close_archive(checkpoint, &zip);
}

static void test_bad_modules(void **state)
{
    (void)state;
    assert_pickle_refused(MODULE("Top", "") ".", CLIPC_ERROR_FORMAT, "holds no tensors");
    assert_pickle_refused("c__torch__.m\nTop\n)\x81.", CLIPC_ERROR_FORMAT, "holds no tensors");
    assert_pickle_refused(MODULE("Top", "I3\n" VIEW) ".", CLIPC_ERROR_FORMAT,
                          "an attribute's name is missing or too long");
    /* A module that holds itself. */
    assert_pickle_refused("c__torch__.m\nTop\n)\x81p0\n}(Va\ng0\nub.", CLIPC_ERROR_LIMIT,
                          "nested over 32 deep");
    assert_pickle_refused("c__torch__.m\nTop\n)\x81p0\n}(Va\ng0\nVb\ng0\nub.", CLIPC_ERROR_LIMIT,
                          "nested over 32 deep");
}

/* Names that fill the buffer of the path to its last byte, and then an empty one more. */
static void test_long_names(void **state)
{
    static const size_t lengths[] = {508, 509, 510, 511};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char name[600], pickle[4096];

        memset(name, 'n', lengths[i]);
        name[lengths[i]] = '\0';
        snprintf(pickle, sizeof(pickle),
                 MODULE("Top", "V%s\n" MODULE(
                                   "A", "V\n" MODULE("B", "V\n" MODULE("C", "Vlong\n" VIEW)))) ".",
                 name);
        assert_pickle_refused(pickle, CLIPC_ERROR_FORMAT,
                              "an attribute's name is missing or too long");
    }
}

/* Modules that share their insides in every layer: 2^30 ways through a few of them. */
static void test_shared_modules(void **state)
{
    char pickle[4096] = "c__torch__.m\nTop\n)\x81}(Vx\nNubp0\n0";
    size_t length = strlen(pickle);

    (void)state;
    for (int i = 0; i < 30; i++)
        length +=
            (size_t)snprintf(pickle + length, sizeof(pickle) - length,
                             "c__torch__.m\nTop\n)\x81}(Va\ng%d\nVb\ng%d\nubp%d\n0", i, i, i + 1);
    snprintf(pickle + length, sizeof(pickle) - length, "g30\n.");
    assert_pickle_refused(pickle, CLIPC_ERROR_LIMIT, "over 1048576 attributes");
}

/* --- The older format: pickles in a row, then the storages --- */

#define LEGACY_MAGIC "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."
#define LEGACY_SYSTEM "}Vlittle_endian\nI01\ns."
#define LEGACY_HEAD LEGACY_MAGIC "I1001\n." LEGACY_SYSTEM
#define LEGACY_BODY "}Vt\n" VIEW "s."

/* `text`, then a storage: its number of elements and its bytes. */
static clipc_byte_buffer legacy_file(const char *text, uint64_t count, size_t bytes)
{
    clipc_byte_buffer file = {0};

    clipc_buffer_append_text(&file, text);
    clipc_buffer_append_uint(&file, count, 8);
    clipc_buffer_append(&file, values, bytes);
    assert_false(file.failed);
    return file;
}

static void test_legacy(void **state)
{
    clipc_byte_buffer file = legacy_file(LEGACY_HEAD LEGACY_BODY "(V0\nl.", 12, sizeof(values));
    clipc_checkpoint *checkpoint = open_bytes(file.bytes, file.size);

    (void)state;
    assert_string_equal(clipc_checkpoint_format(checkpoint), "pytorch-legacy");
    assert_values(checkpoint, "t", values, 12);
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&file);
}

static void test_bad_legacy(void **state)
{
    static const struct {
        const char *text;
        uint64_t count;
        size_t bytes;
        clipc_status status;
        const char *message;
    } files[] = {
        {"\x80\x02}Vt\nI3\ns.", 0, 0, CLIPC_ERROR_FORMAT, "magic number was expected"},
        {"\x80\x04\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x18.", 0, 0, CLIPC_ERROR_FORMAT,
         "magic number was expected"},
        {"\x80\x02"
         "cos\nsystem\n(Vls\ntR.",
         0, 0, CLIPC_ERROR_UNSUPPORTED, "asks for os.system"},
        {LEGACY_MAGIC "I1000\n." LEGACY_SYSTEM, 0, 0, CLIPC_ERROR_FORMAT, "protocol is not 1001"},
        {LEGACY_MAGIC "I1001\n.}Vlittle_endian\nI00\ns.", 0, 0, CLIPC_ERROR_UNSUPPORTED,
         "big-endian, little-endian was expected"},
        {LEGACY_MAGIC "I1001\n.}.", 0, 0, CLIPC_ERROR_FORMAT, "whether it is little-endian"},
        {LEGACY_MAGIC "I1001\n.N.", 0, 0, CLIPC_ERROR_FORMAT, "whether it is little-endian"},
        {LEGACY_HEAD "cos\nsystem\n.", 0, 0, CLIPC_ERROR_UNSUPPORTED, "asks for os.system"},
        {LEGACY_HEAD LEGACY_BODY "N.", 12, 48, CLIPC_ERROR_FORMAT, "list of storages is missing"},
        {LEGACY_HEAD LEGACY_BODY "(l.", 12, 48, CLIPC_ERROR_FORMAT,
         "does not hold the data of tensor t"},
        {LEGACY_HEAD LEGACY_BODY "(V1\nl.", 12, 48, CLIPC_ERROR_FORMAT, "tensors ask for"},
        {LEGACY_HEAD LEGACY_BODY "(I0\nl.", 12, 48, CLIPC_ERROR_FORMAT, "tensors ask for"},
        {LEGACY_HEAD LEGACY_BODY "(V0\nV0\nl.", 12, 48, CLIPC_ERROR_FORMAT, "tensors ask for"},
        {LEGACY_HEAD LEGACY_BODY "(V0\nl.", 13, 48, CLIPC_ERROR_FORMAT, "tensors ask for"},
        {LEGACY_HEAD LEGACY_BODY "(V0\nl.", 12, 47, CLIPC_ERROR_FORMAT, "is cut short"},
        {LEGACY_HEAD "VQ\nQ.(V0\nl.", 12, 48, CLIPC_ERROR_FORMAT, "none of a storage"},
        {LEGACY_HEAD "}(Vt\n" VIEW "Vu\n" PICKLED_VIEW(PICKLED_STORAGE("FloatStorage", "6"), "0",
                                                       "I1\n", "I1\n") "u.(V0\nl.",
         12, 48, CLIPC_ERROR_FORMAT, "described in two ways"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        clipc_byte_buffer file = legacy_file(files[i].text, files[i].count, files[i].bytes);

        assert_refused(file.bytes, file.size, files[i].status, files[i].message);
        clipc_buffer_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),          cmocka_unit_test(test_empty),
        cmocka_unit_test(test_outside),        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_places),         cmocka_unit_test(test_no_state_dict),
        cmocka_unit_test(test_same_names),     cmocka_unit_test(test_limit),
        cmocka_unit_test(test_many_tensors),   cmocka_unit_test(test_modules),
        cmocka_unit_test(test_bad_modules),    cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_shared_modules), cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_bad_legacy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
