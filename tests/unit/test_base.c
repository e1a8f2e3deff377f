/* SPDX-License-Identifier: MIT */
/* base/: sizes, memory, arena, byte reader and buffer, half floats, CPU levels, messages, options,
 * files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/atomic_file.h"
#include "base/byte_buffer.h"
#include "base/byte_reader.h"
#include "base/cpu.h"
#include "base/file_map.h"
#include "base/float_formats.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/sizes.h"
#include "base/status.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Sizes and memory --- */

static void test_sizes(void **state)
{
    const uint64_t fits[] = {3, 5, 7}, over[] = {1u << 31, 1u << 31, 8};
    size_t out = 0;

    (void)state;
    assert_true(clipc_mul_size(SIZE_MAX / 2, 2, &out));
    assert_int_equal(out, SIZE_MAX - 1);
    assert_false(clipc_mul_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(clipc_mul_size(SIZE_MAX, 0, &out));
    assert_int_equal(out, 0);
    assert_true(clipc_add_size(SIZE_MAX - 1, 1, &out));
    assert_false(clipc_add_size(SIZE_MAX, 1, &out));
    assert_true(clipc_product_size(fits, 3, &out));
    assert_int_equal(out, 105);
    assert_true(clipc_product_size(fits, 0, &out));
    assert_int_equal(out, 1);
    assert_false(clipc_product_size(over, 3, &out));
    assert_int_equal(clipc_round_up(0, 64), 0);
    assert_int_equal(clipc_round_up(1, 64), 64);
    assert_int_equal(clipc_round_up(64, 64), 64);
}

static void test_memory(void **state)
{
    int *numbers = NULL;
    size_t capacity = 0;
    char *text;

    (void)state;
    assert_null(clipc_calloc(0, 8));
    assert_null(clipc_calloc(SIZE_MAX, 2));
    assert_null(clipc_alloc_aligned(SIZE_MAX / 2, 4));
    assert_null(clipc_alloc_aligned(4, 0));
    text = clipc_alloc_aligned(3, 5);
    assert_non_null(text);
    assert_int_equal((uintptr_t)text % CLIPC_ALIGNMENT, 0);
    free(text);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(clipc_grow(&numbers, &capacity, i + 1, sizeof(*numbers)), 0);
        assert_true(capacity > i);
        numbers[i] = (int)i;
    }
    assert_int_equal(clipc_grow(&numbers, &capacity, SIZE_MAX / 2, sizeof(*numbers)), -1);
    assert_int_equal(clipc_grow(&numbers, &capacity, SIZE_MAX, sizeof(*numbers)), -1);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    free(numbers);
    text = clipc_copy_text("abc\0def", 7);
    assert_memory_equal(text, "abc\0def", 8);
    free(text);
    text = clipc_copy_text(NULL, 0);
    assert_string_equal(text, "");
    free(text);
}

/* --- Arena --- */

static char *format(clipc_arena *arena, const char *pattern, ...)
    __attribute__((format(printf, 2, 3)));
static char *format(clipc_arena *arena, const char *pattern, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, pattern);
    text = clipc_arena_format(arena, pattern, arguments);
    va_end(arguments);
    return text;
}

static void test_arena(void **state)
{
    clipc_arena arena = {0};
    unsigned char *pieces[400];
    char *text;

    (void)state;
    for (size_t i = 0; i < 400; i++) {
        const size_t size = i == 200 ? 100000 : i * 7 % 300; /* one larger than any block */

        pieces[i] = clipc_arena_alloc(&arena, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < size; j++)
            assert_int_equal(pieces[i][j], 0);
        memset(pieces[i], (int)(i % 255) + 1, size);
    }
    for (size_t i = 0; i < 400; i++)
        for (size_t j = 0; j < (i == 200 ? 100000 : i * 7 % 300); j++)
            assert_int_equal(pieces[i][j], i % 255 + 1);
    assert_null(clipc_arena_alloc(&arena, SIZE_MAX));
    text = format(&arena, "%s.%d%500s", "layer", 12, "");
    assert_int_equal(strlen(text), 508);
    assert_memory_equal(text, "layer.12 ", 9);
    clipc_arena_free(&arena);
    assert_null(arena.blocks);
    clipc_arena_free(&arena);
}

/* --- Bytes --- */

static void test_byte_reader(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xFF};
    clipc_byte_reader reader = clipc_byte_reader_over(bytes, sizeof(bytes));

    (void)state;
    assert_int_equal(clipc_read_u8(&reader), 1);
    assert_int_equal(clipc_read_u16(&reader), 0x0302);
    assert_int_equal(clipc_read_u32(&reader), 0x07060504);
    assert_int_equal(clipc_read_u64(&reader), 0x0F0E0D0C0B0A0908);
    assert_int_equal(clipc_read_uint(&reader, 1), 0xFF);
    assert_false(reader.failed);
    assert_int_equal(reader.position, 16);
    assert_non_null(clipc_read_bytes(&reader, 0));
    assert_int_equal(clipc_read_u8(&reader), 0);
    assert_true(reader.failed);
    clipc_reader_seek(&reader, 0); /* a failure stays */
    assert_null(clipc_read_bytes(&reader, 1));

    reader = clipc_byte_reader_over(bytes, sizeof(bytes));
    clipc_reader_seek(&reader, 13);
    assert_int_equal(clipc_read_u32(&reader), 0); /* one byte short */
    assert_true(reader.failed);
    assert_int_equal(reader.position, 13);
    reader = clipc_byte_reader_over(bytes, sizeof(bytes));
    clipc_reader_seek(&reader, 4);
    assert_null(clipc_read_bytes(&reader, SIZE_MAX - 2)); /* position + n would overflow */
    assert_true(reader.failed);
    reader = clipc_byte_reader_over(bytes, sizeof(bytes));
    clipc_reader_seek(&reader, 16);
    assert_false(reader.failed);
    clipc_reader_seek(&reader, 17);
    assert_true(reader.failed);
}

static void test_byte_buffer(void **state)
{
    clipc_byte_buffer buffer = {0};

    (void)state;
    clipc_buffer_append_text(&buffer, "ab");
    clipc_buffer_append_byte(&buffer, 'c');
    clipc_buffer_append_uint(&buffer, 0x0102030405060708, 8);
    clipc_buffer_append_uint(&buffer, 0x1234, 2);
    clipc_buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.size, 13);
    assert_memory_equal(buffer.bytes, "abc\x08\x07\x06\x05\x04\x03\x02\x01\x34\x12", 13);
    for (size_t i = 0; i < 10000; i++)
        clipc_buffer_append_byte(&buffer, (uint8_t)i);
    assert_int_equal(buffer.bytes[13 + 9999], 9999 % 256);
    clipc_buffer_append(&buffer, "x", SIZE_MAX - 5); /* does not fit: nothing is read */
    assert_true(buffer.failed);
    clipc_buffer_append_byte(&buffer, 'y');
    assert_int_equal(buffer.size, 10013);
    clipc_buffer_clear(&buffer);
    assert_false(buffer.failed);
    assert_int_equal(buffer.size, 0);
    clipc_buffer_free(&buffer);
    assert_null(buffer.bytes);
}

/* --- Half floats --- */

/* By definition: sign, exponent biased by 15, ten bits of mantissa. */
static double half_value(uint16_t half)
{
    const int exponent = half >> 10 & 31;
    const double mantissa = half & 1023;
    const double magnitude =
        exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024.0 + mantissa, exponent - 25);

    return half & 0x8000 ? -magnitude : magnitude;
}

static void test_every_half(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= 0xFFFF; i++) {
        const uint16_t half = (uint16_t)i;
        const float value = clipc_float_from_f16(half);

        if ((half & 0x7C00) == 0x7C00) {
            assert_true(half & 0x3FF ? isnan(value) : isinf(value));
            continue;
        }
        assert_true((double)value == half_value(half));
        assert_int_equal(clipc_f16_from_float(value), half);
        if ((half & 0x7FFF) < 0x7BFF) { /* halfway to the next: to the even one */
            const float next = clipc_float_from_f16((uint16_t)(half + 1));
            const float middle = value + (next - value) / 2;

            assert_int_equal(clipc_f16_from_float(middle), half & 1 ? half + 1 : half);
            assert_int_equal(clipc_f16_from_float(nextafterf(middle, value)), half);
            assert_int_equal(clipc_f16_from_float(nextafterf(middle, next)), half + 1);
        }
    }
    assert_int_equal(clipc_f16_from_float(65519.0f), 0x7BFF);
    assert_int_equal(clipc_f16_from_float(65520.0f), 0x7C00);
    assert_int_equal(clipc_f16_from_float(-INFINITY), 0xFC00);
    assert_true(isnan(clipc_float_from_f16(clipc_f16_from_float(NAN))));
    assert_int_equal(clipc_f16_from_float(1e-30f), 0);
}

static void test_bfloat16(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= 0xFFFF; i++) {
        const float value = clipc_float_from_bf16((uint16_t)i);

        if (isnan(value))
            assert_true(isnan(clipc_float_from_bf16(clipc_bf16_from_float(value))));
        else
            assert_int_equal(clipc_bf16_from_float(value), i);
    }
    assert_int_equal(clipc_bf16_from_float(clipc_float_from_bits(0x3F808000)), 0x3F80);
    assert_int_equal(clipc_bf16_from_float(clipc_float_from_bits(0x3F808001)), 0x3F81);
    assert_int_equal(clipc_bf16_from_float(clipc_float_from_bits(0x3F818000)), 0x3F82);
    assert_true(isinf(clipc_float_from_bf16(clipc_bf16_from_float(3.4e38f))));
    /* a NaN whose mantissa lies in the lower half only */
    assert_true(
        isnan(clipc_float_from_bf16(clipc_bf16_from_float(clipc_float_from_bits(0x7F800001)))));
}

/* --- Messages and options --- */

static void test_messages(void **state)
{
    clipc_error error;
    char text[400];

    (void)state;
    assert_int_equal(clipc_fail(&error, CLIPC_ERROR_IO, "a\n%s\x7F", "b\t"), CLIPC_ERROR_IO);
    assert_string_equal(error.message, "a?b??");
    assert_int_equal(error.code, CLIPC_ERROR_IO);
    assert_int_equal(clipc_fail(NULL, CLIPC_ERROR_LIMIT, "x"), CLIPC_ERROR_LIMIT);
    for (size_t shift = 0; shift < 3; shift++) { /* cut inside a three-byte character */
        memset(text, 'x', shift);
        for (size_t i = 0; i < 120; i++)
            memcpy(text + shift + 3 * i, "\xE2\x82\xAC", 4);
        clipc_fail(&error, CLIPC_ERROR_IO, "%s", text);
        assert_true(strlen(error.message) >= 250);
        assert_int_equal((strlen(error.message) - shift) % 3, 0);
    }
    for (int status = 0; status <= CLIPC_ERROR_CANCELLED; status++)
        assert_string_not_equal(clipc_status_name((clipc_status)status), "unknown status");
    assert_string_equal(clipc_status_name((clipc_status)999), "unknown status");
}

static void test_options_of_older_headers(void **state)
{
    struct options {
        size_t size;
        int first, second;
    } defaults, given = {.size = offsetof(struct options, second), .first = 7, .second = 8};
    clipc_error error;

    (void)state;
    defaults = (struct options){.size = sizeof(defaults), .first = 1, .second = 2};
    assert_int_equal(clipc_options_take(&defaults, sizeof(defaults), NULL, "o", &error), CLIPC_OK);
    assert_int_equal(defaults.first, 1);
    assert_int_equal(clipc_options_take(&defaults, sizeof(defaults), &given, "o", &error),
                     CLIPC_OK);
    assert_int_equal(defaults.first, 7);
    assert_int_equal(defaults.second, 2);
    given.size = 0;
    assert_int_equal(clipc_options_take(&defaults, sizeof(defaults), &given, "o", &error),
                     CLIPC_ERROR_ARGUMENT);
    given.size = sizeof(given) + 8;
    assert_int_equal(clipc_options_take(&defaults, sizeof(defaults), &given, "o", &error),
                     CLIPC_ERROR_ARGUMENT);
}

/* --- Files, in a folder of their own --- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/clipc-base-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when a test left something */
}

static const char *in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static size_t count_files(void)
{
    DIR *directory = opendir(folder);
    size_t files = 0;

    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
        files += entry->d_name[0] != '.';
    closedir(directory);
    return files;
}

static void assert_contents(const char *path, const char *bytes, size_t size)
{
    char *found;
    size_t found_size;

    assert_int_equal(clipc_file_read(path, 1 << 24, &found, &found_size, NULL), CLIPC_OK);
    assert_int_equal(found_size, size);
    assert_memory_equal(found, bytes, size);
    assert_int_equal(found[size], 0);
    free(found);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    clipc_atomic_file *file;

    assert_int_equal(clipc_atomic_file_open(&file, path, NULL), CLIPC_OK);
    assert_int_equal(clipc_atomic_file_write(file, bytes, size, NULL), CLIPC_OK);
    assert_int_equal(clipc_atomic_file_commit(file, NULL), CLIPC_OK);
}

static void test_atomic_files_appear_whole(void **state)
{
    const char *path = in_folder("file");
    clipc_atomic_file *file, *other;
    char *large = malloc(300000);

    (void)state;
    assert_non_null(large);
    for (size_t i = 0; i < 300000; i++)
        large[i] = (char)(i * 7);
    write_file(path, "old", 3);
    assert_contents(path, "old", 3);
    assert_int_equal(clipc_atomic_file_open(&file, path, NULL), CLIPC_OK);
    assert_int_equal(clipc_atomic_file_open(&other, path, NULL), CLIPC_OK); /* at the same time */
    assert_int_equal(clipc_atomic_file_write(other, "other", 5, NULL), CLIPC_OK);
    for (size_t at = 0, size = 1; at < 300000; at += size, size = size * 3 % 70001) {
        size = size < 300000 - at ? size : 300000 - at;
        assert_int_equal(clipc_atomic_file_write(file, large + at, size, NULL), CLIPC_OK);
    }
    assert_contents(path, "old", 3);
    assert_int_equal(clipc_atomic_file_commit(file, NULL), CLIPC_OK);
    assert_contents(path, large, 300000);
    clipc_atomic_file_abandon(other);
    clipc_atomic_file_abandon(NULL);
    assert_contents(path, large, 300000);
    assert_int_equal(count_files(), 1);
    assert_int_equal(unlink(path), 0);
    free(large);
}

static void test_atomic_files_that_fail(void **state)
{
    clipc_atomic_file *file;
    clipc_error error;

    (void)state;
    assert_int_equal(clipc_atomic_file_open(&file, in_folder("missing/file"), &error),
                     CLIPC_ERROR_IO);
    assert_null(file);
    assert_non_null(strstr(error.message, "missing/file: cannot create: "));
    /* the name is taken by a folder: renaming fails, and the temporary goes */
    assert_int_equal(mkdir(in_folder("taken"), 0700), 0);
    assert_int_equal(clipc_atomic_file_open(&file, in_folder("taken"), &error), CLIPC_OK);
    assert_int_equal(clipc_atomic_file_write(file, "x", 1, &error), CLIPC_OK);
    assert_int_equal(clipc_atomic_file_commit(file, &error), CLIPC_ERROR_IO);
    assert_non_null(strstr(error.message, "taken: cannot rename into place: "));
    assert_int_equal(count_files(), 1);
    assert_int_equal(rmdir(in_folder("taken")), 0);
}

static void test_file_maps(void **state)
{
    const char *path = in_folder("mapped");
    clipc_file_map map;
    clipc_error error;
    char *bytes;
    size_t size;

    (void)state;
    write_file(path, "mapped bytes", 12);
    assert_int_equal(clipc_file_map_open(&map, path, &error), CLIPC_OK);
    assert_int_equal(map.size, 12);
    assert_memory_equal(map.bytes, "mapped bytes", 12);
    clipc_file_map_release(&map, 0, 12);
    clipc_file_map_release(&map, 5, 0);
    assert_memory_equal(map.bytes, "mapped bytes", 12); /* read again when touched */
    clipc_file_map_close(&map);
    assert_int_equal(clipc_file_read(path, 11, &bytes, &size, &error), CLIPC_ERROR_LIMIT);
    write_file(path, "", 0);
    assert_int_equal(clipc_file_map_open(&map, path, &error), CLIPC_OK);
    assert_int_equal(map.size, 0);
    assert_non_null(map.bytes);
    clipc_file_map_close(&map);
    assert_contents(path, "", 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(clipc_file_map_open(&map, path, &error), CLIPC_ERROR_IO);
    assert_int_not_equal(clipc_file_map_open(&map, folder, &error), CLIPC_OK);
    assert_int_not_equal(clipc_file_map_open(&map, "/dev/zero", &error), CLIPC_OK);
}

/* --- CPU levels --- */

/* Every name in the list is one, and gives a level no higher than the one after it. */
static void test_cpu_level_names(void **state)
{
    const char *before = getenv("CLIPC_CPU");
    char *kept = before ? strdup(before) : NULL;
    char names[128], cut[6], *rest = names, *name;
    clipc_cpu_level lower = CLIPC_CPU_PORTABLE, level;

    (void)state;
    clipc_cpu_level_names(names, sizeof(names));
    assert_memory_equal(names, "portable", 8);
    clipc_cpu_level_names(cut, sizeof(cut));
    assert_string_equal(cut, "porta");
    while ((name = strtok_r(NULL, ", ", &rest))) {
        assert_int_equal(setenv("CLIPC_CPU", name, 1), 0);
        assert_true(clipc_cpu_level_choose(&level));
        assert_true(strcmp(name, "portable") != 0 || level == CLIPC_CPU_PORTABLE);
        assert_true(level >= lower);
        lower = level;
    }
    assert_int_equal(setenv("CLIPC_CPU", "portable ", 1), 0);
    assert_false(clipc_cpu_level_choose(&level));
    assert_int_equal(unsetenv("CLIPC_CPU"), 0);
    assert_true(clipc_cpu_level_choose(&level));
    assert_int_equal(level, lower); /* the processor's own, as the highest name gives it */
    if (kept)
        assert_int_equal(setenv("CLIPC_CPU", kept, 1), 0);
    free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_byte_reader),
        cmocka_unit_test(test_byte_buffer),
        cmocka_unit_test(test_every_half),
        cmocka_unit_test(test_bfloat16),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_options_of_older_headers),
        cmocka_unit_test(test_atomic_files_appear_whole),
        cmocka_unit_test(test_atomic_files_that_fail),
        cmocka_unit_test(test_file_maps),
        cmocka_unit_test(test_cpu_level_names),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
