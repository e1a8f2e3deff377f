/* SPDX-License-Identifier: MIT */
/* Untrusted JSON -> a cJSON tree, more strictly than cJSON by itself. */
#ifndef CLIPC_BASE_JSON_H
#define CLIPC_BASE_JSON_H

#include <clipc.h>

#include <cjson/cJSON.h>

/*
 * Parses bytes, which must be UTF-8 without a NUL and hold one JSON value and white space. In
 * messages `source` is the file, `subject` what of it is read ("the file", "its header").
 * cJSON_Delete(*out).
 */
clipc_status clipc_json_parse(cJSON **out, const void *bytes, size_t size, const char *source,
                              const char *subject, clipc_error *error);

#endif
