/* SPDX-License-Identifier: MIT */
/* A pool of threads that share the tasks of a loop. The only place where threads are started. */
#ifndef CLIPC_BASE_THREADS_H
#define CLIPC_BASE_THREADS_H

#include <clipc.h>

typedef struct clipc_threads clipc_threads;

/* One task of a loop. worker is below clipc_threads_count(), and never in use twice at a time. */
typedef void (*clipc_task_fn)(void *context, size_t task, unsigned worker);

/* The number of cores this process may use (its affinity mask), at least 1. */
unsigned clipc_core_count(void);

/* A pool of `count` workers, the caller of clipc_threads_run among them; 0: all cores. */
clipc_status clipc_threads_open(clipc_threads **out, unsigned count, clipc_error *error);
void clipc_threads_close(clipc_threads *threads);
unsigned clipc_threads_count(const clipc_threads *threads); /* 1 for NULL */

/*
 * Runs task 0 .. tasks-1, each once, handed out in ascending order, and returns when all are done.
 * A NULL pool runs them on the caller. Not reentrant: a task must not use the same pool.
 */
void clipc_threads_run(clipc_threads *threads, size_t tasks, clipc_task_fn function, void *context);

#endif
