/* SPDX-License-Identifier: MIT */
/* .clipc files that are damaged, cut short or lie: each an error, or found when data are read. */
#include "mini_clipc.h"

#include <unistd.h>

static clipc_status open_changed(bool without_weights, bool verify, clipc_error *error)
{
    clipc_model_options options;
    clipc_model *model;
    clipc_status status;

    clipc_model_options_init(&options);
    options.threads = 1;
    options.without_weights = without_weights;
    options.verify = verify;
    error->message[0] = '\0';
    status = clipc_model_open(&model, in_folder("changed.clipc"), &options, error);
    assert_int_equal(!status, model != NULL);
    clipc_model_close(model);
    if (status)
        assert_int_equal(
            strncmp(error->message, in_folder("changed.clipc"), strlen(in_folder("changed.clipc"))),
            0);
    return status;
}

static clipc_status open_bytes(const uint8_t *bytes, size_t size, bool without_weights, bool verify,
                               clipc_error *error)
{
    write_file(in_folder("changed.clipc"), bytes, size);
    return open_changed(without_weights, verify, error);
}

static void put_byte(FILE *out, size_t place, uint8_t byte)
{
    assert_int_equal(fseek(out, (long)place, SEEK_SET), 0);
    assert_int_equal(fputc(byte, out), byte);
    assert_int_equal(fflush(out), 0);
}

static void test_damaged_header(void **state)
{
    clipc_file file = make_mini(CLIPC_DTYPE_BF16);
    const size_t end = CLIPC_PACKED_PREFIX + header_size(&file);
    clipc_error error;
    FILE *out;

    (void)state;
    write_file(in_folder("changed.clipc"), file.bytes, file.size);
    out = fopen(in_folder("changed.clipc"), "r+b");
    assert_non_null(out);
    for (size_t i = 0; i < end; i++) {
        put_byte(out, i, file.bytes[i] ^ (uint8_t)(1 << i % 8));
        if (!open_changed(true, false, &error))
            fail_msg("byte %zu of the header was changed unnoticed", i);
        put_byte(out, i, file.bytes[i]);
    }
    assert_int_equal(fclose(out), 0);
    assert_int_equal(open_changed(true, true, &error), CLIPC_OK);
    free(file.bytes);
}

static void test_truncation(void **state)
{
    clipc_file file = make_mini(CLIPC_DTYPE_F32);
    const size_t end = CLIPC_PACKED_PREFIX + header_size(&file);
    clipc_error error;

    (void)state;
    write_file(in_folder("changed.clipc"), file.bytes, file.size);
    for (size_t size = file.size - 1; size > 0; size -= size < 64 ? 1 : size < end ? 61 : 4001) {
        assert_int_equal(truncate(in_folder("changed.clipc"), (off_t)size), 0);
        if (!open_changed(true, false, &error))
            fail_msg("cut to %zu of %zu bytes unnoticed", size, file.size);
    }
    file.bytes = realloc(file.bytes, file.size + 1);
    assert_non_null(file.bytes);
    file.bytes[file.size] = 0;
    assert_int_equal(open_bytes(file.bytes, file.size + 1, true, false, &error),
                     CLIPC_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "follow its header"));
    free(file.bytes);
}

/* Whether the changed file's weights are used where they lie. */
static bool changed_is_mapped(void)
{
    clipc_model_options options;
    clipc_model *model;
    clipc_model_info info;
    clipc_error error;

    clipc_model_options_init(&options);
    options.without_weights = true;
    if (clipc_model_open(&model, in_folder("changed.clipc"), &options, &error))
        fail_msg("%s", error.message);
    clipc_model_get_info(model, &info);
    clipc_model_close(model);
    return info.is_mapped;
}

/* Data are not read when a file is opened, but when they are verified or packed anew. */
static void test_damaged_data(void **state)
{
    clipc_error error;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        clipc_file file = make_mini(dtypes[i]);
        const size_t first = CLIPC_PACKED_PAGE + 25000; /* in the middle of some matrix */

        file.bytes[first] ^= 0x10;
        assert_int_equal(open_bytes(file.bytes, file.size, true, false, &error), CLIPC_OK);
        assert_int_equal(open_bytes(file.bytes, file.size, true, true, &error),
                         CLIPC_ERROR_CHECKSUM);
        assert_non_null(strstr(error.message, "is damaged"));
        assert_int_equal(open_bytes(file.bytes, file.size, false, false, &error),
                         changed_is_mapped() ? CLIPC_OK : CLIPC_ERROR_CHECKSUM);
        free(file.bytes);
    }
}

/* --- Headers that lie --- */

/* The file with the first `from` in its header replaced. */
static clipc_file replace(const clipc_file *file, const char *from, const char *to)
{
    const size_t size = header_size(file);
    char *json = malloc(size + strlen(to) + 1), *place;
    clipc_file changed;

    assert_non_null(json);
    memcpy(json, file->bytes + CLIPC_PACKED_PREFIX, size);
    json[size] = '\0';
    place = strstr(json, from);
    if (!place)
        fail_msg("no %s in the header", from);
    memmove(place + strlen(to), place + strlen(from), strlen(place + strlen(from)) + 1);
    memcpy(place, to, strlen(to));
    changed = make_clipc_file(json, strlen(json), file->bytes + CLIPC_PACKED_PAGE,
                              file->size - CLIPC_PACKED_PAGE);
    free(json);
    return changed;
}

static const struct {
    const char *from, *to;
    clipc_status status;
    const char *text;
} lies[] = {
    {"\"dtype\":\"int8\"", "\"dtype\":\"int4\"", CLIPC_ERROR_FORMAT, "dtype"},
    {"\"dtype\":\"int8\"", "\"dtype\":\"f32\"", CLIPC_ERROR_UNSUPPORTED,
     "is packed for int8, f32 was expected"},
    {"\"form\":\"panels\",\"dtype\":\"int8\"", "\"form\":\"panels\",\"dtype\":\"bf16\"",
     CLIPC_ERROR_FORMAT, "its dtype is none that the header has panels of"},
    {"\"form\":\"panels\",\"dtype\":\"int8\"", "\"form\":\"panels\"", CLIPC_ERROR_FORMAT,
     "its dtype is none that the header has panels of"},
    {"\"int8\":{", "\"int4\":{", CLIPC_ERROR_FORMAT,
     "its dtype is none that the header has panels of"},
    {"\"depth_group\":1", "\"depth_group\":0", CLIPC_ERROR_FORMAT, "panels"},
    {"\"depth_group\":1", "\"depth_group\":2", CLIPC_ERROR_FORMAT, "panels"},
    {"\"int8\":{\"columns\":8", "\"int8\":{\"columns\":0", CLIPC_ERROR_FORMAT, "panels"},
    {"\"int8\":{\"columns\":8", "\"int8\":{\"columns\":16", CLIPC_ERROR_FORMAT,
     "which are not its panels"},
    {"\"columns\":8", "\"columns\":1e9", CLIPC_ERROR_FORMAT, "panels"},
    {"\"columns\":8", "\"columns\":8.5", CLIPC_ERROR_FORMAT, "panels"},
    {"\"columns\":8", "\"columns\":-8", CLIPC_ERROR_FORMAT, "panels"},
    {"\"depth_step\":1", "\"depth_step\":0", CLIPC_ERROR_FORMAT, "panels"},
    {"\"depth_step\":1", "\"depth_step\":63", CLIPC_ERROR_FORMAT, "which are not its panels"},
    {"\"depth_step\":1", "\"depth_step\":65", CLIPC_ERROR_FORMAT, "panels"},
    {"\"header\":64", "\"header\":16", CLIPC_ERROR_FORMAT, "room for scales"},
    {"\"header\":64", "\"header\":66", CLIPC_ERROR_FORMAT, "room for scales"},
    {"\"header\":64", "\"header\":65600", CLIPC_ERROR_FORMAT, "panels"},
    {"\"column_sums\":false", "\"column_sums\":1", CLIPC_ERROR_FORMAT, "panels"},
    {"\"cpu\":\"portable\"", "\"cpu\":7", CLIPC_ERROR_FORMAT, "cpu"},
    {"\"name\":\"clip\"", "\"name\":\"sentencepiece\"", CLIPC_ERROR_UNSUPPORTED, "tokenizer"},
    {"\"merges_sha256\":\"d", "\"merges_sha256\":\"e", CLIPC_ERROR_UNSUPPORTED, "tokenizer"},
    {"\"vocab_size\":514,\"context", "\"vocab_size\":515,\"context", CLIPC_ERROR_FORMAT,
     "its tokenizer has 515 tokens"},
    {"\"context_length\":8,\"merges", "\"context_length\":9,\"merges", CLIPC_ERROR_FORMAT,
     "and 9 places"},
    {"\"quick_gelu\":\ttrue", "\"quick_gelu\":\t7", CLIPC_ERROR_UNSUPPORTED, "quick_gelu"},
    {"\"config\":{", "\"config\":[], \"other\":{", CLIPC_ERROR_FORMAT, "config"},
    {"\"tensors\":[", "\"tensors\":7,\"others\":[", CLIPC_ERROR_FORMAT, "tensors"},
    {"\"tensors\":[", "\"tensors\":[],\"others\":[", CLIPC_ERROR_FORMAT, "0 bytes"},
    {"\"tensors\":[", "\"tensors\":[7,", CLIPC_ERROR_FORMAT, "name and a role"},
    {"\"tensors\":[",
     "\"tensors\":[{\"name\":\"logit_scale\",\"role\":\"values\",\"shape\":[],"
     "\"form\":\"inline\",\"value\":1},",
     CLIPC_ERROR_FORMAT, "is there twice"},
    {"\"tensors\":[",
     "\"tensors\":[{\"name\":\"more\",\"role\":\"values\",\"shape\":[1000000],"
     "\"form\":\"folded\"},",
     CLIPC_ERROR_UNSUPPORTED, "holds tensor more"},
    {"\"form\":\"panels\"", "\"form\":\"sparse\"", CLIPC_ERROR_UNSUPPORTED,
     "its form \"sparse\" is none that this version of clipc has"},
    {"\"form\":\"panels\"", "\"form\":\"winograd\"", CLIPC_ERROR_FORMAT,
     "has the form \"winograd\", \"panels\" was expected"},
    {"\"form\":\"panels\"", "\"form\":7", CLIPC_ERROR_FORMAT, "its form is missing"},
    {"\"form\":\"panels\"", "\"form\":\"folded\"", CLIPC_ERROR_FORMAT,
     "has the form \"folded\", \"panels\" was expected"},
    {"\"role\":\"table\",\"shape\":[514,64],\"form\":\"f16\"",
     "\"role\":\"table\",\"shape\":[514,64],\"form\":\"f32\"", CLIPC_ERROR_FORMAT,
     "its shape does not fill its bytes"},
    {"\"role\":\"table\",\"shape\":[514,64],\"form\":\"f16\"",
     "\"role\":\"table\",\"shape\":[514,64],\"form\":\"panels\",\"dtype\":\"int8\"",
     CLIPC_ERROR_FORMAT, "has the form \"panels\", \"f32\" was expected"},
    {"\"role\":\"matrix\"", "\"role\":\"values\"", CLIPC_ERROR_FORMAT, "has the role \"values\""},
    {"\"shape\":[64,3,4,4]", "\"shape\":[64,3,4,8]", CLIPC_ERROR_FORMAT,
     "\"image_size\" is 8, but the tensors of the model say 16"},
    {"\"shape\":[192,64]", "\"shape\":[192,65]", CLIPC_ERROR_FORMAT, "has shape [192,65]"},
    {"\"shape\":[192,64]", "\"shape\":[1,1,1,1,1,1,1,1,1]", CLIPC_ERROR_FORMAT, "8 extents"},
    {"\"shape\":[192,64]", "\"shape\":[4294967296,4294967296]", CLIPC_ERROR_LIMIT, "limit"},
    {"\"value\":", "\"value\":1e99,\"other\":", CLIPC_ERROR_FORMAT, "scalar"},
    {"\"offset\":0,", "\"offset\":64,", CLIPC_ERROR_FORMAT, "overlap"},
    {"\"offset\":0,", "\"offset\":4,", CLIPC_ERROR_FORMAT, "no multiple of 64"},
    {"\"offset\":0,", "\"offset\":-64,", CLIPC_ERROR_FORMAT, "is missing"},
    {"\"offset\":0,", "\"offset\":9007199254740992,", CLIPC_ERROR_FORMAT, "outside the file"},
    {"\"offset\":0,\"bytes\":", "\"offset\":0,\"bytes\":0,\"other\":", CLIPC_ERROR_FORMAT,
     "is missing"},
    {"\"offset\":0,\"bytes\":", "\"offset\":0,\"bytes\":9007199254740992,\"other\":",
     CLIPC_ERROR_FORMAT, "outside the file"},
    {"\"crc32\":", "\"crc32\":4294967296,\"other\":", CLIPC_ERROR_FORMAT, "is missing"},
    {"{", "[", CLIPC_ERROR_FORMAT, "not valid JSON"},
};

static void test_lies(void **state)
{
    clipc_file file = make_mini(CLIPC_DTYPE_INT8);
    clipc_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        clipc_file changed = replace(&file, lies[i].from, lies[i].to);
        const clipc_status status = open_bytes(changed.bytes, changed.size, false, false, &error);

        if (status != lies[i].status || !strstr(error.message, lies[i].text))
            fail_msg("%s -> %s: status %d \"%s\"", lies[i].from, lies[i].to, status, error.message);
        free(changed.bytes);
    }
    put_uint(file.bytes + 8, CLIPC_PACKED_VERSION + 1, 4);
    assert_int_equal(open_bytes(file.bytes, file.size, true, false, &error),
                     CLIPC_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "is of version 2 of the format, 1 was expected"));
    put_uint(file.bytes + 8, CLIPC_PACKED_VERSION, 4);
    put_uint(file.bytes + 16, UINT64_MAX, 8);
    assert_int_equal(open_bytes(file.bytes, file.size, true, false, &error), CLIPC_ERROR_LIMIT);
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_damaged_header, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_truncation, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_damaged_data, make_folder_in_memory, remove_folder),
        cmocka_unit_test_setup_teardown(test_lies, make_folder_in_memory, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
