/* SPDX-License-Identifier: MIT */
/*
 * The pickle machine: a stack, a memo, and one function for each family of opcodes. Opcodes are
 * those of Python's pickletools; what no state dict needs (INST, OBJ, NEWOBJ_EX, the extension
 * registry) is refused.
 */
#include "checkpoint/pickle.h"

#include "base/byte_reader.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef clipc_pickle_value value;

typedef struct machine {
    clipc_byte_reader in;
    clipc_arena *arena;
    const clipc_pickle_options *options;
    clipc_error *error;
    value **stack; /* [depth] */
    size_t depth, stack_capacity;
    value **memo; /* [memo_count], NULL where nothing was put */
    size_t memo_count, memo_capacity;
    size_t values;
} machine;

/* --- Failing --- */

static clipc_status malformed(machine *m, const char *what)
{
    return clipc_fail(m->error, CLIPC_ERROR_FORMAT, "%s: malformed pickle at byte %zu: %s",
                      m->options->source, m->in.position, what);
}

static clipc_status no_memory(machine *m)
{
    return clipc_fail_memory(m->error, m->options->source, sizeof(value));
}

/* --- Values and the stack --- */

/* What bounds the memory that a pickle takes, however often it uses a value again. */
static clipc_status too_many(machine *m)
{
    return clipc_fail(m->error, CLIPC_ERROR_LIMIT, "%s: its pickle makes more than %zu values",
                      m->options->source, m->options->max_values);
}

static clipc_status push(machine *m, value *v)
{
    if (m->depth >= m->options->max_values)
        return too_many(m);
    if (clipc_grow(&m->stack, &m->stack_capacity, m->depth + 1, sizeof(*m->stack)) != 0)
        return no_memory(m);
    m->stack[m->depth++] = v;
    return CLIPC_OK;
}

static clipc_status make(machine *m, clipc_pickle_kind kind, value **out)
{
    if (m->values >= m->options->max_values)
        return too_many(m);
    *out = clipc_arena_alloc(m->arena, sizeof(**out));
    if (!*out)
        return no_memory(m);
    (*out)->kind = kind;
    m->values++;
    return CLIPC_OK;
}

static clipc_status push_new(machine *m, clipc_pickle_kind kind, value **out)
{
    clipc_status status = make(m, kind, out);

    return status ? status : push(m, *out);
}

static clipc_status push_integer(machine *m, clipc_pickle_kind kind, int64_t integer)
{
    value *v;
    clipc_status status = push_new(m, kind, &v);

    if (!status)
        v->integer = integer;
    return status;
}

/* The top value, or NULL when there is none above the last mark. */
static value *top(const machine *m)
{
    if (m->depth == 0 || m->stack[m->depth - 1]->kind == CLIPC_PICKLE_MARK)
        return NULL;
    return m->stack[m->depth - 1];
}

static value *pop(machine *m)
{
    value *v = top(m);

    if (v)
        m->depth--;
    return v;
}

/* The position after the last mark; false when there is none. */
static bool find_mark(const machine *m, size_t *first)
{
    for (size_t i = m->depth; i > 0; i--)
        if (m->stack[i - 1]->kind == CLIPC_PICKLE_MARK) {
            *first = i;
            return true;
        }
    return false;
}

/* Adds n values to a container's items; the arena keeps outgrown lists until its end. */
static clipc_status add_items(machine *m, value *container, value *const *items, size_t n)
{
    if (n > m->options->max_values - m->values)
        return too_many(m);
    m->values += n;
    if (n > container->capacity - container->count) {
        const size_t capacity = clipc_max_size(2 * container->capacity, container->count + n);
        value **grown = clipc_arena_alloc(m->arena, capacity * sizeof(*grown));

        if (!grown)
            return no_memory(m);
        if (container->count)
            memcpy(grown, container->items, container->count * sizeof(*grown));
        container->items = grown;
        container->capacity = capacity;
    }
    if (n)
        memcpy(container->items + container->count, items, n * sizeof(*items));
    container->count += n;
    return CLIPC_OK;
}

/* A new container of the n top values, which leave the stack. */
static clipc_status gather(machine *m, clipc_pickle_kind kind, size_t n)
{
    value *container;
    clipc_status status;

    for (size_t i = 0; i < n; i++)
        if (i >= m->depth || m->stack[m->depth - 1 - i]->kind == CLIPC_PICKLE_MARK)
            return malformed(m, "the stack is too short");
    status = make(m, kind, &container);
    if (!status)
        status = add_items(m, container, m->stack + m->depth - n, n);
    if (status)
        return status;
    m->depth -= n;
    return push(m, container);
}

/* The same of all values above the last mark, which leaves too. */
static clipc_status gather_marked(machine *m, clipc_pickle_kind kind)
{
    size_t first;
    value *container;
    clipc_status status;

    if (!find_mark(m, &first))
        return malformed(m, "there is no mark");
    if (kind == CLIPC_PICKLE_DICT && (m->depth - first) % 2 != 0)
        return malformed(m, "a dict has a key without a value");
    status = gather(m, kind, m->depth - first);
    if (status)
        return status;
    container = m->stack[--m->depth];
    m->stack[m->depth - 1] = container; /* over the mark */
    return CLIPC_OK;
}

/* Moves the n top values into the container below them (and below a mark, when there is one). */
static clipc_status extend(machine *m, clipc_pickle_kind kind, size_t n, size_t marks)
{
    value *container;
    clipc_status status;

    if (m->depth < n + marks + 1)
        return malformed(m, "the stack is too short");
    container = m->stack[m->depth - n - marks - 1];
    if (container->kind != kind)
        return malformed(m, "items are added to what does not take them");
    for (size_t i = 0; i < n; i++)
        if (m->stack[m->depth - 1 - i]->kind == CLIPC_PICKLE_MARK)
            return malformed(m, "a mark is used as a value");
    if (kind == CLIPC_PICKLE_DICT && n % 2 != 0)
        return malformed(m, "a dict has a key without a value");
    status = add_items(m, container, m->stack + m->depth - n, n);
    m->depth -= n + marks;
    return status;
}

static clipc_status extend_marked(machine *m, clipc_pickle_kind kind)
{
    size_t first;

    if (!find_mark(m, &first))
        return malformed(m, "there is no mark");
    return extend(m, kind, m->depth - first, 1);
}

/* --- Numbers and texts --- */

/* A line up to its newline, without it; NULL at the end of the bytes. */
static const char *read_line(machine *m, size_t *length)
{
    const uint8_t *start = m->in.bytes + m->in.position;
    const uint8_t *end = memchr(start, '\n', m->in.size - m->in.position);

    if (!end) {
        m->in.failed = true;
        return NULL;
    }
    *length = (size_t)(end - start);
    m->in.position += *length + 1;
    return (const char *)start;
}

/* A line as a decimal integer (an L at its end is Python 2's long). */
static bool read_decimal(machine *m, int64_t *out)
{
    size_t length = 0;
    const char *line = read_line(m, &length);
    char digits[32], *end;

    if (!line || length == 0 || length >= sizeof(digits))
        return false;
    memcpy(digits, line, length);
    digits[length] = '\0';
    errno = 0;
    *out = strtoll(digits, &end, 10);
    return errno == 0 && end != digits && (*end == '\0' || (*end == 'L' && end[1] == '\0'));
}

static clipc_status push_text(machine *m, clipc_pickle_kind kind, const char *bytes, size_t length)
{
    value *v;
    clipc_status status;

    if (!bytes)
        return malformed(m, "it is cut short");
    status = push_new(m, kind, &v);
    if (status)
        return status;
    v->text.bytes = bytes;
    v->text.length = length;
    return CLIPC_OK;
}

/* A text after its length of `width` bytes. */
static clipc_status push_counted(machine *m, size_t width)
{
    const uint64_t length = clipc_read_uint(&m->in, width);
    const uint8_t *bytes = length <= SIZE_MAX ? clipc_read_bytes(&m->in, (size_t)length) : NULL;

    return push_text(m, CLIPC_PICKLE_TEXT, (const char *)bytes, (size_t)length);
}

/* A little-endian two's complement integer; beyond 64 bits it stays bytes. */
static clipc_status push_long(machine *m, size_t width)
{
    const uint64_t length = clipc_read_uint(&m->in, width);
    const uint8_t *bytes = length <= SIZE_MAX ? clipc_read_bytes(&m->in, (size_t)length) : NULL;
    uint64_t bits = 0;

    if (!bytes)
        return malformed(m, "it is cut short");
    if (length > 8)
        return push_text(m, CLIPC_PICKLE_BIG, (const char *)bytes, (size_t)length);
    if (length > 0 && bytes[length - 1] & 0x80)
        bits = UINT64_MAX;
    for (size_t i = 0; i < length; i++)
        bits = (bits & ~((uint64_t)0xFF << (8 * i))) | (uint64_t)bytes[i] << (8 * i);
    return push_integer(m, CLIPC_PICKLE_INTEGER, (int64_t)bits);
}

static clipc_status push_decimal(machine *m)
{
    const uint8_t *line = m->in.bytes + m->in.position;
    const bool is_bool = m->in.size - m->in.position >= 3 && line[0] == '0' &&
                         (line[1] == '0' || line[1] == '1') && line[2] == '\n';
    int64_t integer;

    if (!read_decimal(m, &integer))
        return malformed(m, "a number was expected");
    return push_integer(m, is_bool ? CLIPC_PICKLE_BOOL : CLIPC_PICKLE_INTEGER, integer);
}

/* Big-endian, unlike the rest of the format. */
static clipc_status push_double(machine *m)
{
    const uint8_t *bytes = clipc_read_bytes(&m->in, 8);
    uint64_t bits = 0;
    value *v;
    clipc_status status;

    if (!bytes)
        return malformed(m, "it is cut short");
    for (size_t i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    status = push_new(m, CLIPC_PICKLE_FLOAT, &v);
    if (!status)
        memcpy(&v->real, &bits, sizeof(bits));
    return status;
}

static clipc_status push_float_line(machine *m)
{
    size_t length = 0;
    const char *line = read_line(m, &length);
    char digits[64];
    value *v;
    clipc_status status;

    if (!line || length >= sizeof(digits))
        return malformed(m, "a number was expected");
    memcpy(digits, line, length);
    digits[length] = '\0';
    status = push_new(m, CLIPC_PICKLE_FLOAT, &v);
    if (!status)
        v->real = strtod(digits, NULL);
    return status;
}

/* Python 2's quoted string: its quotes fall away, escapes stay as they are. */
static clipc_status push_quoted(machine *m)
{
    size_t length = 0;
    const char *line = read_line(m, &length);

    if (!line || length < 2 || line[0] != line[length - 1] || (line[0] != '\'' && line[0] != '"'))
        return malformed(m, "a quoted string was expected");
    return push_text(m, CLIPC_PICKLE_TEXT, line + 1, length - 2);
}

static clipc_status push_text_line(machine *m)
{
    size_t length = 0;
    const char *line = read_line(m, &length);

    return push_text(m, CLIPC_PICKLE_TEXT, line, length);
}

/* --- The memo --- */

static clipc_status put(machine *m, uint64_t index)
{
    value *v = top(m);

    if (!v)
        return malformed(m, "the stack is too short");
    /* A writer counts up from 0 or 1, one a value: a larger index only wastes memory. */
    if (index > m->options->max_values)
        return too_many(m);
    if (index >= m->memo_count) {
        if (clipc_grow(&m->memo, &m->memo_capacity, (size_t)index + 1, sizeof(*m->memo)) != 0)
            return no_memory(m);
        memset(m->memo + m->memo_count, 0, ((size_t)index + 1 - m->memo_count) * sizeof(*m->memo));
        m->memo_count = (size_t)index + 1;
    }
    m->memo[index] = v;
    return CLIPC_OK;
}

static clipc_status get(machine *m, uint64_t index)
{
    if (index >= m->memo_count || !m->memo[index])
        return malformed(m, "a memo index was never put");
    return push(m, m->memo[index]);
}

static clipc_status put_or_get_line(machine *m, clipc_status (*function)(machine *, uint64_t))
{
    int64_t index;

    if (!read_decimal(m, &index) || index < 0)
        return malformed(m, "a memo index was expected");
    return function(m, (uint64_t)index);
}

/* --- Globals and calls --- */

static clipc_status push_global(machine *m, const char *module, size_t module_length,
                                const char *name, size_t name_length)
{
    char *text;

    if (module_length > 512 || name_length > 512)
        return malformed(m, "a global's name is too long");
    text = clipc_arena_alloc(m->arena, module_length + name_length + 2);
    if (!text)
        return no_memory(m);
    memcpy(text, module, module_length);
    text[module_length] = '.';
    memcpy(text + module_length + 1, name, name_length);
    if (strlen(text) != module_length + name_length + 1 || !m->options->allows(text))
        return clipc_fail(m->error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: its pickle asks for %s, which no state dict needs; refused",
                          m->options->source, text);
    return push_text(m, CLIPC_PICKLE_GLOBAL, text, module_length + name_length + 1);
}

static clipc_status push_global_lines(machine *m)
{
    size_t module_length = 0, name_length = 0;
    const char *module = read_line(m, &module_length);
    const char *name = module ? read_line(m, &name_length) : NULL;

    if (!name)
        return malformed(m, "it is cut short");
    return push_global(m, module, module_length, name, name_length);
}

static clipc_status push_global_stack(machine *m)
{
    const value *name = pop(m);
    const value *module = pop(m);

    if (!name || !module || name->kind != CLIPC_PICKLE_TEXT || module->kind != CLIPC_PICKLE_TEXT)
        return malformed(m, "a global's name is no text");
    return push_global(m, module->text.bytes, module->text.length, name->text.bytes,
                       name->text.length);
}

/* INST, the oldest way to call: no state dict has it, but what it would call can be named. */
static clipc_status refuse_instance(machine *m)
{
    const size_t start = m->in.position;
    clipc_status status = push_global_lines(m);

    if (status)
        return status;
    return clipc_fail(m->error, CLIPC_ERROR_UNSUPPORTED,
                      "%s: opcode 'i' at byte %zu of its pickle has no place in a state dict",
                      m->options->source, start - 1);
}

/* OrderedDict() and OrderedDict([(key, value), ...]) are dicts at once. */
static clipc_status make_ordered_dict(machine *m, const value *arguments)
{
    value *dict;
    const value *pairs = arguments->count ? arguments->items[0] : NULL;
    clipc_status status = push_new(m, CLIPC_PICKLE_DICT, &dict);

    if (status || !pairs)
        return status;
    if (pairs->kind != CLIPC_PICKLE_LIST)
        return malformed(m, "OrderedDict takes a list");
    for (size_t i = 0; i < pairs->count; i++) {
        const value *pair = pairs->items[i];

        if ((pair->kind != CLIPC_PICKLE_LIST && pair->kind != CLIPC_PICKLE_TUPLE) ||
            pair->count != 2)
            return malformed(m, "OrderedDict takes pairs");
        status = add_items(m, dict, pair->items, 2);
        if (status)
            return status;
    }
    return CLIPC_OK;
}

/* REDUCE and NEWOBJ: what would be called, with which arguments. */
static clipc_status call(machine *m)
{
    value *arguments = pop(m);
    value *callable = pop(m);
    value *parts[3] = {callable, arguments, NULL};
    value *object;
    clipc_status status;

    if (!callable || !arguments || callable->kind != CLIPC_PICKLE_GLOBAL ||
        arguments->kind != CLIPC_PICKLE_TUPLE)
        return malformed(m, "what it calls is no global, or has no tuple of arguments");
    if (clipc_pickle_is_global(callable, "collections.OrderedDict"))
        return make_ordered_dict(m, arguments);
    status = push_new(m, CLIPC_PICKLE_OBJECT, &object);
    return status ? status : add_items(m, object, parts, 3);
}

static clipc_status make_persistent(machine *m)
{
    clipc_status status = gather(m, CLIPC_PICKLE_PERSISTENT, 1);

    if (status || !m->options->on_persistent)
        return status;
    return m->options->on_persistent(m->options->context, top(m));
}

/* BUILD gives an object its state; the attributes of an OrderedDict (_metadata) are of no use. */
static clipc_status build(machine *m)
{
    value *state = pop(m);
    value *object = top(m);

    if (!state || !object ||
        (object->kind != CLIPC_PICKLE_OBJECT && object->kind != CLIPC_PICKLE_DICT))
        return malformed(m, "state is given to what takes none");
    if (object->kind == CLIPC_PICKLE_OBJECT)
        object->items[2] = state;
    return CLIPC_OK;
}

/* --- Opcodes, by family; a family that does not know an opcode sets *known to false --- */

static clipc_status run_number(machine *m, uint8_t opcode, bool *known)
{
    switch (opcode) {
    case 'N': return push_integer(m, CLIPC_PICKLE_NONE, 0);
    case 0x88: return push_integer(m, CLIPC_PICKLE_BOOL, 1);
    case 0x89: return push_integer(m, CLIPC_PICKLE_BOOL, 0);
    case 'J': return push_integer(m, CLIPC_PICKLE_INTEGER, (int32_t)clipc_read_u32(&m->in));
    case 'K': return push_integer(m, CLIPC_PICKLE_INTEGER, clipc_read_u8(&m->in));
    case 'M': return push_integer(m, CLIPC_PICKLE_INTEGER, clipc_read_u16(&m->in));
    case 'I':
    case 'L': return push_decimal(m);
    case 0x8A: return push_long(m, 1);
    case 0x8B: return push_long(m, 4);
    case 'G': return push_double(m);
    case 'F': return push_float_line(m);
    default: *known = false; return CLIPC_OK;
    }
}

static clipc_status run_text(machine *m, uint8_t opcode, bool *known)
{
    switch (opcode) {
    case 'U':
    case 'C':
    case 0x8C: return push_counted(m, 1);
    case 'T':
    case 'B':
    case 'X': return push_counted(m, 4);
    case 0x8D:
    case 0x8E:
    case 0x96: return push_counted(m, 8);
    case 'S': return push_quoted(m);
    case 'V': return push_text_line(m);
    default: *known = false; return CLIPC_OK;
    }
}

static clipc_status run_container(machine *m, uint8_t opcode, bool *known)
{
    value *made;

    switch (opcode) {
    case '(': return push_new(m, CLIPC_PICKLE_MARK, &made);
    case ']':
    case 0x8F: return push_new(m, CLIPC_PICKLE_LIST, &made);
    case ')': return push_new(m, CLIPC_PICKLE_TUPLE, &made);
    case '}': return push_new(m, CLIPC_PICKLE_DICT, &made);
    case 'l':
    case 0x91: return gather_marked(m, CLIPC_PICKLE_LIST);
    case 't': return gather_marked(m, CLIPC_PICKLE_TUPLE);
    case 'd': return gather_marked(m, CLIPC_PICKLE_DICT);
    case 0x85: return gather(m, CLIPC_PICKLE_TUPLE, 1);
    case 0x86: return gather(m, CLIPC_PICKLE_TUPLE, 2);
    case 0x87: return gather(m, CLIPC_PICKLE_TUPLE, 3);
    case 'a': return extend(m, CLIPC_PICKLE_LIST, 1, 0);
    case 'e':
    case 0x90: return extend_marked(m, CLIPC_PICKLE_LIST);
    case 's': return extend(m, CLIPC_PICKLE_DICT, 2, 0);
    case 'u': return extend_marked(m, CLIPC_PICKLE_DICT);
    default: *known = false; return CLIPC_OK;
    }
}

static clipc_status run_stack(machine *m, uint8_t opcode, bool *known)
{
    size_t first;

    switch (opcode) {
    case 0x80: return clipc_read_u8(&m->in) <= 5 ? CLIPC_OK : malformed(m, "unknown protocol");
    case 0x95: clipc_read_u64(&m->in); return CLIPC_OK; /* a frame: only a hint for streams */
    case '0': return pop(m) ? CLIPC_OK : malformed(m, "the stack is too short");
    case '1':
        if (!find_mark(m, &first))
            return malformed(m, "there is no mark");
        m->depth = first - 1;
        return CLIPC_OK;
    case '2': return top(m) ? push(m, top(m)) : malformed(m, "the stack is too short");
    case 'p': return put_or_get_line(m, put);
    case 'q': return put(m, clipc_read_u8(&m->in));
    case 'r': return put(m, clipc_read_u32(&m->in));
    case 0x94: return put(m, m->memo_count);
    case 'g': return put_or_get_line(m, get);
    case 'h': return get(m, clipc_read_u8(&m->in));
    case 'j': return get(m, clipc_read_u32(&m->in));
    default: *known = false; return CLIPC_OK;
    }
}

static clipc_status run_object(machine *m, uint8_t opcode, bool *known)
{
    switch (opcode) {
    case 'c': return push_global_lines(m);
    case 0x93: return push_global_stack(m);
    case 'i': return refuse_instance(m);
    case 'R':
    case 0x81: return call(m);
    case 'b': return build(m);
    case 'Q': return make_persistent(m);
    default: *known = false; return CLIPC_OK;
    }
}

static clipc_status run_one(machine *m, uint8_t opcode)
{
    static clipc_status (*const families[])(machine *, uint8_t, bool *) = {
        run_number, run_text, run_container, run_stack, run_object,
    };

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        bool known = true;
        clipc_status status = families[i](m, opcode, &known);

        if (known)
            return status;
    }
    return clipc_fail(m->error, CLIPC_ERROR_UNSUPPORTED,
                      "%s: opcode 0x%02x at byte %zu of its pickle has no place in a state dict",
                      m->options->source, opcode, m->in.position - 1);
}

static clipc_status run(machine *m, value **out)
{
    for (;;) {
        const uint8_t opcode = clipc_read_u8(&m->in);
        clipc_status status;

        if (m->in.failed)
            return malformed(m, "it is cut short");
        if (opcode == '.')
            break;
        status = run_one(m, opcode);
        if (status)
            return status;
        if (m->in.failed)
            return malformed(m, "it is cut short");
    }
    *out = pop(m);
    return *out ? CLIPC_OK : malformed(m, "it has no result");
}

clipc_status clipc_pickle_read(clipc_pickle_value **out, clipc_arena *arena, const uint8_t *bytes,
                               size_t size, const clipc_pickle_options *options, size_t *used,
                               clipc_error *error)
{
    machine m = {
        .in = clipc_byte_reader_over(bytes, size),
        .arena = arena,
        .options = options,
        .error = error,
    };
    clipc_status status = run(&m, out);

    free(m.stack);
    free(m.memo);
    if (used)
        *used = m.in.position;
    return status;
}

/* --- Looking at values --- */

static bool reads(const value *v, clipc_pickle_kind kind, const char *text)
{
    const size_t length = strlen(text);

    return v && v->kind == kind && v->text.length == length &&
           memcmp(v->text.bytes, text, length) == 0;
}

bool clipc_pickle_is_text(const clipc_pickle_value *v, const char *text)
{
    return reads(v, CLIPC_PICKLE_TEXT, text);
}

bool clipc_pickle_is_global(const clipc_pickle_value *v, const char *name)
{
    return reads(v, CLIPC_PICKLE_GLOBAL, name);
}

clipc_pickle_value *clipc_pickle_get(const clipc_pickle_value *dict, const char *key)
{
    if (!dict || dict->kind != CLIPC_PICKLE_DICT)
        return NULL;
    for (size_t i = 0; i + 1 < dict->count; i += 2)
        if (clipc_pickle_is_text(dict->items[i], key))
            return dict->items[i + 1];
    return NULL;
}
