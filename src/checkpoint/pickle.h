/* SPDX-License-Identifier: MIT */
/*
 * A pickle read as data: its opcodes build a tree of values, and a call becomes a value that says
 * what would be called with what. Nothing is ever executed or imported.
 */
#ifndef CLIPC_CHECKPOINT_PICKLE_H
#define CLIPC_CHECKPOINT_PICKLE_H

#include "base/arena.h"

#include <clipc.h>

typedef enum clipc_pickle_kind {
    CLIPC_PICKLE_NONE,
    CLIPC_PICKLE_BOOL,       /* integer: 0 or 1 */
    CLIPC_PICKLE_INTEGER,    /* integer */
    CLIPC_PICKLE_BIG,        /* an integer beyond 64 bits: text holds its little-endian bytes */
    CLIPC_PICKLE_FLOAT,      /* real */
    CLIPC_PICKLE_TEXT,       /* text: str and bytes alike */
    CLIPC_PICKLE_TUPLE,      /* items */
    CLIPC_PICKLE_LIST,       /* items; sets too */
    CLIPC_PICKLE_DICT,       /* items: key, value, key, value, ...; OrderedDict too */
    CLIPC_PICKLE_GLOBAL,     /* text: "module.name" */
    CLIPC_PICKLE_OBJECT,     /* items: what was called, its arguments, its state (or NULL) */
    CLIPC_PICKLE_PERSISTENT, /* items: the identifier */
    CLIPC_PICKLE_MARK,       /* of the stack; never in a result */
} clipc_pickle_kind;

typedef struct clipc_pickle_value {
    clipc_pickle_kind kind;
    union {
        int64_t integer;
        double real;
        struct {
            const char *bytes; /* not NUL-terminated */
            size_t length;
        } text;
        struct {
            struct clipc_pickle_value **items;
            size_t count, capacity;
        };
    };
} clipc_pickle_value;

typedef struct clipc_pickle_options {
    /* Whether a pickle may name "module.name"; others are refused by name. */
    bool (*allows)(const char *name);
    /* Refuses pickles that make more values, counting each place in a container as one more. */
    size_t max_values;
    const char *source;
    /*
     * Called with each persistent value (NULL: not); another status than CLIPC_OK ends the reading.
     */
    clipc_status (*on_persistent)(void *context, const clipc_pickle_value *value);
    void *context;
} clipc_pickle_options;

/*
 * Reads one pickle (protocols 0 to 5) at the start of bytes, which must outlive the result; values
 * live in the arena. *used (may be NULL) receives its length. The values may share parts, but they
 * cannot be walked without limits: a pickle can make a container hold itself.
 */
clipc_status clipc_pickle_read(clipc_pickle_value **out, clipc_arena *arena, const uint8_t *bytes,
                               size_t size, const clipc_pickle_options *options, size_t *used,
                               clipc_error *error);

/* Whether a value is a text, or a global, that reads so. */
bool clipc_pickle_is_text(const clipc_pickle_value *value, const char *text);
bool clipc_pickle_is_global(const clipc_pickle_value *value, const char *name);

/* The value of a text key of a dict; NULL when there is none. */
clipc_pickle_value *clipc_pickle_get(const clipc_pickle_value *dict, const char *key);

#endif
