/* SPDX-License-Identifier: MIT */
/* A pool of threads that share the tasks of a loop. The only place where threads are started. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MAX_THREADS 1024

typedef struct worker {
    clipc_threads *threads;
    unsigned index;
    pthread_t thread;
} worker;

/*
 * Looks at a condition before going to sleep. A tower is a hundred loops one after another, each
 * some ten to some thousand microseconds long: waking a sleeper costs as much as a short one.
 */
#define SPINS 8000 /* some 100 microseconds */

struct clipc_threads {
    unsigned count;   /* workers, the caller included */
    unsigned started; /* of workers[1..], for closing after a failure */
    int spins; /* SPINS; 0 when workers share cores, for then one would spin in another's way */
    pthread_mutex_t lock;
    pthread_cond_t begin, done;
    atomic_uint generation; /* counts loops; a change starts the workers */
    atomic_uint busy;       /* workers that have not finished this generation */
    atomic_uint sleeping;   /* workers that wait for `begin`, or are about to */
    atomic_bool is_awaited; /* the caller waits for `done`, or is about to */
    atomic_bool closing;
    clipc_task_fn function;
    void *context;
    size_t tasks;
    atomic_size_t next;
    worker workers[];
};

unsigned clipc_core_count(void)
{
    cpu_set_t set;
    int count;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    count = CPU_COUNT(&set);
    return count < 1 ? 1 : (unsigned)count;
}

static void take_tasks(clipc_threads *threads, unsigned index)
{
    for (;;) {
        size_t task = atomic_fetch_add_explicit(&threads->next, 1, memory_order_relaxed);

        if (task >= threads->tasks)
            return;
        threads->function(threads->context, task, index);
    }
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Whether there is something to do: a new loop, or the end. */
static bool is_called(clipc_threads *threads, unsigned seen)
{
    return atomic_load(&threads->generation) != seen || atomic_load(&threads->closing);
}

/*
 * Waits for a loop later than `seen`. Whoever starts one changes the generation first and looks at
 * `sleeping` then; a sleeper does it the other way round, so one of the two sees the other.
 */
static void wait_for_call(clipc_threads *threads, unsigned seen)
{
    for (int i = 0; i < threads->spins; i++) {
        if (is_called(threads, seen))
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&threads->lock);
    atomic_fetch_add(&threads->sleeping, 1);
    while (!is_called(threads, seen))
        pthread_cond_wait(&threads->begin, &threads->lock);
    atomic_fetch_sub(&threads->sleeping, 1);
    pthread_mutex_unlock(&threads->lock);
}

static void wake_workers(clipc_threads *threads)
{
    if (atomic_load(&threads->sleeping) == 0)
        return;
    pthread_mutex_lock(&threads->lock);
    pthread_cond_broadcast(&threads->begin);
    pthread_mutex_unlock(&threads->lock);
}

static void finish(clipc_threads *threads)
{
    if (atomic_fetch_sub(&threads->busy, 1) > 1 || !atomic_load(&threads->is_awaited))
        return;
    pthread_mutex_lock(&threads->lock);
    pthread_cond_signal(&threads->done);
    pthread_mutex_unlock(&threads->lock);
}

static void wait_for_workers(clipc_threads *threads)
{
    for (int i = 0; i < threads->spins; i++) {
        if (atomic_load(&threads->busy) == 0)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&threads->lock);
    atomic_store(&threads->is_awaited, true);
    while (atomic_load(&threads->busy) > 0)
        pthread_cond_wait(&threads->done, &threads->lock);
    atomic_store(&threads->is_awaited, false);
    pthread_mutex_unlock(&threads->lock);
}

static void *work(void *argument)
{
    worker *self = argument;
    clipc_threads *threads = self->threads;
    unsigned seen = 0;

    for (;;) {
        wait_for_call(threads, seen);
        if (atomic_load(&threads->closing))
            return NULL;
        seen = atomic_load(&threads->generation);
        take_tasks(threads, self->index);
        finish(threads);
    }
}

clipc_status clipc_threads_open(clipc_threads **out, unsigned count, clipc_error *error)
{
    clipc_threads *threads;
    size_t bytes;

    *out = NULL;
    if (count == 0)
        count = clipc_core_count();
    if (count > MAX_THREADS)
        return clipc_fail(error, CLIPC_ERROR_LIMIT, "threads: %u asked for, at most %d", count,
                          MAX_THREADS);
    bytes = sizeof(*threads) + count * sizeof(worker);
    threads = clipc_calloc(1, bytes);
    if (!threads)
        return clipc_fail_memory(error, "threads", bytes);
    threads->count = count;
    threads->spins = count <= clipc_core_count() ? SPINS : 0;
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->begin, NULL);
    pthread_cond_init(&threads->done, NULL);
    for (unsigned i = 1; i < count; i++) {
        worker *next = &threads->workers[i];

        next->threads = threads;
        next->index = i;
        errno = pthread_create(&next->thread, NULL, work, next);
        if (errno != 0) {
            clipc_fail_errno(error, "threads", "start one");
            clipc_threads_close(threads);
            return CLIPC_ERROR_IO;
        }
        threads->started++;
    }
    *out = threads;
    return CLIPC_OK;
}

void clipc_threads_close(clipc_threads *threads)
{
    if (!threads)
        return;
    atomic_store(&threads->closing, true);
    wake_workers(threads);
    for (unsigned i = 1; i <= threads->started; i++)
        pthread_join(threads->workers[i].thread, NULL);
    pthread_cond_destroy(&threads->done);
    pthread_cond_destroy(&threads->begin);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}

unsigned clipc_threads_count(const clipc_threads *threads)
{
    return threads ? threads->count : 1;
}

void clipc_threads_run(clipc_threads *threads, size_t tasks, clipc_task_fn function, void *context)
{
    if (!threads || threads->count == 1 || tasks <= 1) {
        for (size_t i = 0; i < tasks; i++)
            function(context, i, 0);
        return;
    }
    threads->function = function;
    threads->context = context;
    threads->tasks = tasks;
    atomic_store_explicit(&threads->next, 0, memory_order_relaxed);
    atomic_store(&threads->busy, threads->count - 1);
    atomic_fetch_add(&threads->generation, 1);
    wake_workers(threads);
    take_tasks(threads, 0);
    wait_for_workers(threads);
}
