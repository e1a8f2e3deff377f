/* SPDX-License-Identifier: MIT */
/* Packing texts: what is shared, what is listed, when a batch is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/text_batch.h"

#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 6, END = 99 };

static void test_what_texts_begin_with_is_there_once(void **state)
{
    static const int32_t ids[5][CONTEXT] = {
        {90, 5, 6, END, 0, 0}, /* sorted last but one */
        {90, 4, END, 7, 8, 9}, /* what follows the end token does not matter */
        {90, 5, 6, END, 1, 1}, /* the same text again */
        {90, 5, 7, 8, 6, END}, {90, 4, END, 0, 0, 0},
    };
    static const size_t order[] = {1, 4, 0, 2, 3};
    static const uint32_t offsets[] = {0, 3, 3, 6, 6, 10};
    static const uint32_t rows[] = {0, 1, 2, 0, 1, 2, 0, 3, 4, 5, 0, 3, 4, 5, 0, 3, 6, 7, 8, 9};
    static const uint32_t lists[] = {0, 3, 6, 10, 14, 20};
    static const uint32_t ends[] = {2, 2, 5, 5, 9};
    static const uint32_t tokens[] = {90, 4, END, 5, 6, END, 7, 8, 6, END};
    static const uint32_t places[] = {0, 1, 2, 1, 2, 3, 2, 3, 4, 5};
    clipc_text texts[5];
    clipc_text_batch batch;
    clipc_error error;

    (void)state;
    clipc_texts_sort(texts, &ids[0][0], 5, CONTEXT);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(texts[i].index, order[i]);
    assert_int_equal(clipc_text_batch_open(&batch, CONTEXT, 0, &error), CLIPC_OK);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(clipc_text_batch_fill(&batch, texts, 5), 5);
        assert_int_equal(batch.texts, 5);
        assert_int_equal(batch.tokens, 10);
        assert_int_equal(batch.listed, 20);
        assert_memory_equal(batch.ids, tokens, sizeof(tokens));
        assert_memory_equal(batch.places, places, sizeof(places));
        assert_memory_equal(batch.offsets, offsets, sizeof(offsets));
        assert_memory_equal(batch.token_rows, rows, sizeof(rows));
        assert_memory_equal(batch.token_offsets, lists, sizeof(lists));
        assert_memory_equal(batch.ends, ends, sizeof(ends));
    }
    clipc_text_batch_close(&batch);
}

/* Each batch begins anew: nothing refers to the rows of another. */
static void test_batches_end_where_they_are_full(void **state)
{
    enum { N = 3000, LONG = 700 };
    int32_t *ids = calloc((size_t)N * LONG, sizeof(*ids));
    clipc_text *texts = calloc(N, sizeof(*texts));
    clipc_text_batch batch;
    clipc_error error;
    size_t done = 0, batches = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        ids[i * LONG] = (int32_t)(i / 2); /* pairs begin alike */
        ids[i * LONG + 1] = (int32_t)i;
        for (size_t j = 2; j < i % LONG; j++)
            ids[i * LONG + j] = 5;
        ids[i * LONG + (i % LONG < 2 ? 2 : i % LONG)] = N;
    }
    clipc_texts_sort(texts, ids, N, LONG);
    assert_int_equal(clipc_text_batch_open(&batch, LONG, 40, &error), CLIPC_OK);
    while (done < N) {
        const size_t taken = clipc_text_batch_fill(&batch, texts + done, N - done);

        assert_in_range(taken, 1, 40);
        assert_int_equal(taken, batch.texts);
        assert_true(batch.tokens <= batch.most_tokens && batch.listed <= batch.most_listed);
        for (size_t i = 0; i < batch.listed; i++)
            assert_true(batch.token_rows[i] < batch.tokens);
        for (size_t i = 0; i < taken; i++) {
            const uint32_t *rows = batch.token_rows + batch.token_offsets[i];
            const clipc_text *text = texts + done + i;

            assert_int_equal(batch.token_offsets[i + 1] - batch.token_offsets[i], text->length);
            for (size_t j = 0; j < text->length; j++)
                assert_true(batch.ids[rows[j]] == (uint32_t)text->ids[j] &&
                            batch.places[rows[j]] == j);
        }
        done += taken;
        batches++;
    }
    assert_int_equal(done, N);
    assert_true(batches > N / 40);
    clipc_text_batch_close(&batch);
    free(texts);
    free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_texts_begin_with_is_there_once),
        cmocka_unit_test(test_batches_end_where_they_are_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
