/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the tokenizer. The first byte chooses flags, vocabulary and context; the rest is the text.
 * What comes back must be ids of the vocabulary, framed by the start and end tokens and padded with
 * zeros.
 */
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_CONTEXT 77

/* Vocabularies are made once: their tables take longer than a text. */
static const uint32_t sizes[] = {CLIPC_VOCAB_SIZE, CLIPC_VOCAB_SIZE_MIN};
static clipc_tokenizer *tokenizers[2];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void close_all(void)
{
    for (size_t i = 0; i < 2; i++)
        clipc_tokenizer_close(tokenizers[i]);
}

static void open_all(void)
{
    for (size_t i = 0; i < 2; i++)
        if (clipc_tokenizer_open(&tokenizers[i], sizes[i], NULL))
            abort();
    atexit(close_all);
}

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_ids(const int32_t *ids, size_t context, size_t length, uint32_t vocabulary,
                      unsigned flags)
{
    require(length >= 1 && length <= context);
    require(ids[length - 1] == (int32_t)vocabulary - 1);
    require(length == 1 || ids[0] == (int32_t)vocabulary - 2);
    require(length >= 2 || flags & CLIPC_TOKENIZE_TRUNCATE);
    for (size_t i = 0; i < context; i++)
        require(i < length ? ids[i] >= 0 && ids[i] < (int32_t)vocabulary : ids[i] == 0);
}

static void check_error(clipc_status status, const clipc_error *error, unsigned flags)
{
    require(status == error->code && memchr(error->message, '\0', sizeof(error->message)));
    require((status == CLIPC_ERROR_TOO_LONG && !(flags & CLIPC_TOKENIZE_TRUNCATE)) ||
            (status == CLIPC_ERROR_ENCODING && !(flags & CLIPC_TOKENIZE_REPLACE_INVALID)) ||
            status == CLIPC_ERROR_LIMIT || status == CLIPC_ERROR_MEMORY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int32_t ids[LONGEST_CONTEXT];
    clipc_error error;
    clipc_status status;
    unsigned flags, choice;
    size_t context, length = 0;

    if (size == 0)
        return 0;
    if (!tokenizers[0])
        open_all();
    flags = data[0] & (CLIPC_TOKENIZE_TRUNCATE | CLIPC_TOKENIZE_REPLACE_INVALID);
    choice = data[0] >> 2 & 1u;
    context = data[0] >> 3 ? data[0] >> 3 : LONGEST_CONTEXT;
    status = clipc_tokenizer_encode(tokenizers[choice], (const char *)data + 1, size - 1, ids,
                                    context, flags, &length, &error);
    if (status)
        check_error(status, &error, flags);
    else
        check_ids(ids, context, length, sizes[choice], flags);
    return 0;
}
