/* SPDX-License-Identifier: MIT */
/* Zip archives, well-formed and lying, as the checkpoint reader takes them. */
#include "checkpoint_builder.h"

#include "checkpoint/zip.h"

static const float values[4] = {1.0f, -2.0f, 3.5f, 0.25f};
static const char state_dict[] = PICKLED_STATE_DICT("4", "0", "I2\nI2\n", "I2\nI1\n");

static zip_builder good_archive(void)
{
    return torch_archive(state_dict, values, sizeof(values));
}

static void test_good(void **state)
{
    zip_builder zip = good_archive();
    clipc_checkpoint *checkpoint = open_bytes(zip.bytes.bytes, zip.bytes.size);

    (void)state;
    assert_string_equal(clipc_checkpoint_format(checkpoint), "pytorch");
    assert_values(checkpoint, "t", values, 4);
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&zip.bytes);
}

static void test_packed_pickle(void **state)
{
    zip_builder zip = {0};
    clipc_checkpoint *checkpoint;

    (void)state;
    zip_add_deflated(&zip, "a/data.pkl", state_dict, strlen(state_dict));
    zip_add(&zip, "a/data/0", values, sizeof(values));
    zip_add_deflated(&zip, "a/byteorder", "little", 6);
    zip_finish(&zip);
    checkpoint = open_bytes(zip.bytes.bytes, zip.bytes.size);
    assert_values(checkpoint, "t", values, 4);
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&zip.bytes);
}

static void test_comment(void **state)
{
    zip_builder zip = good_archive();
    clipc_checkpoint *checkpoint;

    (void)state;
    patch(&zip, zip.end + END_COMMENT_LENGTH, 11, 2);
    clipc_buffer_append_text(&zip.bytes, "PK\5\6 no end");
    checkpoint = open_bytes(zip.bytes.bytes, zip.bytes.size);
    assert_values(checkpoint, "t", values, 4);
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&zip.bytes);
}

/* --- zip64 --- */

/* An archive whose second entry has its sizes and place in zip64 fields, and a zip64 end record. */
static zip_builder zip64_archive(void)
{
    zip_builder zip = good_archive();
    clipc_byte_buffer *out = &zip.bytes;
    const size_t record = zip.records[1], size = zip.end - zip.directory + 28;

    out->size = zip.end;
    patch(&zip, record + RECORD_STORED_SIZE, UINT32_MAX, 4);
    patch(&zip, record + RECORD_SIZE, UINT32_MAX, 4);
    patch(&zip, record + RECORD_OFFSET, UINT32_MAX, 4);
    patch(&zip, record + RECORD_EXTRA_LENGTH, 28, 2);
    clipc_buffer_append_uint(out, 1, 2);
    clipc_buffer_append_uint(out, 24, 2);
    clipc_buffer_append_uint(out, sizeof(values), 8);
    clipc_buffer_append_uint(out, sizeof(values), 8);
    clipc_buffer_append_uint(out, zip.headers[1], 8);
    zip.end = out->size; /* of the zip64 end record, from here on */
    clipc_buffer_append_uint(out, 0x06064B50, 4);
    clipc_buffer_append_uint(out, 44, 8);
    clipc_buffer_append_uint(out, 45 | 45 << 16, 4);
    clipc_buffer_append_uint(out, 0, 8);
    clipc_buffer_append_uint(out, 2, 8);
    clipc_buffer_append_uint(out, 2, 8);
    clipc_buffer_append_uint(out, size, 8);
    clipc_buffer_append_uint(out, zip.directory, 8);
    clipc_buffer_append_uint(out, 0x07064B50, 4);
    clipc_buffer_append_uint(out, 0, 4);
    clipc_buffer_append_uint(out, zip.end, 8);
    clipc_buffer_append_uint(out, 1, 4);
    clipc_buffer_append_uint(out, 0x06054B50, 4);
    clipc_buffer_append_uint(out, 0, 4);
    clipc_buffer_append_uint(out, 0xFFFFFFFF, 4);
    clipc_buffer_append_uint(out, UINT64_MAX, 8);
    clipc_buffer_append_uint(out, 0, 2);
    assert_false(out->failed);
    return zip;
}

static void test_zip64(void **state)
{
    zip_builder zip = zip64_archive();
    clipc_checkpoint *checkpoint = open_bytes(zip.bytes.bytes, zip.bytes.size);

    (void)state;
    assert_values(checkpoint, "t", values, 4);
    clipc_checkpoint_close(checkpoint);
    clipc_buffer_free(&zip.bytes);
}

static void test_zip64_lies(void **state)
{
    static const struct {
        size_t from_end, width; /* bytes after the zip64 end record */
        uint64_t value;
        const char *text;
    } lies[] = {
        {0, 4, 0, "its zip64 record is missing"},
        {32, 8, UINT64_MAX, "smaller than its number of entries"},
        {40, 8, UINT64_MAX - 1, "its directory lies outside"},
        {48, 8, UINT64_MAX - 1, "its directory lies outside"},
        {56, 4, 0, "its zip64 record is missing"},
        {56 + 8, 8, UINT64_MAX, "its zip64 record lies outside"},
        {56 + 8, 8, 0, "its zip64 record is missing"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        zip_builder zip = zip64_archive();

        patch(&zip, zip.end + lies[i].from_end, lies[i].value, lies[i].width);
        assert_zip_refused(&zip, CLIPC_ERROR_FORMAT, lies[i].text);
    }
}

static void test_zip64_entry_outside(void **state)
{
    zip_builder zip = zip64_archive();

    (void)state;
    patch(&zip, zip.end - 24, (uint64_t)1 << 40, 8); /* both sizes */
    patch(&zip, zip.end - 16, (uint64_t)1 << 40, 8);
    assert_zip_refused(&zip, CLIPC_ERROR_FORMAT, "an entry lies outside");
}

/* --- Lies --- */

typedef enum place { IN_HEADER, IN_RECORD, IN_END } place;

typedef struct lie {
    place where;
    size_t entry, field, width;
    uint64_t value;
    clipc_status status;
    const char *text;
} lie;

static void test_lies(void **state)
{
    static const lie lies[] = {
        {IN_HEADER, 0, 0, 4, 0x04034B51, CLIPC_ERROR_FORMAT, "not a checkpoint"},
        {IN_HEADER, 1, 0, 4, 0, CLIPC_ERROR_FORMAT, "an entry has no header"},
        {IN_HEADER, 1, HEADER_METHOD, 2, 8, CLIPC_ERROR_FORMAT, "contradicts the directory"},
        {IN_HEADER, 1, HEADER_STORED_SIZE, 4, 1, CLIPC_ERROR_FORMAT, "size contradicts"},
        {IN_HEADER, 1, HEADER_NAME_LENGTH, 2, 7, CLIPC_ERROR_FORMAT, "contradicts the directory"},
        {IN_HEADER, 1, HEADER_NAME_LENGTH, 2, 65535, CLIPC_ERROR_FORMAT, "lies outside"},
        {IN_HEADER, 1, HEADER_SIZE, 1, 'b', CLIPC_ERROR_FORMAT, "contradicts the directory"},
        {IN_RECORD, 0, 0, 4, 0, CLIPC_ERROR_FORMAT, "its directory is cut short"},
        {IN_RECORD, 1, RECORD_FLAGS, 2, 1, CLIPC_ERROR_UNSUPPORTED, "encrypted"},
        {IN_RECORD, 1, RECORD_METHOD, 2, 12, CLIPC_ERROR_UNSUPPORTED, "method 12"},
        {IN_RECORD, 0, RECORD_CRC, 4, 0, CLIPC_ERROR_FORMAT, "a/data.pkl is damaged"},
        {IN_RECORD, 1, RECORD_SIZE, 4, 1000, CLIPC_ERROR_FORMAT, "has two sizes"},
        {IN_RECORD, 1, RECORD_STORED_SIZE, 4, 8, CLIPC_ERROR_FORMAT, "has two sizes"},
        {IN_RECORD, 1, RECORD_STORED_SIZE, 8, 0x7FFFFFF07FFFFFF0, CLIPC_ERROR_FORMAT,
         "lies outside"},
        {IN_RECORD, 1, RECORD_NAME_LENGTH, 2, 65535, CLIPC_ERROR_FORMAT, "cut short"},
        {IN_RECORD, 1, RECORD_EXTRA_LENGTH, 2, 65535, CLIPC_ERROR_FORMAT, "cut short"},
        {IN_RECORD, 1, RECORD_OFFSET, 4, 0, CLIPC_ERROR_FORMAT, "contradicts the directory"},
        {IN_RECORD, 1, RECORD_OFFSET, 4, 0xFFFFFF00, CLIPC_ERROR_FORMAT, "lies outside"},
        {IN_RECORD, 1, RECORD_LENGTH + 1, 1, 0, CLIPC_ERROR_FORMAT, "is malformed"},
        {IN_END, 0, 0, 4, 0, CLIPC_ERROR_FORMAT, "no end record"},
        {IN_END, 0, END_DISK, 2, 1, CLIPC_ERROR_FORMAT, "one part of several"},
        {IN_END, 0, END_ENTRIES, 2, 3, CLIPC_ERROR_FORMAT, "smaller than its number"},
        {IN_END, 0, END_ENTRIES, 2, 0, CLIPC_ERROR_FORMAT, "without data.pkl"},
        {IN_END, 0, END_ENTRIES, 2, 65535, CLIPC_ERROR_FORMAT, "zip64 record is missing"},
        {IN_END, 0, END_DIRECTORY_SIZE, 4, 0xFFFFFFF0, CLIPC_ERROR_FORMAT, "lies outside"},
        {IN_END, 0, END_DIRECTORY_OFFSET, 4, 0, CLIPC_ERROR_FORMAT, "cut short"},
        {IN_END, 0, END_DIRECTORY_OFFSET, 4, 0xFFFFFFF0, CLIPC_ERROR_FORMAT, "lies outside"},
        {IN_END, 0, END_COMMENT_LENGTH, 2, 5, CLIPC_ERROR_FORMAT, "no end record"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        const lie *l = &lies[i];
        zip_builder zip = good_archive();
        const size_t start = l->where == IN_HEADER   ? zip.headers[l->entry]
                             : l->where == IN_RECORD ? zip.records[l->entry]
                                                     : zip.end;

        patch(&zip, start + l->field, l->value, l->width);
        assert_zip_refused(&zip, l->status, l->text);
    }
}

/* Two records of one header, as in archives that unpack to much more than they hold. */
static void test_overlap(void **state)
{
    zip_builder zip = {0};

    (void)state;
    zip_add_text(&zip, "a/data.pkl", state_dict);
    zip_add(&zip, "a/data/0", values, sizeof(values));
    zip_add(&zip, "a/data/0", values, sizeof(values));
    zip_finish(&zip);
    patch(&zip, zip.records[2] + RECORD_OFFSET, zip.headers[1], 4);
    assert_zip_refused(&zip, CLIPC_ERROR_FORMAT, "entries overlap");
}

/* An entry whose sizes reach into the next. */
static void test_overlap_by_size(void **state)
{
    zip_builder zip = good_archive();
    const size_t size = strlen(state_dict) + 10;

    (void)state;
    patch(&zip, zip.headers[0] + HEADER_STORED_SIZE, size, 4);
    patch(&zip, zip.records[0] + RECORD_STORED_SIZE, size, 4);
    patch(&zip, zip.records[0] + RECORD_SIZE, size, 4);
    assert_zip_refused(&zip, CLIPC_ERROR_FORMAT, "entries overlap");
}

static void test_same_name(void **state)
{
    zip_builder zip = {0};

    (void)state;
    zip_add_text(&zip, "a/data.pkl", state_dict);
    zip_add(&zip, "a/data/0", values, sizeof(values));
    zip_add(&zip, "a/data/0", values, sizeof(values));
    zip_finish(&zip);
    assert_zip_refused(&zip, CLIPC_ERROR_FORMAT, "two entries have the same name");
}

static void test_two_roots(void **state)
{
    zip_builder zip = {0};

    (void)state;
    zip_add_text(&zip, "a/data.pkl", state_dict);
    zip_add_text(&zip, "b/data.pkl", state_dict);
    zip_add(&zip, "a/data/0", values, sizeof(values));
    zip_finish(&zip);
    assert_zip_refused(&zip, CLIPC_ERROR_FORMAT, "holds both a/data.pkl and b/data.pkl");
}

static void test_no_pickle(void **state)
{
    zip_builder zip = {0};

    (void)state;
    zip_add_text(&zip, "word/document.xml", "<document/>");
    zip_finish(&zip);
    assert_zip_refused(&zip, CLIPC_ERROR_FORMAT, "without data.pkl");
}

static void test_byte_order(void **state)
{
    zip_builder zip = {0};

    (void)state;
    zip_add_text(&zip, "a/data.pkl", state_dict);
    zip_add_text(&zip, "a/byteorder", "big");
    zip_add(&zip, "a/data/0", values, sizeof(values));
    zip_finish(&zip);
    assert_zip_refused(&zip, CLIPC_ERROR_UNSUPPORTED, "\"big\"-endian, \"little\" was expected");
}

static void test_packed_storage(void **state)
{
    zip_builder zip = {0};

    (void)state;
    zip_add_text(&zip, "a/data.pkl", state_dict);
    zip_add_deflated(&zip, "a/data/0", values, sizeof(values));
    zip_finish(&zip);
    assert_zip_refused(&zip, CLIPC_ERROR_FORMAT, "does not hold the data of tensor t");
}

/* --- What unpacks to more, or less, than it says --- */

static void test_bomb(void **state)
{
    const size_t size = (size_t)40 << 20;
    uint8_t *zeros = calloc(1, size);
    zip_builder zip = {0}, modest = {0};

    (void)state;
    assert_non_null(zeros);
    zip_add_deflated(&zip, "a/data.pkl", zeros, size);
    zip_finish(&zip);
    assert_zip_refused(&zip, CLIPC_ERROR_LIMIT, "at most 33554432 are read");
    zip_add_deflated(&modest, "a/data.pkl", zeros, size); /* says that it is small */
    zip_finish(&modest);
    patch(&modest, modest.records[0] + RECORD_SIZE, 1000, 4);
    assert_zip_refused(&modest, CLIPC_ERROR_FORMAT, "does not unpack to its 1000 bytes");
    free(zeros);
}

static void test_packed_lies(void **state)
{
    zip_builder larger = {0}, broken = {0};

    (void)state;
    zip_add_deflated(&larger, "a/data.pkl", state_dict, strlen(state_dict));
    zip_finish(&larger);
    patch(&larger, larger.records[0] + RECORD_SIZE, 1000, 4);
    assert_zip_refused(&larger, CLIPC_ERROR_FORMAT, "does not unpack to its 1000 bytes");
    zip_add_deflated(&broken, "a/data.pkl", state_dict, strlen(state_dict));
    zip_finish(&broken);
    patch(&broken, broken.headers[0] + HEADER_SIZE + strlen("a/data.pkl"), 0xFF, 1);
    assert_zip_refused(&broken, CLIPC_ERROR_FORMAT, "a/data.pkl does not unpack");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_packed_pickle),
        cmocka_unit_test(test_comment),
        cmocka_unit_test(test_zip64),
        cmocka_unit_test(test_zip64_lies),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_overlap_by_size),
        cmocka_unit_test(test_zip64_entry_outside),
        cmocka_unit_test(test_same_name),
        cmocka_unit_test(test_two_roots),
        cmocka_unit_test(test_no_pickle),
        cmocka_unit_test(test_byte_order),
        cmocka_unit_test(test_packed_storage),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_packed_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
