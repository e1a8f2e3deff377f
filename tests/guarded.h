/* SPDX-License-Identifier: MIT */
/* Buffers that end where an unreadable page begins: a read or write past the end is a fault. */
#ifndef CLIPC_TESTS_GUARDED_H
#define CLIPC_TESTS_GUARDED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct guarded {
    unsigned char *map;
    size_t map_bytes;
    void *data; /* `bytes` bytes, the last of them just before the guard page */
} guarded;

static inline guarded guarded_open(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = (bytes + page - 1) / page;
    guarded buffer = {.map_bytes = (pages + 1) * page};

    buffer.map =
        mmap(NULL, buffer.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(buffer.map != MAP_FAILED);
    assert_int_equal(mprotect(buffer.map + pages * page, page, PROT_NONE), 0);
    buffer.data = buffer.map + pages * page - bytes;
    return buffer;
}

static inline void guarded_close(guarded *buffer)
{
    munmap(buffer->map, buffer->map_bytes);
}

#endif
