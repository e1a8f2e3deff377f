/* SPDX-License-Identifier: MIT */
/*
 * Cleaned text -> words by the original's pattern -> byte-pair tokens, framed by start and end.
 * Plain texts that fit go through plain_text.c, which gives the same; all others, and all errors,
 * are for the general path that follows the original step by step.
 *
 * The Unicode tables are those of PCRE2 and libunistring, which may be older or newer than those of
 * Python and its regex module: ids can differ on characters that one of them does not know yet.
 */
#include "text/tokenizer.h"

#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "text/bpe.h"
#include "text/clean.h"
#include "text/plain_text.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define LARGEST_TEXT ((size_t)16 << 20)
#define LONGEST_PLAIN ((size_t)256) /* tokens of a text that goes the plain way */

#define START_TEXT "<|startoftext|>"
#define END_TEXT "<|endoftext|>"

/*
 * Python's regex module, IGNORECASE: special tokens, English contractions, runs of letters, single
 * numbers, runs of anything else but white space. Its case folding counts U+0345, a mark whose
 * capital is a letter, as a letter in the last class and nowhere else: it belongs to no word.
 */
#define WHITE                                                                                      \
    "\\x{9}-\\x{d} \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"          \
    "\\x{205f}\\x{3000}"
static const char word_pattern[] =
    "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|\\p{L}++|\\p{N}|"
    "[^" WHITE "\\x{345}\\p{L}\\p{N}]++";

struct clipc_tokenizer {
    uint32_t symbols; /* ids below the special ones */
    int32_t start, end;
    clipc_cleaner cleaner;
    pcre2_code *pattern;
};

/* One text on its way. */
typedef struct encoding {
    const clipc_tokenizer *tokenizer;
    clipc_byte_buffer text; /* cleaned, UTF-8 */
    int32_t *ids;           /* [context], the caller's */
    size_t context;
    size_t count;            /* tokens so far, also beyond the context */
    size_t cut_at;           /* offset in text after the last token that fits */
    clipc_bpe_token *tokens; /* of the longest word so far */
    size_t token_capacity;
    clipc_bpe_scratch scratch;
} encoding;

/* --- Opening --- */

static clipc_status compile_pattern(pcre2_code **out, clipc_error *error)
{
    int code;
    PCRE2_SIZE offset;

    *out = pcre2_compile((PCRE2_SPTR)word_pattern, PCRE2_ZERO_TERMINATED,
                         PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS, &code, &offset, NULL);
    if (!*out)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "tokenizer: PCRE2 refuses the pattern (error %d); a PCRE2 built with "
                          "Unicode was expected",
                          code);
    pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE); /* where it cannot, matching is slower */
    return CLIPC_OK;
}

clipc_status clipc_tokenizer_open(clipc_tokenizer **out, uint32_t vocab_size, clipc_error *error)
{
    clipc_tokenizer *tokenizer;
    clipc_status status;

    *out = NULL;
    if (vocab_size < CLIPC_VOCAB_SIZE_MIN || vocab_size > CLIPC_VOCAB_SIZE)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "tokenizer: a vocabulary of %u ids; %d to %d were expected", vocab_size,
                          CLIPC_VOCAB_SIZE_MIN, CLIPC_VOCAB_SIZE);
    tokenizer = clipc_calloc(1, sizeof(*tokenizer));
    if (!tokenizer)
        return clipc_fail_memory(error, "tokenizer", sizeof(*tokenizer));
    tokenizer->symbols = vocab_size - 2;
    tokenizer->start = (int32_t)vocab_size - 2;
    tokenizer->end = (int32_t)vocab_size - 1;
    status = clipc_cleaner_init(&tokenizer->cleaner)
                 ? compile_pattern(&tokenizer->pattern, error)
                 : clipc_fail_memory(error, "tokenizer", sizeof(tokenizer->cleaner));
    if (status) {
        clipc_tokenizer_close(tokenizer);
        return status;
    }
    *out = tokenizer;
    return CLIPC_OK;
}

void clipc_tokenizer_close(clipc_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    clipc_cleaner_free(&tokenizer->cleaner);
    pcre2_code_free(tokenizer->pattern);
    free(tokenizer);
}

/* --- Encoding --- */

static void add_token(encoding *e, int32_t id, size_t end_offset)
{
    if (e->count < e->context)
        e->ids[e->count] = id;
    if (e->count + 1 < e->context) /* the end token wants a place, too */
        e->cut_at = end_offset;
    e->count++;
}

static bool is_special(const uint8_t *word, size_t size, const char *special)
{
    return size == strlen(special) && memcmp(word, special, size) == 0;
}

static clipc_status add_word(encoding *e, size_t start, size_t size, clipc_error *error)
{
    const uint8_t *word = e->text.bytes + start;
    size_t count;

    if (is_special(word, size, START_TEXT) || is_special(word, size, END_TEXT)) {
        add_token(e, word[2] == 's' ? e->tokenizer->start : e->tokenizer->end, start + size);
        return CLIPC_OK;
    }
    if (size > e->token_capacity &&
        clipc_grow(&e->tokens, &e->token_capacity, size, sizeof(*e->tokens)) != 0)
        return clipc_fail_memory(error, "tokenizer", size);
    count = clipc_bpe_encode(e->tokenizer->symbols, word, size, e->tokens, &e->scratch);
    if (count == 0)
        return clipc_fail_memory(error, "tokenizer", size);
    for (size_t i = 0; i < count; i++) {
        start += e->tokens[i].bytes;
        add_token(e, e->tokens[i].id, start);
    }
    return CLIPC_OK;
}

static clipc_status match_words(encoding *e, pcre2_match_data *match, clipc_error *error)
{
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
    size_t position = 0;

    while (position < e->text.size) {
        const int found = pcre2_match(e->tokenizer->pattern, e->text.bytes, e->text.size, position,
                                      PCRE2_NO_UTF_CHECK, match, NULL);
        clipc_status status;

        if (found == PCRE2_ERROR_NOMATCH)
            return CLIPC_OK;
        if (found < 0)
            return clipc_fail(error, CLIPC_ERROR_LIMIT, "tokenizer: PCRE2 gave up with error %d",
                              found);
        status = add_word(e, range[0], range[1] - range[0], error);
        if (status)
            return status;
        position = range[1];
    }
    return CLIPC_OK;
}

static clipc_status encode_words(encoding *e, clipc_error *error)
{
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(e->tokenizer->pattern, NULL);
    clipc_status status;

    if (!match)
        return clipc_fail_memory(error, "tokenizer", 0);
    add_token(e, e->tokenizer->start, 0);
    status = match_words(e, match, error);
    add_token(e, e->tokenizer->end, e->text.size);
    pcre2_match_data_free(match);
    return status;
}

/* Decodes and cleans into e->text. */
static clipc_status clean(encoding *e, const char *utf8, size_t size, unsigned flags,
                          clipc_error *error)
{
    clipc_codepoints text = {0};
    size_t bad_at = 0;
    const bool is_valid = clipc_utf8_decode(&text, (const uint8_t *)utf8, size,
                                            flags & CLIPC_TOKENIZE_REPLACE_INVALID, &bad_at);

    if (is_valid && !text.failed)
        clipc_clean_text(&e->tokenizer->cleaner, &text);
    for (size_t i = 0; i < text.count; i++)
        clipc_utf8_append(&e->text, text.items[i]);
    e->text.failed |= text.failed;
    clipc_codepoints_free(&text);
    if (!is_valid)
        return clipc_fail(error, CLIPC_ERROR_ENCODING,
                          "text: is not UTF-8: byte 0x%02X at offset %zu", (uint8_t)utf8[bad_at],
                          bad_at);
    return e->text.failed ? clipc_fail_memory(error, "text", size) : CLIPC_OK;
}

/* At most `limit` bytes of text, cut at a character's beginning. */
static size_t cut_length(const char *text, size_t size, size_t limit)
{
    size_t length = clipc_min_size(size, limit);

    while (length < size && length > 0 && ((uint8_t)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

/* The beginning of a text in about `limit` bytes: valid UTF-8 whatever it was, and without NULs. */
static void append_excerpt(clipc_byte_buffer *out, const char *utf8, size_t size, size_t limit)
{
    clipc_codepoints text = {0};
    const size_t length = cut_length(utf8, size, limit);
    size_t bad_at, i;

    clipc_utf8_decode(&text, (const uint8_t *)utf8, length, true, &bad_at);
    for (i = 0; i < text.count && out->size < limit; i++)
        clipc_utf8_append(out, text.items[i] ? text.items[i] : '?');
    if (i < text.count || length < size)
        clipc_buffer_append_text(out, "...");
    clipc_buffer_append_byte(out, '\0');
    out->failed |= text.failed;
    clipc_codepoints_free(&text);
}

/* The original's message, then how much too long, and the last words before the cut. */
static clipc_status fail_too_long(const encoding *e, const char *utf8, size_t size,
                                  clipc_error *error)
{
    enum { SHOWN = 60, SHOWN_BEFORE = 24 };
    const char *cleaned = (const char *)e->text.bytes;
    clipc_byte_buffer shown = {0};
    const size_t to = cut_length(cleaned, e->text.size, e->cut_at); /* whole characters only */
    size_t from = to > SHOWN_BEFORE ? to - SHOWN_BEFORE : 0;

    while (from < to && ((uint8_t)cleaned[from] & 0xC0) == 0x80)
        from++;
    append_excerpt(&shown, utf8, size, SHOWN);
    if (shown.failed) {
        clipc_buffer_free(&shown);
        return clipc_fail_memory(error, "tokenizer", SHOWN);
    }
    clipc_fail(error, CLIPC_ERROR_TOO_LONG,
               "Input %s is too long for context length %zu: it has %zu tokens, the cut would fall "
               "after \"%s%.*s\"",
               (const char *)shown.bytes, e->context, e->count, from ? "..." : "", (int)(to - from),
               cleaned ? cleaned + from : "");
    clipc_buffer_free(&shown);
    return CLIPC_ERROR_TOO_LONG;
}

static clipc_status encode(encoding *e, const char *utf8, size_t size, unsigned flags,
                           clipc_error *error)
{
    clipc_status status = clean(e, utf8, size, flags, error);

    if (!status)
        status = encode_words(e, error);
    if (status || e->count <= e->context)
        return status;
    if (!(flags & CLIPC_TOKENIZE_TRUNCATE))
        return fail_too_long(e, utf8, size, error);
    e->count = e->context;
    e->ids[e->context - 1] = e->tokenizer->end;
    return CLIPC_OK;
}

clipc_status clipc_tokenizer_encode_general(const clipc_tokenizer *tokenizer, const char *utf8,
                                            size_t size, int32_t *ids, size_t context,
                                            unsigned flags, size_t *length, clipc_error *error)
{
    encoding e = {.tokenizer = tokenizer, .context = context};
    clipc_status status;

    if (context == 0)
        return clipc_fail(error, CLIPC_ERROR_ARGUMENT, "tokenize: the context is 0 tokens long");
    if (size > LARGEST_TEXT)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "text: has %zu bytes, at most %zu are read",
                          size, LARGEST_TEXT);
    e.ids = clipc_calloc(context, sizeof(*e.ids));
    if (!e.ids)
        return clipc_fail_memory(error, "tokenize", context);
    status = encode(&e, utf8, size, flags, error);
    if (!status) {
        memcpy(ids, e.ids, context * sizeof(*ids));
        if (length)
            *length = e.count;
    }
    clipc_buffer_free(&e.text);
    free(e.ids);
    free(e.tokens);
    free(e.scratch.items);
    return status;
}

/* False, with nothing written, when the text is for the general path. */
static bool encode_plain(const clipc_tokenizer *tokenizer, const char *utf8, size_t size,
                         int32_t *ids, size_t context, unsigned flags, size_t *length)
{
    int32_t found[LONGEST_PLAIN];
    const size_t room = clipc_min_size(context, LONGEST_PLAIN);
    const size_t count = clipc_plain_text_encode(tokenizer->symbols, (const uint8_t *)utf8, size,
                                                 found + 1, room - 1);
    size_t used;

    if (count == CLIPC_NOT_PLAIN ||
        (count + 2 > room && (room < context || !(flags & CLIPC_TOKENIZE_TRUNCATE))))
        return false;
    used = clipc_min_size(count + 2, room);
    found[0] = tokenizer->start;
    found[used - 1] = tokenizer->end;
    memcpy(ids, found, used * sizeof(*ids));
    memset(ids + used, 0, (context - used) * sizeof(*ids));
    if (length)
        *length = used;
    return true;
}

clipc_status clipc_tokenizer_encode(const clipc_tokenizer *tokenizer, const char *utf8, size_t size,
                                    int32_t *ids, size_t context, unsigned flags, size_t *length,
                                    clipc_error *error)
{
    if (context > 0 && size <= LARGEST_TEXT &&
        encode_plain(tokenizer, utf8, size, ids, context, flags, length))
        return CLIPC_OK;
    return clipc_tokenizer_encode_general(tokenizer, utf8, size, ids, context, flags, length,
                                          error);
}
