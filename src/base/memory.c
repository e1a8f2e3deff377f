/* SPDX-License-Identifier: MIT */
/* Checked allocation: arrays whose size cannot overflow, and blocks aligned for vector loads. */
#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include "base/sizes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *clipc_calloc(size_t count, size_t size)
{
    size_t bytes;

    if (!clipc_mul_size(count, size, &bytes) || bytes == 0)
        return NULL;
    return calloc(count, size);
}

void *clipc_alloc_aligned(size_t count, size_t size)
{
    size_t bytes;
    void *block = NULL;

    if (!clipc_mul_size(count, size, &bytes) || bytes == 0)
        return NULL;
    if (posix_memalign(&block, CLIPC_ALIGNMENT, bytes) != 0)
        return NULL;
    return block;
}

void clipc_prefault(void *block, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)block;
    const uintptr_t first = (start + page - 1) / page * page, end = (start + bytes) / page * page;

    if (first < end)
        madvise((void *)first, end - first, MADV_POPULATE_WRITE);
#else
    (void)block;
    (void)bytes;
#endif
}

int clipc_grow(void *array, size_t *capacity, size_t needed, size_t size)
{
    void *old, *grown;
    size_t bytes, wanted = *capacity < 8 ? 8 : *capacity;

    if (needed <= *capacity)
        return 0;
    while (wanted < needed)
        if (!clipc_mul_size(wanted, 2, &wanted))
            return -1;
    if (!clipc_mul_size(wanted, size, &bytes))
        return -1;
    memcpy(&old, array, sizeof(old)); /* array is a pointer to some T *, whatever T is */
    grown = realloc(old, bytes);
    if (!grown)
        return -1;
    memcpy(array, &grown, sizeof(grown));
    *capacity = wanted;
    return 0;
}

char *clipc_copy_text(const char *text, size_t length)
{
    size_t bytes;
    char *copy;

    if (!clipc_add_size(length, 1, &bytes))
        return NULL;
    copy = malloc(bytes);
    if (!copy)
        return NULL;
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}
