/* SPDX-License-Identifier: MIT */
/* safetensors: headers that lie, and sharded files whose index does. */
#include "checkpoint_builder.h"
#include "temporary_folder.h"

#include <sys/stat.h>
#include <unistd.h>

static const float values[6] = {1, 2, 3, 4, 5, 6};

/* `length` is what the file says of its header; `data` bytes of values follow it. */
static clipc_byte_buffer make_file(const char *header, size_t header_size, uint64_t length,
                                   size_t data)
{
    clipc_byte_buffer file = {0};

    clipc_buffer_append_uint(&file, length, 8);
    clipc_buffer_append(&file, header, header_size);
    clipc_buffer_append(&file, values, data);
    assert_false(file.failed);
    return file;
}

static void assert_header_refused(const char *header, size_t data, clipc_status status,
                                  const char *text)
{
    clipc_byte_buffer file = make_file(header, strlen(header), strlen(header), data);

    assert_refused(file.bytes, file.size, status, text);
    clipc_buffer_free(&file);
}

#define T(name, shape, begin, end)                                                                 \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static void test_good(void **state)
{
    static const char header[] = "{\"__metadata__\":{\"format\":\"pt\"}," T(
        "b", "[2]", "16", "24") "," T("a", "[2,2]", "0", "16") "," T("e", "[0]", "24", "24") "}   ";
    clipc_byte_buffer file = make_file(header, strlen(header), strlen(header), 24);
    clipc_checkpoint *checkpoint = open_bytes(file.bytes, file.size);

    (void)state;
    assert_string_equal(clipc_checkpoint_format(checkpoint), "safetensors");
    assert_null(clipc_checkpoint_config(checkpoint));
    assert_values(checkpoint, "a", values, 4);
    assert_values(checkpoint, "b", values + 4, 2);
    assert_values(checkpoint, "e", NULL, 0);
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&file);
}

static void test_header_length(void **state)
{
    static const char header[] = "{" T("a", "[6]", "0", "24") "}";
    static const uint64_t beyond[] = {sizeof(header) - 1 + 25, UINT32_MAX, UINT64_MAX,
                                      UINT64_MAX - 7};
    const size_t size = sizeof(header) - 1;
    uint8_t *large = calloc(1, ((size_t)5 << 20) + 8);
    clipc_byte_buffer file;

    (void)state;
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        file = make_file(header, size, beyond[i], 24);
        assert_refused(file.bytes, file.size, CLIPC_ERROR_FORMAT, "bytes, the file only");
        clipc_buffer_free(&file);
    }
    file = make_file(header, size, size - 1, 24);
    assert_refused(file.bytes, file.size, CLIPC_ERROR_FORMAT, "is not valid JSON");
    clipc_buffer_free(&file);
    file = make_file(header, size, size + 1, 24); /* takes a byte of the data */
    assert_refused(file.bytes, file.size, CLIPC_ERROR_FORMAT, "is not UTF-8 text");
    clipc_buffer_free(&file);
    assert_non_null(large);
    large[2] = 0x50; /* 5 MiB */
    large[8] = '{';
    assert_refused(large, ((size_t)5 << 20) + 8, CLIPC_ERROR_LIMIT, "at most 4194304 are read");
    free(large);
}

static void test_json(void **state)
{
    clipc_byte_buffer deep = {0}, file;
    static const char nul[] = "{\0}";

    (void)state;
    assert_header_refused("{", 0, CLIPC_ERROR_FORMAT, "is not valid JSON");
    assert_header_refused("{}{}", 0, CLIPC_ERROR_FORMAT, "is not valid JSON, as byte 2 shows");
    assert_header_refused("{}", 0, CLIPC_ERROR_FORMAT, "holds no tensors");
    assert_header_refused("{\"a", 0, CLIPC_ERROR_FORMAT, "is not valid JSON");
    assert_header_refused("{\"1\":1,", 0, CLIPC_ERROR_FORMAT, "is not valid JSON");
    assert_header_refused("{\"a\xFF\":1}", 0, CLIPC_ERROR_FORMAT,
                          "not UTF-8 text, as byte 3 shows");
    file = make_file(nul, 3, 3, 0);
    assert_refused(file.bytes, file.size, CLIPC_ERROR_FORMAT, "not UTF-8 text, as byte 1 shows");
    clipc_buffer_free(&file);
    clipc_buffer_append_text(&deep, "{\"a\":");
    for (int i = 0; i < 100000; i++)
        clipc_buffer_append_byte(&deep, '[');
    clipc_buffer_append_byte(&deep, '\0');
    assert_header_refused((const char *)deep.bytes, 0, CLIPC_ERROR_FORMAT, "is not valid JSON");
    clipc_buffer_free(&deep);
}

static void test_descriptions(void **state)
{
    static const char dtype[] = "tensor a: its dtype", shape[] = "tensor a: its shape is no list",
                      range[] = "tensor a: its data_offsets lie outside the file",
                      fill[] = "tensor a: its shape does not fill";
    static const struct {
        const char *header, *text;
    } cases[] = {
        {"{\"a\":3}", dtype},
        {"{\"a\":{}}", dtype},
        {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[6],\"data_offsets\":[0,24]}}", dtype},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,24]}}", shape},
        {"{" T("a", "6", "0", "24") "}", shape},
        {"{" T("a", "[-6]", "0", "24") "}", shape},
        {"{" T("a", "[5.5]", "0", "24") "}", shape},
        {"{" T("a", "[1e30]", "0", "24") "}", shape},
        {"{" T("a", "[\"6\"]", "0", "24") "}", shape},
        {"{" T("a", "[1,1,1,1,1,1,1,1,6]", "0", "24") "}", shape},
        {"{" T("a", "[6]", "0", "25") "}", range},
        {"{" T("a", "[6]", "24", "0") "}", range},
        {"{" T("a", "[6]", "-24", "0") "}", range},
        {"{" T("a", "[6]", "0", "1e15") "}", range},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0]}}", range},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24,24]}}", range},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":24}}", range},
        {"{" T("a", "[5]", "0", "24") "}", fill},
        {"{" T("a", "[7]", "0", "24") "}", fill},
        {"{\"a\":{\"dtype\":\"F16\",\"shape\":[6],\"data_offsets\":[0,24]}}", fill},
        {"{" T("a", "[4294967296,4294967296,4]", "0", "24") "}", fill},
        {"{" T("a", "[4294967296,1073741824]", "0", "0") "}", fill},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_header_refused(cases[i].header, 24, CLIPC_ERROR_FORMAT, cases[i].text);
}

static void test_cover(void **state)
{
    static const char overlap[] = "overlaps another's, or leaves a gap";

    (void)state;
    assert_header_refused("{" T("a", "[6]", "0", "24") "," T("b", "[6]", "0", "24") "}", 24,
                          CLIPC_ERROR_FORMAT, overlap);
    assert_header_refused("{" T("a", "[4]", "0", "16") "," T("b", "[4]", "8", "24") "}", 24,
                          CLIPC_ERROR_FORMAT, overlap);
    assert_header_refused("{" T("a", "[2]", "0", "8") "," T("b", "[2]", "16", "24") "}", 24,
                          CLIPC_ERROR_FORMAT, overlap);
    assert_header_refused("{" T("a", "[5]", "4", "24") "}", 24, CLIPC_ERROR_FORMAT, overlap);
    assert_header_refused("{" T("a", "[5]", "0", "20") "}", 24, CLIPC_ERROR_FORMAT,
                          "its tensors take 20 bytes, but 24 follow its header");
    assert_header_refused("{" T("a", "[3]", "0", "12") "," T("a", "[3]", "12", "24") "}", 24,
                          CLIPC_ERROR_FORMAT, "tensor a is there twice");
    assert_header_refused("{" T("a", "[3]", "0", "12") "," T("module.a", "[3]", "12", "24") "}", 24,
                          CLIPC_ERROR_FORMAT, "a is there twice");
}

/* --- Shards --- */

static void write_file(const char *name, const void *bytes, size_t size)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_shard(const char *name, const char *header)
{
    clipc_byte_buffer file = make_file(header, strlen(header), strlen(header), 24);

    write_file(name, file.bytes, file.size);
    clipc_buffer_free(&file);
}

static void write_shards(void)
{
    write_shard("one.safetensors", "{" T("a", "[6]", "0", "24") "}");
    write_shard("two.safetensors", "{" T("b", "[2]", "0", "8") "," T("c", "[4]", "8", "24") "}");
}

#define INDEX "model.safetensors.index.json"

static clipc_status open_index(const char *index, clipc_checkpoint **checkpoint, clipc_error *error)
{
    write_file(INDEX, index, strlen(index));
    return clipc_checkpoint_open(checkpoint, folder, &test_limits, error);
}

static void assert_index_refused(const char *index, clipc_status status, const char *source,
                                 const char *text)
{
    clipc_checkpoint *checkpoint;
    clipc_error error = {.code = CLIPC_OK};
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, source);
    if (open_index(index, &checkpoint, &error) != status)
        fail_msg("status %d \"%s\", expected %d \"%s\"", error.code, error.message, status, text);
    assert_null(checkpoint);
    assert_message(&error, path, text);
}

static void test_shards(void **state)
{
    clipc_checkpoint *checkpoint;
    clipc_error error;

    (void)state;
    write_shards();
    if (open_index("{\"metadata\":{},\"weight_map\":{\"a\":\"one.safetensors\","
                   "\"c\":\"two.safetensors\",\"b\":\"two.safetensors\"}}",
                   &checkpoint, &error))
        fail_msg("%s", error.message);
    assert_int_equal(clipc_checkpoint_count(checkpoint), 3);
    assert_values(checkpoint, "a", values, 6);
    assert_values(checkpoint, "b", values, 2);
    assert_values(checkpoint, "c", values + 2, 4);
    clipc_checkpoint_close(checkpoint);
}

static void test_bad_index(void **state)
{
    static const struct {
        const char *index;
        clipc_status status;
        const char *source, *text;
    } cases[] = {
        {"{", CLIPC_ERROR_FORMAT, INDEX, "the file is not valid JSON"},
        {"[]", CLIPC_ERROR_FORMAT, INDEX, "an object \"weight_map\""},
        {"{\"weight_map\":{}}", CLIPC_ERROR_FORMAT, INDEX, "an object \"weight_map\""},
        {"{\"weight_map\":[\"one.safetensors\"]}", CLIPC_ERROR_FORMAT, INDEX, "\"weight_map\""},
        {"{\"weight_map\":{\"a\":3}}", CLIPC_ERROR_FORMAT, INDEX, "the file of a is no string"},
        {"{\"weight_map\":{\"a\":\"../one.safetensors\"}}", CLIPC_ERROR_FORMAT, INDEX,
         "a file outside its own folder: ../one.safetensors"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", CLIPC_ERROR_FORMAT, INDEX,
         "a file outside its own folder: /etc/passwd"},
        {"{\"weight_map\":{\"a\":\"..\"}}", CLIPC_ERROR_IO, "..", "is a directory"},
        {"{\"weight_map\":{\"a\":\"\"}}", CLIPC_ERROR_IO, "", "is a directory"},
        {"{\"weight_map\":{\"a\":\"three.safetensors\"}}", CLIPC_ERROR_IO, "three.safetensors",
         "cannot open"},
        {"{\"weight_map\":{\"a\":\"" INDEX "\"}}", CLIPC_ERROR_FORMAT, INDEX, "not a checkpoint"},
        {"{\"weight_map\":{\"a\":\"one.safetensors\",\"z\":\"one.safetensors\"}}",
         CLIPC_ERROR_FORMAT, INDEX, "tensor z is in none of the files it names"},
        {"{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"copy.safetensors\"}}",
         CLIPC_ERROR_FORMAT, INDEX, "tensor a is there twice"},
    };

    (void)state;
    write_shards();
    write_shard("copy.safetensors", "{" T("a", "[2]", "0", "8") "," T("b", "[4]", "8", "24") "}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_index_refused(cases[i].index, cases[i].status, cases[i].source, cases[i].text);
}

static void test_directories(void **state)
{
    clipc_checkpoint *checkpoint;
    clipc_error error;

    (void)state;
    assert_int_equal(clipc_checkpoint_open(&checkpoint, folder, &test_limits, &error),
                     CLIPC_ERROR_NOT_FOUND);
    assert_message(&error, folder, "a directory with 0 files");
    write_shards();
    assert_int_equal(clipc_checkpoint_open(&checkpoint, folder, &test_limits, &error),
                     CLIPC_ERROR_NOT_FOUND);
    assert_message(&error, folder, "a directory with 2 files");
    write_shard("model.safetensors", "{" T("m", "[6]", "0", "24") "}");
    if (clipc_checkpoint_open(&checkpoint, folder, &test_limits, &error))
        fail_msg("%s", error.message);
    assert_values(checkpoint, "m", values, 6);
    clipc_checkpoint_close(checkpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_header_length),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_cover),
        cmocka_unit_test_setup_teardown(test_shards, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_bad_index, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_directories, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
