/* SPDX-License-Identifier: MIT */
/* Reads texts line by line and keeps lists of them. */
#include "cli/lines.h"

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int clipc_cli_reader_open(clipc_cli_reader *reader, const char *path)
{
    bool is_stdin = !strcmp(path, "-");

    memset(reader, 0, sizeof(*reader));
    reader->name = is_stdin ? "standard input" : path;
    reader->file = is_stdin ? stdin : fopen(path, "rb");
    if (reader->file)
        return CLIPC_CLI_DONE;
    clipc_cli_error("%s: cannot open: %s", path, strerror(errno));
    return CLIPC_CLI_INPUT;
}

/* Room for one more byte and the NUL after it. */
static int reserve(clipc_cli_reader *reader)
{
    size_t capacity = reader->capacity ? reader->capacity * 2 : 256;
    char *line;

    if (reader->size >= CLIPC_CLI_MAX_LINE) {
        clipc_cli_error("%s: line %zu has %d bytes or more", reader->name, reader->number,
                        (int)CLIPC_CLI_MAX_LINE);
        return CLIPC_CLI_INPUT;
    }
    if (reader->size + 1 < reader->capacity)
        return CLIPC_CLI_DONE;
    line = realloc(reader->line, capacity);
    if (!line)
        return clipc_cli_out_of_memory();
    reader->line = line;
    reader->capacity = capacity;
    return CLIPC_CLI_DONE;
}

int clipc_cli_reader_next(clipc_cli_reader *reader, bool *more)
{
    int byte = EOF;
    int code;

    reader->size = 0;
    reader->number++;
    *more = false;
    code = reserve(reader);
    /* The rest of a line that is too long is read and dropped: the next line may be a good one. */
    while (code <= CLIPC_CLI_INPUT && (byte = getc(reader->file)) != EOF && byte != '\n') {
        if (code)
            continue;
        reader->line[reader->size++] = (char)byte;
        code = reserve(reader);
    }
    if (clipc_cli_interrupted())
        return CLIPC_CLI_INTERRUPTED;
    if (!code && byte == EOF && ferror(reader->file)) {
        clipc_cli_error("%s: cannot read: %s", reader->name, strerror(errno));
        return CLIPC_CLI_INPUT;
    }
    *more = byte == '\n' || reader->size;
    if (code)
        return code;
    if (byte == '\n' && reader->size && reader->line[reader->size - 1] == '\r')
        reader->size--;
    reader->line[reader->size] = '\0';
    return CLIPC_CLI_DONE;
}

void clipc_cli_reader_close(clipc_cli_reader *reader)
{
    if (reader->file && reader->file != stdin)
        fclose(reader->file);
    free(reader->line);
    memset(reader, 0, sizeof(*reader));
}

static int add(clipc_cli_texts *texts, const char *bytes, size_t size, const char *file,
               size_t number)
{
    clipc_cli_text *item;
    char *copy;

    if (size >= CLIPC_CLI_MAX_TEXTS - texts->bytes) {
        clipc_cli_error("%s: the texts have more than %d bytes together", file ? file : "texts",
                        (int)CLIPC_CLI_MAX_TEXTS);
        return CLIPC_CLI_INPUT;
    }
    if (texts->count == texts->capacity) {
        size_t capacity = texts->capacity ? texts->capacity * 2 : 64;
        clipc_cli_text *items = realloc(texts->items, capacity * sizeof(*items));

        if (!items)
            return clipc_cli_out_of_memory();
        texts->items = items;
        texts->capacity = capacity;
    }
    copy = malloc(size + 1);
    if (!copy)
        return clipc_cli_out_of_memory();
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    item = &texts->items[texts->count++];
    item->bytes = copy;
    item->size = size;
    item->file = file;
    item->number = number;
    texts->bytes += size + 1;
    return CLIPC_CLI_DONE;
}

int clipc_cli_texts_add(clipc_cli_texts *texts, const char *text)
{
    return add(texts, text, strlen(text), NULL, texts->count + 1);
}

int clipc_cli_texts_add_file(clipc_cli_texts *texts, const char *path, bool skip_empty)
{
    clipc_cli_reader reader;
    bool more = true;
    int code = clipc_cli_reader_open(&reader, path);

    while (!code && more) {
        code = clipc_cli_reader_next(&reader, &more);
        if (!code && more && (reader.size || !skip_empty))
            code = add(texts, reader.line, reader.size, reader.name, reader.number);
    }
    clipc_cli_reader_close(&reader);
    return code;
}

int clipc_cli_texts_strings(const clipc_cli_texts *texts, const char ***out)
{
    const char **strings = calloc(texts->count + 1, sizeof(*strings));

    *out = NULL;
    if (!strings)
        return clipc_cli_out_of_memory();
    for (size_t i = 0; i < texts->count; i++) {
        const clipc_cli_text *text = &texts->items[i];

        if (memchr(text->bytes, '\0', text->size)) {
            char name[256];

            clipc_cli_text_name(text, name, sizeof(name));
            clipc_cli_error("%s: holds a NUL character", name);
            free(strings);
            return CLIPC_CLI_INPUT;
        }
        strings[i] = text->bytes;
    }
    *out = strings;
    return CLIPC_CLI_DONE;
}

void clipc_cli_text_name(const clipc_cli_text *text, char *out, size_t out_size)
{
    if (text->file)
        snprintf(out, out_size, "%s, line %zu", text->file, text->number);
    else
        snprintf(out, out_size, "text %zu", text->number);
}

void clipc_cli_texts_free(clipc_cli_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->items[i].bytes);
    free(texts->items);
    memset(texts, 0, sizeof(*texts));
}
