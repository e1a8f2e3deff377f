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

struct clipc_threads {
    unsigned count;   /* workers, the caller included */
    unsigned started; /* of workers[1..], for closing after a failure */
    pthread_mutex_t lock;
    pthread_cond_t begin, done;
    uint64_t generation; /* counts loops; a change wakes the workers */
    unsigned busy;       /* workers that have not finished this generation */
    bool closing;
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

static void *work(void *argument)
{
    worker *self = argument;
    clipc_threads *threads = self->threads;
    uint64_t seen = 0;

    pthread_mutex_lock(&threads->lock);
    for (;;) {
        while (threads->generation == seen && !threads->closing)
            pthread_cond_wait(&threads->begin, &threads->lock);
        if (threads->closing)
            break;
        seen = threads->generation;
        pthread_mutex_unlock(&threads->lock);
        take_tasks(threads, self->index);
        pthread_mutex_lock(&threads->lock);
        if (--threads->busy == 0)
            pthread_cond_signal(&threads->done);
    }
    pthread_mutex_unlock(&threads->lock);
    return NULL;
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
    pthread_mutex_lock(&threads->lock);
    threads->closing = true;
    pthread_cond_broadcast(&threads->begin);
    pthread_mutex_unlock(&threads->lock);
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
    pthread_mutex_lock(&threads->lock);
    threads->function = function;
    threads->context = context;
    threads->tasks = tasks;
    atomic_store_explicit(&threads->next, 0, memory_order_relaxed);
    threads->busy = threads->count - 1;
    threads->generation++;
    pthread_cond_broadcast(&threads->begin);
    pthread_mutex_unlock(&threads->lock);
    take_tasks(threads, 0);
    pthread_mutex_lock(&threads->lock);
    while (threads->busy > 0)
        pthread_cond_wait(&threads->done, &threads->lock);
    pthread_mutex_unlock(&threads->lock);
}
