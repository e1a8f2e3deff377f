/* SPDX-License-Identifier: MIT */
/* The thread pool: every task once, no worker twice at a time, any number of loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/threads.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TASKS 5000
#define MOST_WORKERS 7

typedef struct tally {
    atomic_uint done[MOST_TASKS];
    atomic_uint inside[MOST_WORKERS]; /* tasks that run on this worker now */
    atomic_uint mistakes;
    unsigned workers;
    size_t tasks;
} tally;

static void count_task(void *context, size_t task, unsigned worker)
{
    tally *seen = context;

    /* cmocka's assertions jump, which only the main thread may do */
    if (task >= seen->tasks || worker >= seen->workers) {
        atomic_fetch_add(&seen->mistakes, 1);
        return;
    }
    if (atomic_fetch_add(&seen->inside[worker], 1) != 0)
        atomic_fetch_add(&seen->mistakes, 1);
    atomic_fetch_add(&seen->done[task], 1);
    atomic_fetch_sub(&seen->inside[worker], 1);
}

static void check_loop(clipc_threads *threads, size_t tasks)
{
    tally *seen = calloc(1, sizeof(*seen));

    assert_non_null(seen);
    seen->workers = clipc_threads_count(threads);
    seen->tasks = tasks;
    clipc_threads_run(threads, tasks, count_task, seen);
    assert_int_equal(atomic_load(&seen->mistakes), 0);
    for (size_t i = 0; i < MOST_TASKS; i++)
        assert_int_equal(atomic_load(&seen->done[i]), i < tasks ? 1 : 0);
    free(seen);
}

static void test_every_task_runs_once(void **state)
{
    static const size_t tasks[] = {0, 1, 2, 3, 64, MOST_TASKS};

    (void)state;
    for (unsigned workers = 1; workers <= MOST_WORKERS; workers += 2) {
        clipc_threads *threads;

        assert_int_equal(clipc_threads_open(&threads, workers, NULL), CLIPC_OK);
        assert_int_equal(clipc_threads_count(threads), workers);
        for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
            check_loop(threads, tasks[i]);
        clipc_threads_close(threads);
    }
}

static void add_task(void *context, size_t task, unsigned worker)
{
    size_t *sums = context; /* one a worker, without any atomics */

    for (volatile unsigned i = 0; i < 300000; i++) /* long enough for all workers to take part */
        continue;
    sums[worker * 16] += task + 1;
}

/* What tasks wrote is seen after the loop, and by the next loop, many times. */
static void test_loops_follow_each_other(void **state)
{
    size_t sums[3 * 16] = {0};
    clipc_threads *threads;

    (void)state;
    assert_int_equal(clipc_threads_open(&threads, 3, NULL), CLIPC_OK);
    for (size_t loop = 1; loop <= 100; loop++) {
        clipc_threads_run(threads, 5, add_task, sums);
        assert_int_equal(sums[0] + sums[16] + sums[32], loop * 15);
    }
    clipc_threads_close(threads);
}

static void test_no_pool_is_the_caller(void **state)
{
    (void)state;
    assert_int_equal(clipc_threads_count(NULL), 1);
    check_loop(NULL, 100);
    clipc_threads_close(NULL);
}

static void test_counts(void **state)
{
    clipc_threads *threads;
    clipc_error error;

    (void)state;
    assert_true(clipc_core_count() >= 1);
    assert_int_equal(clipc_threads_open(&threads, 0, &error), CLIPC_OK);
    assert_int_equal(clipc_threads_count(threads), clipc_core_count());
    clipc_threads_close(threads);
    assert_int_equal(clipc_threads_open(&threads, 1025, &error), CLIPC_ERROR_LIMIT);
    assert_string_equal(error.message, "threads: 1025 asked for, at most 1024");
    assert_null(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_runs_once),
        cmocka_unit_test(test_loops_follow_each_other),
        cmocka_unit_test(test_no_pool_is_the_caller),
        cmocka_unit_test(test_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
