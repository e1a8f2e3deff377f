/* SPDX-License-Identifier: MIT */
/* Error lines, JSON lines (through cJSON), and the check that stdout took them. */
#include "cli/output.h"

#include "cli/command.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

void clipc_cli_error(const char *format, ...)
{
    char line[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    for (char *c = line; *c; c++)
        if (is_control((unsigned char)*c))
            *c = '?';
    fprintf(stderr, "clipc: %s\n", line);
}

int clipc_cli_out_of_memory(void)
{
    clipc_cli_error("memory: not enough");
    return CLIPC_CLI_FAILED;
}

void clipc_cli_report(const clipc_error *error)
{
    clipc_cli_error("%s", error->message);
}

void clipc_cli_log(void *data, clipc_log_level level, const char *message)
{
    (void)data;
    clipc_cli_error("%s%s", level == CLIPC_LOG_WARNING ? "warning: " : "", message);
}

void clipc_cli_print_text(FILE *stream, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        putc(is_control((unsigned char)text[i]) ? '?' : text[i], stream);
}

bool clipc_cli_output_failed(void)
{
    return fflush(stdout) != 0 || ferror(stdout);
}

int clipc_cli_output_close(void)
{
    int reason;

    errno = 0;
    if (!clipc_cli_output_failed() && !fclose(stdout))
        return CLIPC_CLI_DONE;
    reason = errno;
    clipc_cli_error("standard output: cannot write: %s",
                    reason ? strerror(reason) : "not everything was taken");
    return CLIPC_CLI_FAILED;
}

/* ---- JSON ---- */

/* The length of the well-formed UTF-8 sequence at bytes, 0 when there is none. */
static size_t utf8_length(const unsigned char *bytes, size_t size)
{
    unsigned char first = bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (!length || first > 0xf4 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
        (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return length;
}

/* A JSON string made here, because cJSON's end at a NUL and pass on bytes that are not UTF-8. */
static cJSON *create_string(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    char *quoted = size < SIZE_MAX / 6 - 3 ? malloc(size * 6 + 3) : NULL;
    char *to = quoted;
    cJSON *item;

    if (!quoted)
        return NULL;
    *to++ = '"';
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(bytes + i, size - i);

        if (!length || is_control(bytes[i])) {
            to += snprintf(to, 7, "\\u%04x", length ? bytes[i] : 0xfffdu);
            i++;
            continue;
        }
        if (bytes[i] == '"' || bytes[i] == '\\')
            *to++ = '\\';
        memcpy(to, bytes + i, length);
        to += length;
        i += length;
    }
    *to++ = '"';
    *to = '\0';
    item = cJSON_CreateRaw(quoted);
    free(quoted);
    return item;
}

static cJSON *create_real(double value)
{
    char text[32];

    if (!isfinite(value))
        return cJSON_CreateNull();
    snprintf(text, sizeof(text), "%.9g", value);
    return cJSON_CreateRaw(text);
}

static cJSON *create_count(uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return cJSON_CreateRaw(text);
}

/* Both take item over, which may be NULL for one that could not be made. */
static void add(clipc_cli_json *json, const char *key, cJSON *item)
{
    if (!item || !json->object || !cJSON_AddItemToObject(json->object, key, item)) {
        cJSON_Delete(item);
        json->failed = true;
    }
}

static void append(clipc_cli_json *json, cJSON *array, cJSON *item)
{
    if (!item || !array || !cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        json->failed = true;
    }
}

void clipc_cli_json_begin(clipc_cli_json *json)
{
    json->object = cJSON_CreateObject();
    json->failed = !json->object;
}

void clipc_cli_json_null(clipc_cli_json *json, const char *key)
{
    add(json, key, cJSON_CreateNull());
}

void clipc_cli_json_bool(clipc_cli_json *json, const char *key, bool value)
{
    add(json, key, cJSON_CreateBool(value));
}

void clipc_cli_json_count(clipc_cli_json *json, const char *key, uint64_t value)
{
    add(json, key, create_count(value));
}

void clipc_cli_json_real(clipc_cli_json *json, const char *key, double value)
{
    add(json, key, create_real(value));
}

void clipc_cli_json_text(clipc_cli_json *json, const char *key, const char *text)
{
    add(json, key, text ? create_string(text, strlen(text)) : cJSON_CreateNull());
}

void clipc_cli_json_bytes(clipc_cli_json *json, const char *key, const char *bytes, size_t size)
{
    add(json, key, create_string(bytes, size));
}

void clipc_cli_json_reals(clipc_cli_json *json, const char *key, const float *values, size_t n)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; i < n; i++)
        append(json, array, create_real((double)values[i]));
    add(json, key, array);
}

void clipc_cli_json_ids(clipc_cli_json *json, const char *key, const int32_t *ids, size_t n)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; i < n; i++)
        append(json, array, cJSON_CreateNumber((double)ids[i]));
    add(json, key, array);
}

void clipc_cli_json_counts(clipc_cli_json *json, const char *key, const uint32_t *values, size_t n)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; i < n; i++)
        append(json, array, create_count(values[i]));
    add(json, key, array);
}

void clipc_cli_json_texts(clipc_cli_json *json, const char *key, const char *const *texts, size_t n)
{
    cJSON *array = cJSON_CreateArray();

    for (size_t i = 0; i < n; i++)
        append(json, array, create_string(texts[i], strlen(texts[i])));
    add(json, key, array);
}

int clipc_cli_json_print(clipc_cli_json *json)
{
    char *line = json->failed ? NULL : cJSON_PrintUnformatted(json->object);

    cJSON_Delete(json->object);
    json->object = NULL;
    if (!line)
        return clipc_cli_out_of_memory();
    puts(line);
    cJSON_free(line);
    return ferror(stdout) ? CLIPC_CLI_FAILED : CLIPC_CLI_DONE;
}
