/* SPDX-License-Identifier: MIT */
/*
 * Token ids against those of the original (reference/data/tokens.txt), at the context that just
 * fits, one too short, and cut; then what the table cannot say: errors, other vocabularies, large
 * texts.
 */
#include "text/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START 49406
#define END 49407
#define MOST_IDS 4096

static clipc_tokenizer *tokenizer;

static int open_tokenizer(void **state)
{
    (void)state;
    return (int)clipc_tokenizer_open(&tokenizer, CLIPC_VOCAB_SIZE, NULL);
}

static int close_tokenizer(void **state)
{
    (void)state;
    clipc_tokenizer_close(tokenizer);
    return 0;
}

static clipc_status encode(const char *text, int32_t *ids, size_t context, unsigned flags,
                           clipc_error *error)
{
    return clipc_tokenizer_encode(tokenizer, text, strlen(text), ids, context, flags, NULL, error);
}

/* --- The table --- */

/* Writes c as UTF-8, also where it is a surrogate; returns the bytes. */
static size_t put_utf8(char *out, unsigned long c)
{
    const size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (length == 1) {
        *out = (char)c;
        return 1;
    }
    for (size_t i = length; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((0xF00u >> length) | c);
    return length;
}

/* Resolves \u{HEX} in place; returns the bytes. */
static size_t unescape(char *text)
{
    size_t size = 0;

    for (char *at = text; *at;) {
        if (strncmp(at, "\\u{", 3) == 0) {
            char *end;
            const unsigned long c = strtoul(at + 3, &end, 16);

            assert_int_equal(*end, '}');
            at = end + 1;
            size += put_utf8(text + size, c);
        } else {
            text[size++] = *at++;
        }
    }
    return size;
}

static size_t read_ids(const char *at, int32_t *ids)
{
    size_t count = 0;

    while (*at && *at != '\n') {
        char *end;

        assert_true(count < MOST_IDS);
        ids[count++] = (int32_t)strtol(at, &end, 10);
        assert_true(end != at);
        at = end;
    }
    return count;
}

static void check_line(const char *text, size_t size, const int32_t *expected, size_t count,
                       int line)
{
    int32_t ids[MOST_IDS + 1], general[MOST_IDS + 1];
    size_t length = 0;
    clipc_status status =
        clipc_tokenizer_encode(tokenizer, text, size, ids, count + 1, 0, &length, NULL);

    if (status || length != count || memcmp(ids, expected, count * sizeof(*ids)) != 0)
        fail_msg("tokens.txt:%d: status %d, %zu ids, %zu were expected", line, (int)status, length,
                 count);
    assert_int_equal(ids[count], 0); /* padding */
    assert_int_equal(
        clipc_tokenizer_encode_general(tokenizer, text, size, general, count + 1, 0, NULL, NULL),
        CLIPC_OK);
    assert_memory_equal(general, ids, (count + 1) * sizeof(*ids));
    assert_int_equal(clipc_tokenizer_encode(tokenizer, text, size, ids, count, 0, NULL, NULL), 0);
    assert_int_equal(clipc_tokenizer_encode(tokenizer, text, size, ids, count - 1, 0, NULL, NULL),
                     CLIPC_ERROR_TOO_LONG);
    assert_int_equal(clipc_tokenizer_encode(tokenizer, text, size, ids, count - 1,
                                            CLIPC_TOKENIZE_TRUNCATE, &length, NULL),
                     0);
    assert_int_equal(length, count - 1);
    assert_memory_equal(ids, expected, (count - 2) * sizeof(*ids));
    assert_int_equal(ids[count - 2], END);
}

static void test_against_original(void **state)
{
    static char text[1 << 16];
    static int32_t expected[MOST_IDS];
    FILE *file = fopen(CLIPC_TEST_DATA "/tokens.txt", "rb");
    int lines = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(text, sizeof(text), file)) {
        char *tab = strchr(text, '\t');
        size_t count;

        lines++;
        assert_non_null(tab);
        *tab = '\0';
        count = read_ids(tab + 1, expected);
        check_line(text, unescape(text), expected, count, lines);
    }
    fclose(file);
    assert_true(lines > 400);
}

/* --- Too long --- */

static void test_too_long(void **state)
{
    char text[1001];
    int32_t ids[77] = {-1};
    clipc_error error;

    (void)state;
    assert_int_equal(encode("one two three", ids, 4, 0, &error), CLIPC_ERROR_TOO_LONG);
    assert_string_equal(error.message,
                        "Input one two three is too long for context length 4: it has 5 tokens, "
                        "the cut would fall after \"one two\"");
    assert_int_equal(ids[0], -1); /* untouched */
    for (size_t i = 0; i < 1000; i++)
        text[i] = i % 2 ? ' ' : 'x';
    text[1000] = '\0';
    assert_int_equal(encode(text, ids, 77, 0, &error), CLIPC_ERROR_TOO_LONG);
    assert_non_null(strstr(error.message, "... is too long for context length 77: it has 502"));
    assert_non_null(strstr(error.message, "after \"... x x"));
    /* What is shown is whole characters, also of invalid UTF-8 and of a word that is cut. */
    assert_int_equal(clipc_tokenizer_encode(tokenizer, "a\0\xFF", 3, ids, 2,
                                            CLIPC_TOKENIZE_REPLACE_INVALID, NULL, &error),
                     CLIPC_ERROR_TOO_LONG);
    assert_non_null(strstr(error.message, "Input a?\xEF\xBF\xBD is too long for context length 2"));
    assert_int_equal(encode("x \xE1\x8A\xA0", ids, 4, 0, &error), CLIPC_ERROR_TOO_LONG);
    assert_non_null(strstr(error.message, "it has 6 tokens, the cut would fall after \"x \""));
}

static void test_shortest_contexts(void **state)
{
    int32_t ids[2];

    (void)state;
    assert_int_equal(encode("", ids, 2, 0, NULL), CLIPC_OK);
    assert_int_equal(ids[0], START);
    assert_int_equal(ids[1], END);
    assert_int_equal(encode("", ids, 1, 0, NULL), CLIPC_ERROR_TOO_LONG);
    assert_int_equal(encode("a", ids, 1, CLIPC_TOKENIZE_TRUNCATE, NULL), CLIPC_OK);
    assert_int_equal(ids[0], END);
    assert_int_equal(encode("a", ids, 0, 0, NULL), CLIPC_ERROR_ARGUMENT);
}

/* --- Encodings --- */

/* How many U+FFFD a text becomes, told by the ids of as many that are spelled out. */
static void assert_replaced(const char *bytes, const char *same)
{
    int32_t ids[40], expected[40];

    assert_int_equal(encode(bytes, ids, 40, CLIPC_TOKENIZE_REPLACE_INVALID, NULL), CLIPC_OK);
    assert_int_equal(encode(same, expected, 40, 0, NULL), CLIPC_OK);
    assert_memory_equal(ids, expected, sizeof(ids));
}

#define R "\xEF\xBF\xBD"

static void test_replaced(void **state)
{
    (void)state;
    assert_replaced("a\xFFz", "a" R "z");
    assert_replaced("\xC0\xAF.", R R ".");
    assert_replaced("\xE2\x82.\xE2.", R "." R "."); /* one for a broken sequence */
    assert_replaced("\xED\xA0\x80", R R R);         /* a surrogate */
    assert_replaced("\xF0\x80\x80\x41\xF4\x90\x80\x80", R R R "A" R R R R); /* out of range */
    assert_replaced("\xF0\x9F\x98", R);
    assert_replaced("\x80\xBF", R R);
}

static void assert_invalid(const char *text, const char *message)
{
    int32_t ids[8];
    clipc_error error;

    assert_int_equal(encode(text, ids, 8, 0, &error), CLIPC_ERROR_ENCODING);
    assert_string_equal(error.message, message);
}

static void test_invalid(void **state)
{
    (void)state;
    assert_invalid("\xFF", "text: is not UTF-8: byte 0xFF at offset 0");
    assert_invalid("caf\xE9 noir", "text: is not UTF-8: byte 0xE9 at offset 3");
    assert_invalid("ab\xE2\x82", "text: is not UTF-8: byte 0xE2 at offset 2");
    assert_invalid("\xED\xB0\x80", "text: is not UTF-8: byte 0xED at offset 0");
    assert_invalid("\xC1\x81", "text: is not UTF-8: byte 0xC1 at offset 0");
    assert_invalid("\xF4\x90\x80\x80", "text: is not UTF-8: byte 0xF4 at offset 0");
}

/* --- Vocabularies --- */

static void test_smaller_vocabulary(void **state)
{
    clipc_tokenizer *small;
    int32_t ids[16];
    /* "the": t, h, e that ends a word; merge 0 is "i n", merge 1 "t h". */
    static const int32_t bytes_only[] = {512, 83, 71, 324, 512, 513};
    static const int32_t two_merges[] = {514, 513, 324, 514, 515};
    static const char text[] = "the<|startoftext|>";

    (void)state;
    assert_int_equal(clipc_tokenizer_open(&small, CLIPC_VOCAB_SIZE_MIN, NULL), CLIPC_OK);
    assert_int_equal(clipc_tokenizer_encode(small, text, strlen(text), ids, 16, 0, NULL, NULL),
                     CLIPC_OK);
    assert_memory_equal(ids, bytes_only, sizeof(bytes_only));
    clipc_tokenizer_close(small);
    assert_int_equal(clipc_tokenizer_open(&small, CLIPC_VOCAB_SIZE_MIN + 2, NULL), CLIPC_OK);
    assert_int_equal(clipc_tokenizer_encode(small, text, strlen(text), ids, 16, 0, NULL, NULL),
                     CLIPC_OK);
    assert_memory_equal(ids, two_merges, sizeof(two_merges));
    clipc_tokenizer_close(small);
}

static void test_impossible_vocabulary(void **state)
{
    clipc_tokenizer *none = tokenizer;
    clipc_error error;

    (void)state;
    assert_int_equal(clipc_tokenizer_open(&none, CLIPC_VOCAB_SIZE_MIN - 1, &error),
                     CLIPC_ERROR_UNSUPPORTED);
    assert_null(none);
    assert_int_equal(clipc_tokenizer_open(&none, CLIPC_VOCAB_SIZE + 1, &error),
                     CLIPC_ERROR_UNSUPPORTED);
    assert_string_equal(error.message,
                        "tokenizer: a vocabulary of 49409 ids; 514 to 49408 were expected");
    clipc_tokenizer_close(NULL);
}

/* --- Many texts --- */

static void test_batch(void **state)
{
    enum { N = 700, CONTEXT = 8, BAD = 555 };
    static const char *const kinds[] = {"a photo", "caf\xC3\xA9", "", "don't &amp; do"};
    static int32_t one[N * CONTEXT], three[N * CONTEXT];
    const char *texts[N];
    size_t failed = 0;
    clipc_error error;

    (void)state;
    for (size_t i = 0; i < N; i++)
        texts[i] = kinds[i * 7 / 5 % 4];
    assert_int_equal(clipc_tokenize_batch(NULL, texts, N, one, CONTEXT, 0, 1, NULL, NULL), 0);
    assert_int_equal(clipc_tokenize_batch(NULL, texts, N, three, CONTEXT, 0, 3, NULL, NULL), 0);
    assert_memory_equal(one, three, sizeof(one));
    for (size_t i = 0; i < N; i++) {
        int32_t ids[CONTEXT];

        assert_int_equal(encode(texts[i], ids, CONTEXT, 0, NULL), CLIPC_OK);
        assert_memory_equal(ids, one + i * CONTEXT, sizeof(ids));
    }
    texts[BAD] = "one two three four five six seven";
    texts[BAD + 100] = "\xFF";
    assert_int_equal(clipc_tokenize_batch(NULL, texts, N, one, CONTEXT, 0, 3, &failed, &error),
                     CLIPC_ERROR_TOO_LONG);
    assert_int_equal(failed, BAD);
    assert_non_null(strstr(error.message, "Input one two three four"));
}

/* --- Large texts --- */

/* `count` times `piece`, cut to a short context: done in a moment, whatever the piece. */
static void check_repeated(const char *piece, size_t count)
{
    const size_t length = strlen(piece);
    char *text = malloc(length * count);
    int32_t ids[77];

    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * length, piece, length);
    assert_int_equal(clipc_tokenizer_encode(tokenizer, text, length * count, ids, 77,
                                            CLIPC_TOKENIZE_TRUNCATE, NULL, NULL),
                     CLIPC_OK);
    free(text);
}

static void test_large(void **state)
{
    (void)state;
    check_repeated("a", 100000); /* one word */
    check_repeated("\xC3\x83\xC2\xA9 ", 20000);
    check_repeated("\xC3\x83", 20000);
    check_repeated("&amp;", 20000);
    check_repeated("amp;&", 20000);
    check_repeated("\xE2\x82\xAC\xC3\xA2", 20000);
    check_repeated("\xCC\x81", 20000); /* marks without a letter, to be normalised */
    check_repeated("\n", 100000);
    check_repeated("\xCE\xA3\xC2\xAD", 20000); /* sigma, and characters it looks past */
}

static void test_too_large(void **state)
{
    const size_t size = ((size_t)16 << 20) + 1;
    char *text = calloc(size, 1);
    int32_t ids[77];

    (void)state;
    assert_non_null(text);
    assert_int_equal(
        clipc_tokenizer_encode(tokenizer, text, size, ids, 77, CLIPC_TOKENIZE_TRUNCATE, NULL, NULL),
        CLIPC_ERROR_LIMIT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_original),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_shortest_contexts),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_smaller_vocabulary),
        cmocka_unit_test(test_impossible_vocabulary),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_too_large),
    };

    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
