/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail on demand. The linker sends malloc and its kin here (tests/CMakeLists.txt
 * does so for programs called *_memory), and what is never freed is counted.
 */
#ifndef CLIPC_TESTS_FAILING_MEMORY_H
#define CLIPC_TESTS_FAILING_MEMORY_H

#include <cjson/cJSON.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
int __real_posix_memalign(void **block, size_t alignment, size_t size);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);
void __wrap_free(void *block);

/* Threads allocate too, hence atomic. */
static atomic_long memory_left = -1; /* allocations until one fails; negative: none does */
static atomic_long memory_held;      /* blocks that are allocated now */
static atomic_bool memory_failed;    /* whether it has happened */

static bool memory_fails(void)
{
    if (memory_left < 0 || atomic_fetch_sub(&memory_left, 1) != 0)
        return false;
    memory_failed = true;
    errno = ENOMEM;
    return true;
}

static void *memory_hold(void *block)
{
    if (block)
        atomic_fetch_add(&memory_held, 1);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return memory_fails() ? NULL : memory_hold(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : memory_hold(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    void *moved;

    if (memory_fails())
        return NULL;
    moved = __real_realloc(block, size);
    if (!block)
        memory_hold(moved);
    return moved;
}

int __wrap_posix_memalign(void **block, size_t alignment, size_t size)
{
    int failed = memory_fails() ? ENOMEM : __real_posix_memalign(block, alignment, size);

    if (!failed)
        memory_hold(*block);
    return failed;
}

void __wrap_free(void *block)
{
    if (block)
        atomic_fetch_sub(&memory_held, 1);
    __real_free(block);
}

/* cJSON is a shared library: the linker does not reach into it. Its blocks come from here too. */
static inline void memory_hook_json(void)
{
    static cJSON_Hooks hooks = {__wrap_malloc, __wrap_free};

    cJSON_InitHooks(&hooks);
}

/* Lets the n-th allocation from now fail (0: the next); -1: none. */
static inline void memory_fail_at(long n)
{
    memory_failed = false;
    memory_left = n;
}

#endif
