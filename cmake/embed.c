/* SPDX-License-Identifier: MIT */
/*
 * Turns a data file into C, at build time, so that the library needs no files of its own:
 *
 *     embed bytes NAME IN OUT.c OUT.h    const unsigned char clipc_embedded_NAME[] and _size
 *     embed lines NAME IN OUT.c OUT.h    const char *const clipc_embedded_NAME[] and _count
 *
 * The header declares the array with its length, so that sizeof works in constant expressions.
 * Bytes become one string literal, as compilers read that ten times faster than a list of numbers.
 * Lines end in LF; the last may lack it; an empty line, a CR and a NUL are errors, since a list of
 * templates or class names with one in it is a mistake.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *source, const char *what)
{
    fprintf(stderr, "embed: %s: %s\n", source, what);
    return 1;
}

/* The whole file, NUL-terminated; NULL when it cannot be read. free(). */
static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    unsigned char *bytes = NULL;
    long end;

    if (!in)
        return NULL;
    if (fseek(in, 0, SEEK_END) == 0 && (end = ftell(in)) >= 0 && fseek(in, 0, SEEK_SET) == 0) {
        *size = (size_t)end;
        bytes = malloc(*size + 1);
        if (bytes && fread(bytes, 1, *size, in) != *size) {
            free(bytes);
            bytes = NULL;
        }
        if (bytes)
            bytes[*size] = '\0';
    }
    fclose(in);
    return bytes;
}

/*
 * A byte as it stands in a string literal. Octal escapes have at most three digits, so a digit may
 * follow one; hexadecimal ones go on. '?' is escaped because of trigraphs.
 */
static void write_byte(FILE *out, unsigned char byte)
{
    if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\' && byte != '?')
        putc(byte, out);
    else
        fprintf(out, "\\%03o", (unsigned)byte);
}

static void write_literal(FILE *out, const unsigned char *bytes, size_t size)
{
    static const size_t per_line = 1024;

    if (size == 0)
        fputs("\"\"", out);
    for (size_t start = 0; start < size; start += per_line) {
        fputs(start ? "\n    \"" : "\"", out);
        for (size_t i = start; i < size && i < start + per_line; i++)
            write_byte(out, bytes[i]);
        putc('"', out);
    }
}

static void write_bytes(FILE *out, const char *name, const unsigned char *bytes, size_t size)
{
    /*
     * Aligned, so that tensors in it can be read in place. The literal's own NUL follows the data.
     */
    fprintf(out, "_Alignas(64) const unsigned char clipc_embedded_%s[%zu] =\n    ", name, size + 1);
    write_literal(out, bytes, size);
    fprintf(out, ";\nconst size_t clipc_embedded_%s_size = %zu;\n", name, size);
}

/* The number of lines; the last may lack its LF. */
static size_t count_lines(const unsigned char *bytes, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += bytes[i] == '\n' || i + 1 == size;
    return count;
}

static void write_lines(FILE *out, const char *name, const unsigned char *bytes, size_t size)
{
    size_t count = count_lines(bytes, size);

    fprintf(out, "const char *const clipc_embedded_%s[%zu] = {\n", name, count);
    for (size_t start = 0, end; start < size; start = end + 1) {
        for (end = start; end < size && bytes[end] != '\n'; end++)
            ;
        fputs("    ", out);
        write_literal(out, bytes + start, end - start);
        fputs(",\n", out);
    }
    fprintf(out, "};\nconst size_t clipc_embedded_%s_count = %zu;\n", name, count);
}

/* What is wrong with a file as a list of lines; NULL when nothing is. */
static const char *fault_in_lines(const unsigned char *bytes, size_t size)
{
    if (size == 0)
        return "the list is empty";
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\r' || bytes[i] == '\0')
            return "a CR or NUL, expected lines that end in LF";
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] == '\n'))
            return "an empty line, expected an item on each";
    }
    return NULL;
}

/* length: of the array; a byte array has one more than the data, for its NUL. */
static void write_header(FILE *out, const char *name, bool lines, size_t length)
{
    fputs("#include <stddef.h>\n\n", out);
    if (lines)
        fprintf(out, "extern const char *const clipc_embedded_%s[%zu];\n", name, length);
    else
        fprintf(out, "extern const unsigned char clipc_embedded_%s[%zu];\n", name, length);
    fprintf(out, "extern const size_t clipc_embedded_%s_%s;\n", name, lines ? "count" : "size");
}

/* Opens an output and says in it where it comes from; NULL when it cannot be written. */
static FILE *open_output(const char *path, const char *in)
{
    const char *slash = strrchr(in, '/');
    FILE *out = fopen(path, "wb");

    if (out)
        fprintf(out, "/* Generated from %s; do not edit. */\n", slash ? slash + 1 : in);
    return out;
}

static bool close_output(FILE *out)
{
    bool written = !ferror(out);

    return fclose(out) == 0 && written;
}

static int write_source_file(const char *path, const char *in, const char *name, bool lines,
                             const unsigned char *bytes, size_t size)
{
    FILE *out = open_output(path, in);

    if (!out)
        return fail(path, "cannot be written");
    fprintf(out, "#include \"embedded/%s.h\"\n\n", name);
    if (lines)
        write_lines(out, name, bytes, size);
    else
        write_bytes(out, name, bytes, size);
    return close_output(out) ? 0 : fail(path, "cannot be written");
}

static int write_header_file(const char *path, const char *in, const char *name, bool lines,
                             size_t length)
{
    FILE *out = open_output(path, in);

    if (!out)
        return fail(path, "cannot be written");
    write_header(out, name, lines, length);
    return close_output(out) ? 0 : fail(path, "cannot be written");
}

int main(int argc, char **argv)
{
    bool lines = argc == 6 && strcmp(argv[1], "lines") == 0;
    unsigned char *bytes;
    const char *fault;
    size_t size = 0;
    int result;

    if (argc != 6 || (!lines && strcmp(argv[1], "bytes") != 0))
        return fail("usage", "embed bytes|lines NAME IN OUT.c OUT.h");
    bytes = read_file(argv[3], &size);
    if (!bytes)
        return fail(argv[3], "cannot be read");
    fault = lines ? fault_in_lines(bytes, size) : NULL;
    if (fault)
        result = fail(argv[3], fault);
    else
        result = write_source_file(argv[4], argv[3], argv[2], lines, bytes, size) ||
                 write_header_file(argv[5], argv[3], argv[2], lines,
                                   lines ? count_lines(bytes, size) : size + 1);
    free(bytes);
    return result;
}
