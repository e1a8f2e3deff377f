/* SPDX-License-Identifier: MIT */
/*
 * Fetching over HTTP with libcurl: goes on where the part ends (Range), starts over when the server
 * does not take part in that, and tries again a few times after faults that pass. Proxies come from
 * the environment, as libcurl has it.
 */
#include "base/status.h"
#include "hub/hub.h"

#ifdef CLIPC_HAVE_CURL

#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    CONNECT_TIMEOUT_S = 30,
    STALL_S = 60, /* less than a byte a second for so long ends an attempt */
    MOST_REDIRECTS = 5,
    MOST_ATTEMPTS = 5, /* in a row that bring less than ENOUGH_PROGRESS */
    FIRST_PAUSE_MS = 500,
    ENOUGH_PROGRESS = 1 << 20,
    HTTP_OK = 200,
    HTTP_PARTIAL = 206,
    HTTP_RANGE_REFUSED = 416,
};

/* One attempt. */
typedef struct http_attempt {
    CURL *curl;
    clipc_part *part;
    uint64_t offset;      /* of the first byte asked for */
    uint64_t range_start; /* of the first byte the server announces, when has_range */
    bool has_range;
    bool begun;          /* the body has been looked at */
    clipc_status status; /* why we stopped the transfer ourselves; error is filled */
    clipc_error *error;
    char message[CURL_ERROR_SIZE]; /* libcurl's words */
} http_attempt;

/*
 * libcurl's own set-up is process-wide and, before its version 7.84, not thread-safe; once, and
 * never undone, since the host program may use libcurl too.
 */
static void set_up_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static CURL *new_handle(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up_curl);
    return curl_easy_init();
}

/* Called with each line of a response's head; those of redirects come first. */
static size_t take_header(char *bytes, size_t unit, size_t n, void *context)
{
    http_attempt *attempt = context;
    char line[128];
    size_t length = unit * n < sizeof(line) - 1 ? unit * n : sizeof(line) - 1;

    memcpy(line, bytes, length);
    line[length] = '\0';
    if (strncasecmp(line, "HTTP/", 5) == 0)
        attempt->has_range = false;
    else if (strncasecmp(line, "Content-Range:", 14) == 0)
        attempt->has_range = sscanf(line + 14, " bytes %" SCNu64 "-", &attempt->range_start) == 1;
    return unit * n;
}

/* What the answer means for the part, before its body is written; the reason to stop in status. */
static void begin_body(http_attempt *attempt)
{
    clipc_part *part = attempt->part;
    curl_off_t length = -1;
    long code = 0;

    attempt->begun = true;
    curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(attempt->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (code == HTTP_OK && attempt->offset > 0)
        attempt->status = clipc_part_restart(part, attempt->error);
    else if (code == HTTP_PARTIAL &&
             !(attempt->has_range && attempt->range_start == attempt->offset))
        attempt->status = clipc_fail(attempt->error, CLIPC_ERROR_NETWORK,
                                     "%s: the server sent another range, expected one from byte "
                                     "%" PRIu64,
                                     part->source, attempt->offset);
    part->progress->total = length > 0 ? part->progress->received + (uint64_t)length : 0;
}

static bool is_content(const http_attempt *attempt)
{
    long code = 0;

    curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &code);
    return code == HTTP_OK || code == HTTP_PARTIAL;
}

static size_t take_body(char *bytes, size_t unit, size_t n, void *context)
{
    http_attempt *attempt = context;

    if (!is_content(attempt))
        return 0; /* an error page; the code tells */
    if (!attempt->begun)
        begin_body(attempt);
    if (!attempt->status)
        attempt->status = clipc_part_append(attempt->part, bytes, unit * n, attempt->error);
    return attempt->status ? 0 : unit * n;
}

/* Called about once a second also when nothing comes. */
static int take_progress(void *context, curl_off_t download_total, curl_off_t downloaded,
                         curl_off_t upload_total, curl_off_t uploaded)
{
    http_attempt *attempt = context;

    (void)download_total;
    (void)downloaded;
    (void)upload_total;
    (void)uploaded;
    if (!attempt->status && clipc_progress_report(attempt->part->progress))
        attempt->status = clipc_fail(attempt->error, CLIPC_ERROR_CANCELLED, "%s: cancelled",
                                     attempt->part->source);
    return attempt->status != CLIPC_OK;
}

/* http and https alone, and no way from https back to http. */
static CURLcode allow_protocols(CURL *curl, const char *url)
{
    bool secure = strncasecmp(url, "https:", 6) == 0;
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");

    return code ? code
                : curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
                                   secure ? "https" : "http,https");
#else
    const long both = CURLPROTO_HTTP | CURLPROTO_HTTPS;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS, both);

    return code ? code
                : curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, secure ? CURLPROTO_HTTPS : both);
#endif
}

static CURLcode set_callbacks(http_attempt *attempt)
{
    CURL *curl = attempt->curl;
    CURLcode code = CURLE_OK;

    code = code ? code : curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, attempt->message);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_HEADERDATA, attempt);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_WRITEDATA, attempt);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, take_progress);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_XFERINFODATA, attempt);
    return code ? code : curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static CURLcode set_request(http_attempt *attempt, const char *url)
{
    CURL *curl = attempt->curl;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);
    char range[32];

    code = code ? code : allow_protocols(curl, url);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_USERAGENT, "clipc/" CLIPC_VERSION_STRING);
    if (!code && attempt->offset > 0) {
        snprintf(range, sizeof(range), "%" PRIu64 "-", attempt->offset);
        code = curl_easy_setopt(curl, CURLOPT_RANGE, range);
    }
    return code;
}

/* Faults that may be gone a moment later. A host that is not there or refuses is not one. */
static bool passes(CURLcode result, long code)
{
    switch (code) {
    case 408: /* request timeout */
    case 429: /* too many requests */
    case 500:
    case 502:
    case 503:
    case 504: return true;
    default: break;
    }
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    default: return false;
    }
}

/* The outcome of a finished transfer; *again when it failed for a reason that may pass. */
static clipc_status judge(http_attempt *attempt, CURLcode result, bool *again)
{
    const char *source = attempt->part->source;
    long code = 0;

    *again = false;
    if (attempt->status)
        return attempt->status;
    curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &code);
    /* Nothing is left after the offset: the part is whole, or wrong, as its sum will tell. */
    if (code == HTTP_RANGE_REFUSED && attempt->offset > 0)
        return CLIPC_OK;
    if (result == CURLE_OK && is_content(attempt)) {
        if (!attempt->begun) /* an empty body */
            begin_body(attempt);
        return attempt->status;
    }
    *again = passes(result, code);
    if (code >= 400 || result == CURLE_OK)
        return clipc_fail(attempt->error, CLIPC_ERROR_NETWORK,
                          "%s: the server answered with code %ld, expected 200", source, code);
    return clipc_fail(attempt->error, CLIPC_ERROR_NETWORK, "%s: %s", source,
                      attempt->message[0] ? attempt->message : curl_easy_strerror(result));
}

static clipc_status try_once(clipc_part *part, const char *url, bool *again, clipc_error *error)
{
    http_attempt attempt = {.part = part, .offset = part->progress->received, .error = error};
    CURLcode code;
    clipc_status status;

    *again = false;
    attempt.curl = new_handle();
    if (!attempt.curl)
        return clipc_fail(error, CLIPC_ERROR_NETWORK, "%s: libcurl does not start", part->source);
    code = set_request(&attempt, url);
    if (!code)
        code = set_callbacks(&attempt);
    if (code)
        status = clipc_fail(error, CLIPC_ERROR_NETWORK, "%s: %s", part->source,
                            curl_easy_strerror(code));
    else
        status = judge(&attempt, curl_easy_perform(attempt.curl), again);
    curl_easy_cleanup(attempt.curl);
    return status;
}

clipc_status clipc_fetch_http(clipc_part *part, const char *url, clipc_error *error)
{
    unsigned failures = 0;

    for (;;) {
        uint64_t before = part->progress->received;
        bool again;
        clipc_status status = try_once(part, url, &again, error);

        if (!status || !again)
            return status;
        failures = part->progress->received >= before + ENOUGH_PROGRESS ? 1 : failures + 1;
        if (failures >= MOST_ATTEMPTS)
            return status;
        if (clipc_progress_wait(part->progress, (unsigned)FIRST_PAUSE_MS << (failures - 1)))
            return clipc_fail(error, CLIPC_ERROR_CANCELLED, "%s: cancelled", part->source);
    }
}

#else

clipc_status clipc_fetch_http(clipc_part *part, const char *url, clipc_error *error)
{
    return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                      "%s: this build has no libcurl, expected a file:// address instead of %s",
                      part->source, url);
}

#endif
