/* SPDX-License-Identifier: MIT */
/*
 * One pass over the bytes. A table says what each of them is; the letters of a word are found,
 * lower-cased and looked up eight at a time in a register. Nearly every word of a caption is one
 * token and found whole in a table of constants; the others are joined from their bytes.
 *
 * Measured on 10,000 varied captions (97 words in 100 are one token), one thread: this 3.9 million
 * captions a second; with a cache of 1,024 words a thread instead of the table 2.1, of 4,096 words
 * 3.4, with both 4.6. The last fifth is not worth memory that changes in every caller.
 */
#include "text/plain_text.h"

#include "text/bpe.h"

#include <stdbool.h>
#include <string.h>

#define WINDOW ((size_t)16) /* bytes of a word that are looked at together */
#define CASE_BIT 0x20u      /* what tells a small letter from its capital */

/* What a byte is. OTHER are controls, which cleaning removes, and all that is not ASCII. */
enum { LETTER = 'a', DIGIT = '0', SYMBOL = '+', AMPERSAND = '&', WHITE = '_', OTHER = '.' };

static const uint8_t classes[256 + 1] = ".........__.__.."
                                        "................"
                                        "_+++++&+++++++++"
                                        "0000000000++++++"
                                        "+aaaaaaaaaaaaaaa"
                                        "aaaaaaaaaaa+++++"
                                        "+aaaaaaaaaaaaaaa"
                                        "aaaaaaaaaaa++++."
                                        "................"
                                        "................"
                                        "................"
                                        "................"
                                        "................"
                                        "................"
                                        "................"
                                        "................";

/* A text on its way. */
typedef struct plain_text {
    const uint8_t *bytes;
    size_t size;
    uint8_t end[2 * WINDOW]; /* the text's last bytes, then zeros: windows that reach beyond it */
    uint32_t symbols;
    int32_t *ids; /* [room] */
    size_t room;
    size_t count; /* tokens so far, also beyond the room */
} plain_text;

/* --- Eight bytes in a register, the first the least significant --- */

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))
#define HIGH_BITS EACH_BYTE(0x80)

static uint64_t load(const uint8_t *at)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++) /* one instruction where that is the byte order */
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* How many of the first bytes are letters, given all bytes with CASE_BIT set. */
static size_t count_letters(uint64_t lower)
{
    /* Sums stay inside their bytes; their high bits say "from 'a' on" and "beyond 'z'". */
    const uint64_t low_bits = lower & ~HIGH_BITS;
    const uint64_t from_a = low_bits + EACH_BYTE(0x80 - 'a');
    const uint64_t beyond_z = low_bits + EACH_BYTE(0x7F - 'z');
    const uint64_t others = (~from_a | beyond_z | lower) & HIGH_BITS;

    return others ? (size_t)__builtin_ctzll(others) / 8 : 8;
}

/* The first `size` bytes, zeros after them. */
static uint64_t keep(uint64_t bytes, size_t size)
{
    return size < 8 ? bytes & ~(UINT64_MAX << 8 * size) : bytes;
}

/* WINDOW bytes that can be read: those of the text from `at` on, zeros after its end. */
static const uint8_t *window(const plain_text *text, size_t at)
{
    const size_t left = text->size - at;

    return left >= WINDOW ? text->bytes + at : text->end + WINDOW - left;
}

/* --- Tokens --- */

static void add_token(plain_text *text, uint32_t id)
{
    if (text->count < text->room)
        text->ids[text->count] = (int32_t)id;
    text->count++;
}

/* The id of a word that is one token; 0 when it is not. */
static uint32_t find_word(uint32_t symbols, uint64_t first, uint32_t rest)
{
    const uint64_t hash = clipc_bpe_hash_word(first, rest);
    const uint8_t displacement = clipc_bpe_word_displacements[clipc_bpe_bucket(hash)];
    const clipc_bpe_word *word = &clipc_bpe_words[clipc_bpe_place(hash, displacement)];
    const bool is_found =
        (word->first == first) & (word->rest == rest) & (word->id < symbols); /* no branch */

    return is_found ? word->id : 0;
}

static uint8_t to_lower(uint8_t byte)
{
    return classes[byte] == LETTER ? byte | CASE_BIT : byte;
}

/* A word from its bytes; false when it is too long for that. */
static bool add_joined(plain_text *text, const uint8_t *bytes, size_t size)
{
    uint8_t word[CLIPC_BPE_SHORT];
    int32_t ids[CLIPC_BPE_SHORT];
    size_t count;

    if (size > CLIPC_BPE_SHORT)
        return false;
    for (size_t i = 0; i < size; i++)
        word[i] = to_lower(bytes[i]);
    count = clipc_bpe_encode_short(text->symbols, word, size, ids);
    for (size_t i = 0; i < count; i++)
        add_token(text, (uint32_t)ids[i]);
    return true;
}

/* The word at `at`. first and rest: its bytes in lower case, what does not fit left out. */
static bool add_word(plain_text *text, size_t at, size_t size, uint64_t first, uint64_t rest)
{
    const bool fits = size <= CLIPC_BPE_WORD_SIZE;
    const uint32_t id = fits ? find_word(text->symbols, first, (uint32_t)rest) : 0;

    if (id == 0)
        return add_joined(text, text->bytes + at, size);
    add_token(text, id);
    return true;
}

/* --- What words are: each is added from *at on, and *at moves behind it --- */

static bool add_letters(plain_text *text, size_t *at)
{
    const size_t start = *at;
    const uint8_t *bytes = window(text, start);
    uint64_t first = load(bytes) | EACH_BYTE(CASE_BIT), rest = 0;
    size_t size = count_letters(first);

    first = keep(first, size);
    if (size == 8) {
        rest = load(bytes + 8) | EACH_BYTE(CASE_BIT);
        size += count_letters(rest);
        rest = keep(rest, size - 8);
    }
    if (size == WINDOW)
        while (start + size < text->size && classes[text->bytes[start + size]] == LETTER)
            size++;
    *at += size;
    return add_word(text, start, size, first, rest);
}

/* The length of 's 't 're 've 'm 'll 'd, whatever follows; 0 when it is none of them. */
static size_t contraction_size(uint64_t lower)
{
    const unsigned second = lower >> 8 & 0xFF, third = lower >> 16 & 0xFF;

    if (second == 's' || second == 't' || second == 'm' || second == 'd')
        return 2;
    if (((second == 'r' || second == 'v') && third == 'e') || (second == 'l' && third == 'l'))
        return 3;
    return 0;
}

/* Whether `special` is at `at`, in capitals or not. */
static bool is_special(const plain_text *text, size_t at, const char *special)
{
    const size_t size = strlen(special);

    if (text->size - at < size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (to_lower(text->bytes[at + i]) != (uint8_t)special[i])
            return false;
    return true;
}

/* A run of what is no letter, digit or white space; false for an ampersand that may mean more. */
static bool add_symbols(plain_text *text, size_t *at)
{
    const size_t start = *at;
    const uint8_t *bytes = window(text, start);
    size_t end = start, size;

    while (end < text->size &&
           (classes[text->bytes[end]] == SYMBOL || classes[text->bytes[end]] == AMPERSAND)) {
        /* Names begin with a letter, numbers with '#'. */
        if (text->bytes[end++] == '&' && end < text->size &&
            (text->bytes[end] == '#' || classes[text->bytes[end]] == LETTER))
            return false;
    }
    *at = end;
    size = end - start;
    return add_word(text, start, size, keep(load(bytes), size),
                    size > 8 ? keep(load(bytes + 8), size - 8) : 0);
}

/* A special token or a contraction, before which nothing has a say; else a run of symbols. */
static bool add_symbol(plain_text *text, size_t *at)
{
    static const char start_of_text[] = "<|startoftext|>", end_of_text[] = "<|endoftext|>";
    const uint64_t lower = load(window(text, *at)) | EACH_BYTE(CASE_BIT);
    const size_t size = contraction_size(lower);
    const uint8_t byte = text->bytes[*at];

    if (byte == '\'' && size) {
        *at += size;
        return add_word(text, *at - size, size, keep(lower, size), 0);
    }
    if (byte == '<' && is_special(text, *at, start_of_text)) {
        *at += strlen(start_of_text);
        add_token(text, text->symbols);
        return true;
    }
    if (byte == '<' && is_special(text, *at, end_of_text)) {
        *at += strlen(end_of_text);
        add_token(text, text->symbols + 1);
        return true;
    }
    return add_symbols(text, at);
}

static bool add_words(plain_text *text)
{
    for (size_t at = 0; at < text->size;) {
        switch (classes[text->bytes[at]]) {
        case LETTER:
            if (!add_letters(text, &at))
                return false;
            break;
        case WHITE: at++; break;
        case DIGIT: add_token(text, clipc_bpe_byte_ids[text->bytes[at++]] + 256u); break;
        case OTHER: return false;
        default:
            if (!add_symbol(text, &at))
                return false;
        }
    }
    return true;
}

size_t clipc_plain_text_encode(uint32_t symbols, const uint8_t *bytes, size_t size, int32_t *ids,
                               size_t room)
{
    plain_text text = {.bytes = bytes, .size = size, .symbols = symbols, .ids = ids, .room = room};
    const size_t last = size < WINDOW ? size : WINDOW;

    if (size)
        memcpy(text.end + WINDOW - last, bytes + size - last, last);
    return add_words(&text) ? text.count : CLIPC_NOT_PLAIN;
}
