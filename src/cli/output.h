/* SPDX-License-Identifier: MIT */
/*
 * What the command prints: error lines on stderr, JSON lines and text on stdout. Whether stdout
 * took everything is asked once, by clipc_cli_output_close; loops ask clipc_cli_output_failed to
 * end early.
 */
#ifndef CLIPC_CLI_OUTPUT_H
#define CLIPC_CLI_OUTPUT_H

#include <clipc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Prints "clipc: " and one line on stderr; control characters become '?'. */
void clipc_cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says so; returns CLIPC_CLI_FAILED. */
int clipc_cli_out_of_memory(void);

/* Prints the message of a library call that failed. */
void clipc_cli_report(const clipc_error *error);

/* A clipc_log_fn that prints on stderr. */
void clipc_cli_log(void *data, clipc_log_level level, const char *message);

/* Prints text with control characters as '?', so that a name cannot steer the terminal. */
void clipc_cli_print_text(FILE *stream, const char *text, size_t size);

/* Flushes stdout; true when something could not be written, now or before. */
bool clipc_cli_output_failed(void);

/* Ends stdout; returns CLIPC_CLI_DONE, or says what failed and returns CLIPC_CLI_FAILED. */
int clipc_cli_output_close(void);

/* One JSON object under construction; a failed allocation is remembered until it is printed. */
typedef struct clipc_cli_json {
    struct cJSON *object;
    bool failed;
} clipc_cli_json;

void clipc_cli_json_begin(clipc_cli_json *json);
void clipc_cli_json_null(clipc_cli_json *json, const char *key);
void clipc_cli_json_bool(clipc_cli_json *json, const char *key, bool value);
void clipc_cli_json_count(clipc_cli_json *json, const char *key, uint64_t value);
/* 9 significant digits; null when not finite. */
void clipc_cli_json_real(clipc_cli_json *json, const char *key, double value);
/* Bytes that are not UTF-8 become U+FFFD; text may be NULL, which gives null. */
void clipc_cli_json_text(clipc_cli_json *json, const char *key, const char *text);
void clipc_cli_json_bytes(clipc_cli_json *json, const char *key, const char *bytes, size_t size);
void clipc_cli_json_reals(clipc_cli_json *json, const char *key, const float *values, size_t n);
void clipc_cli_json_ids(clipc_cli_json *json, const char *key, const int32_t *ids, size_t n);
void clipc_cli_json_counts(clipc_cli_json *json, const char *key, const uint32_t *values, size_t n);
void clipc_cli_json_texts(clipc_cli_json *json, const char *key, const char *const *texts,
                          size_t n);

/*
 * Prints the object on a line of stdout and frees it. Returns CLIPC_CLI_DONE, or CLIPC_CLI_FAILED
 * when memory was short, which is said, or stdout has failed.
 */
int clipc_cli_json_print(clipc_cli_json *json);

#endif
