/* SPDX-License-Identifier: MIT */
/*
 * The short cut for plain text against the tokenizer's general path, on random texts made of what
 * is hard for it; the tables computed at build time and the two ways of joining byte pairs against
 * each other. (test_tokenizer.c compares both paths on the original's texts as well.)
 */
#include "text/bpe.h"
#include "text/plain_text.h"
#include "text/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS (CLIPC_VOCAB_SIZE - 2)
#define LONGEST 400

static const uint32_t sizes[] = {CLIPC_VOCAB_SIZE, CLIPC_VOCAB_SIZE_MIN, 9000};
static clipc_tokenizer *tokenizers[3];

static int open_tokenizers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        if (clipc_tokenizer_open(&tokenizers[i], sizes[i], NULL))
            return -1;
    return 0;
}

static int close_tokenizers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        clipc_tokenizer_close(tokenizers[i]);
    return 0;
}

static uint32_t random_below(uint32_t *state, uint32_t limit)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*state * limit >> 32);
}

/* --- Both paths --- */

static void compare(const clipc_tokenizer *tokenizer, const char *text, size_t size, size_t context,
                    unsigned flags)
{
    int32_t ids[LONGEST], general[LONGEST];
    size_t length = 0, general_length = 0;
    clipc_error error = {0}, general_error = {0};
    clipc_status status, expected;

    memset(ids, -1, sizeof(ids));
    memset(general, -1, sizeof(general));
    status = clipc_tokenizer_encode(tokenizer, text, size, ids, context, flags, &length, &error);
    expected = clipc_tokenizer_encode_general(tokenizer, text, size, general, context, flags,
                                              &general_length, &general_error);
    if (status != expected || length != general_length || memcmp(ids, general, sizeof(ids)) != 0 ||
        strcmp(error.message, general_error.message) != 0)
        fail_msg("context %zu, flags %u: status %d, %zu ids; generally %d, %zu: \"%.*s\"", context,
                 flags, (int)status, length, (int)expected, general_length, (int)size, text);
}

/* Pieces that meet in every order. */
static const char *const pieces[] = {
    " ",
    " ",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\f",
    "a",
    "I",
    "photo",
    "of",
    "DOG",
    "Samoyed",
    "x",
    "don",
    "'",
    "''",
    "'s",
    "'S",
    "'t",
    "'T",
    "'re",
    "'Re",
    "'ve",
    "'m",
    "'ll",
    "'lL",
    "'d",
    "'r",
    "'l",
    "'v",
    "'store",
    "?!",
    "!!!",
    "...",
    "---",
    "==",
    "@",
    "[",
    "`",
    "{",
    "~",
    "^_^",
    "\\",
    ":)",
    "#tag",
    "1",
    "2014",
    "3.14",
    "<",
    "<|",
    "|>",
    "<|endoftext|>",
    "<",
    "<b>",
    "&",
    "& ",
    "&&",
    "&1",
    "&-",
    "&\n",
    "<|EndOfText|>",
    "&amp;",
    "&amp",
    "&#65;",
    "&#",
    "&lt;p",
    "\x0B",
    "\x1B[1m",
    "\x7F",
    "<|startoftext|>",
    "$%",
    "\x01",
    "\xC3\xA9",
    "\xFF",
    "\xE2\x80\x99",
    "</w>",
    "/",
    "endoftext",
    "<\\endoftext\\>",
    "incomprehensibilities",
    "photographing",
    "electroencephalographically",
    "antidisestablishment",
};

/* Mostly plain: every tenth text may have pieces that are not. */
static size_t make_text(uint32_t *state, char *text)
{
    const uint32_t count = random_below(state, 24);
    const bool only_plain = random_below(state, 10) > 0;
    size_t size = 0;

    for (uint32_t i = 0; i < count; i++) {
        const char *piece = pieces[random_below(state, sizeof(pieces) / sizeof(pieces[0]))];

        for (const char *c = piece; *c; c++)
            if (!only_plain || ((uint8_t)*c < 0x7F && (uint8_t)*c >= ' '))
                text[size++] = *c;
    }
    return size;
}

static void test_random_pieces(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < 6000; i++) {
        char text[24 * 32];
        const size_t size = make_text(&seed, text);
        const size_t context = 1 + random_below(&seed, random_below(&seed, 2) ? 20 : 200);

        /* Its own block, so that a sanitizer sees a read past the end. */
        char *exact = malloc(size + 1);

        assert_non_null(exact);
        memcpy(exact + 1, text, size);
        compare(tokenizers[i % 3], exact + 1, size, context, (unsigned)random_below(&seed, 4));
        free(exact);
    }
}

/* Any bytes, of three kinds: ASCII, printable, few different ones. */
static void test_random_bytes(void **state)
{
    static const char few[] = "aAzZ '\"&;<|>09@[`{sStTdDlL";
    uint32_t seed = 2;

    (void)state;
    for (int i = 0; i < 6000; i++) {
        char text[80];
        const size_t size = random_below(&seed, sizeof(text) + 1);

        for (size_t k = 0; k < size; k++)
            text[k] = (char)(i % 3 == 0   ? random_below(&seed, 128)
                             : i % 3 == 1 ? 32 + random_below(&seed, 95)
                                          : (uint32_t)few[random_below(&seed, sizeof(few) - 1)]);
        compare(tokenizers[i % 3], text, size, LONGEST - random_below(&seed, 370), 0);
    }
}

/* Runs of one byte about the lengths at which a word is handled differently, and beyond. */
static void test_long_runs(void **state)
{
    static const char bytes[] = "aZ!0' &";
    char text[LONGEST];

    (void)state;
    for (const char *byte = bytes; *byte; byte++)
        for (size_t size = 0; size < LONGEST; size += size < 80 || size > 250 ? 1 : 30) {
            memset(text, *byte, size);
            compare(tokenizers[0], text, size, LONGEST, 0);
            compare(tokenizers[1], text, size, 77, CLIPC_TOKENIZE_TRUNCATE);
        }
}

/* Which texts take the short cut: without this the comparison could be of one path with itself. */
static void test_what_is_plain(void **state)
{
    static const struct {
        const char *text;
        bool is_plain;
    } cases[] = {
        {"", true},
        {"A photo of a dog.", true},
        {"salt & pepper, R&2 &", true},
        {"<|endoftext|> don't\r\n\t\f", true},
        {"R&D", false},
        {"&#1", false},
        {"a\x0B", false},
        {"a\x7F", false},
        {"caf\xC3\xA9", false},
        {"\xFF", false},
    };
    char word[CLIPC_BPE_SHORT + 1];
    int32_t ids[CLIPC_BPE_SHORT];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t count = clipc_plain_text_encode(SYMBOLS, (const uint8_t *)cases[i].text,
                                                     strlen(cases[i].text), ids, CLIPC_BPE_SHORT);

        if ((count != CLIPC_NOT_PLAIN) != cases[i].is_plain)
            fail_msg("\"%s\": %s", cases[i].text, cases[i].is_plain ? "not plain" : "plain");
    }
    memset(word, 'q', sizeof(word));
    assert_int_not_equal(
        clipc_plain_text_encode(SYMBOLS, (const uint8_t *)word, CLIPC_BPE_SHORT, ids, 0),
        CLIPC_NOT_PLAIN);
    assert_int_equal(
        clipc_plain_text_encode(SYMBOLS, (const uint8_t *)word, CLIPC_BPE_SHORT + 1, ids, 0),
        CLIPC_NOT_PLAIN);
}

/* --- Tables --- */

/* Each word of the table is its own only token as soon as the list reaches it, and not before. */
static void test_table_of_words(void **state)
{
    clipc_bpe_scratch scratch = {0};
    size_t words = 0;

    (void)state;
    for (size_t place = 0; place < CLIPC_BPE_PLACES; place++) {
        const clipc_bpe_word *entry = &clipc_bpe_words[place];
        clipc_bpe_token tokens[CLIPC_BPE_WORD_SIZE];
        uint8_t word[CLIPC_BPE_WORD_SIZE];
        size_t size = 0;
        int32_t id;

        if (entry->id == 0)
            continue;
        words++;
        for (; size < CLIPC_BPE_WORD_SIZE; size++) {
            word[size] =
                (uint8_t)(size < 8 ? entry->first >> 8 * size : entry->rest >> 8 * (size - 8));
            if (word[size] == 0)
                break;
        }
        assert_int_equal(clipc_bpe_encode(entry->id + 1, word, size, tokens, &scratch), 1);
        assert_int_equal(tokens[0].id, entry->id);
        if (entry->id < CLIPC_BPE_BYTES)
            continue;
        assert_true(clipc_bpe_encode(entry->id, word, size, tokens, &scratch) > 1);
        assert_true(clipc_plain_text_encode(entry->id, word, size, &id, 1) > 1);
        assert_int_not_equal(id, entry->id);
    }
    free(scratch.items);
    assert_int_equal(words, 32762); /* as counted in the list of merges by other means */
}

/* Short words are joined as long ones are. */
static void test_short_words(void **state)
{
    static const char letters[] = "eeeaationrsthlcdu";
    clipc_bpe_scratch scratch = {0};
    uint32_t seed = 3;

    (void)state;
    for (int i = 0; i < 6000; i++) {
        uint8_t word[CLIPC_BPE_SHORT];
        int32_t ids[CLIPC_BPE_SHORT];
        clipc_bpe_token tokens[CLIPC_BPE_SHORT];
        const size_t size = 1 + random_below(&seed, CLIPC_BPE_SHORT);
        const uint32_t symbols =
            i % 2 ? SYMBOLS : CLIPC_BPE_BYTES + random_below(&seed, CLIPC_BPE_MERGES);
        size_t count;

        for (size_t k = 0; k < size; k++)
            word[k] = (uint8_t)(i % 4 ? (uint32_t)letters[random_below(&seed, sizeof(letters) - 1)]
                                      : random_below(&seed, 256));
        count = clipc_bpe_encode(symbols, word, size, tokens, &scratch);
        assert_int_equal(clipc_bpe_encode_short(symbols, word, size, ids), count);
        for (size_t k = 0; k < count; k++)
            assert_int_equal(ids[k], tokens[k].id);
    }
    free(scratch.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_pieces),  cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_long_runs),      cmocka_unit_test(test_what_is_plain),
        cmocka_unit_test(test_table_of_words), cmocka_unit_test(test_short_words),
    };

    return cmocka_run_group_tests(tests, open_tokenizers, close_tokenizers);
}
