/* SPDX-License-Identifier: MIT */
/*
 * Texts, from the command line or from files. A line ends at LF or CR LF, and may be empty and may
 * hold NUL characters; the end of the file ends the last line, and an LF before it makes no further
 * one.
 */
#ifndef CLIPC_CLI_LINES_H
#define CLIPC_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    CLIPC_CLI_MAX_LINE = 1 << 24,  /* bytes in a line */
    CLIPC_CLI_MAX_TEXTS = 1 << 30, /* bytes in all lines that are kept at once */
};

typedef struct clipc_cli_reader {
    FILE *file;
    const char *name; /* for messages: the path, or "standard input" */
    char *line;       /* the current line, NUL-terminated; the reader's */
    size_t size;
    size_t capacity;
    size_t number; /* of the current line, from 1 */
} clipc_cli_reader;

/*
 * path "-" is standard input. On failure says why and returns CLIPC_CLI_INPUT, else CLIPC_CLI_DONE.
 */
int clipc_cli_reader_open(clipc_cli_reader *reader, const char *path);

/*
 * Reads the next line into reader->line. Sets *more to false at the end. Returns CLIPC_CLI_DONE, or
 * an exit code after saying what was wrong (nothing is said when interrupted); where *more is true
 * then, only this line is lost.
 */
int clipc_cli_reader_next(clipc_cli_reader *reader, bool *more);

void clipc_cli_reader_close(clipc_cli_reader *reader);

typedef struct clipc_cli_text {
    char *bytes; /* NUL-terminated after size bytes */
    size_t size;
    const char *file; /* NULL: from the command line */
    size_t number;    /* the line in the file, or the position among the texts, from 1 */
} clipc_cli_text;

/* Texts in the order they were added; starts all zero. */
typedef struct clipc_cli_texts {
    clipc_cli_text *items;
    size_t count;
    size_t capacity;
    size_t bytes;
} clipc_cli_texts;

/* A copy of text is made. Both return an exit code, and have said what was wrong. */
int clipc_cli_texts_add(clipc_cli_texts *texts, const char *text);

/* Adds the lines of a file; without the empty ones where skip_empty says so. */
int clipc_cli_texts_add_file(clipc_cli_texts *texts, const char *path, bool skip_empty);

/*
 * The texts as an array of strings for the library, which points to the items; one that holds a NUL
 * is refused. Free it. Returns an exit code, and has said what was wrong.
 */
int clipc_cli_texts_strings(const clipc_cli_texts *texts, const char ***out);

/* Writes how messages name a text: "text 3", "FILE, line 3". */
void clipc_cli_text_name(const clipc_cli_text *text, char *out, size_t out_size);

void clipc_cli_texts_free(clipc_cli_texts *texts);

#endif
