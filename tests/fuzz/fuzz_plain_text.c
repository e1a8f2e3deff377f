/* SPDX-License-Identifier: MIT */
/*
 * Compares the tokenizer with its general path. The first byte chooses flags, vocabulary and
 * context, and whether bytes lose their highest bit, as random ones are hardly ever plain text; the
 * rest is the text.
 */
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_CONTEXT 300

static const uint32_t sizes[] = {CLIPC_VOCAB_SIZE, CLIPC_VOCAB_SIZE_MIN, 9000, CLIPC_VOCAB_SIZE};
static const size_t contexts[] = {77, 2, 9, LONGEST_CONTEXT};
static clipc_tokenizer *tokenizers[4];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void close_all(void)
{
    for (size_t i = 0; i < 4; i++)
        clipc_tokenizer_close(tokenizers[i]);
}

static void open_all(void)
{
    for (size_t i = 0; i < 4; i++)
        if (clipc_tokenizer_open(&tokenizers[i], sizes[i], NULL))
            abort();
    atexit(close_all);
}

static void compare(const clipc_tokenizer *tokenizer, const char *text, size_t size, size_t context,
                    unsigned flags)
{
    int32_t ids[LONGEST_CONTEXT], general[LONGEST_CONTEXT];
    size_t length = 0, general_length = 0;
    clipc_status status;

    memset(ids, -1, sizeof(ids));
    memset(general, -1, sizeof(general));
    status = clipc_tokenizer_encode(tokenizer, text, size, ids, context, flags, &length, NULL);
    if (status != clipc_tokenizer_encode_general(tokenizer, text, size, general, context, flags,
                                                 &general_length, NULL) ||
        length != general_length || memcmp(ids, general, sizeof(ids)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned choice = size ? data[0] : 0;
    char *text;

    if (size == 0)
        return 0;
    if (!tokenizers[0])
        open_all();
    text = malloc(size); /* its own block, so that a read past the end is seen */
    if (!text)
        return 0;
    for (size_t i = 1; i < size; i++)
        text[i] = (char)(choice & 0x40 ? data[i] & 0x7F : data[i]);
    compare(tokenizers[choice >> 2 & 3], text + 1, size - 1, contexts[choice >> 4 & 3],
            choice & (CLIPC_TOKENIZE_TRUNCATE | CLIPC_TOKENIZE_REPLACE_INVALID));
    free(text);
    return 0;
}
