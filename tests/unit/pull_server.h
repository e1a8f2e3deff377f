/* SPDX-License-Identifier: MIT */
/*
 * A server that test_hub_http.c runs as a child process: it answers one connection at a time, well
 * or badly, as the path of the request says, and writes each request to a log.
 */
#ifndef CLIPC_TESTS_PULL_SERVER_H
#define CLIPC_TESTS_PULL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY = 3000000, CHUNK = 16384 };

static unsigned char body[BODY];

static void nap(unsigned milliseconds)
{
    struct timespec pause = {.tv_sec = milliseconds / 1000,
                             .tv_nsec = (long)(milliseconds % 1000) * 1000000};

    nanosleep(&pause, NULL);
}

typedef struct request {
    char path[64];
    size_t from; /* of its Range; 0 without one */
    bool has_range;
} request;

static bool send_all(int peer, const void *bytes, size_t size)
{
    const unsigned char *next = bytes;

    while (size > 0) {
        ssize_t sent = send(peer, next, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        next += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Sends bytes [from, to) of the body, resting between chunks. */
static void send_body(int peer, size_t from, size_t to, unsigned rest_ms)
{
    while (from < to) {
        size_t size = to - from < CHUNK ? to - from : CHUNK;

        if (!send_all(peer, body + from, size))
            return;
        from += size;
        if (rest_ms)
            nap(rest_ms);
    }
}

/* Sends half the body, then drops of it for as long as the peer is there. */
static void send_drops(int peer)
{
    size_t sent = BODY / 2;

    send_body(peer, 0, sent, 0);
    while (sent < BODY && send_all(peer, body + sent++, 1))
        nap(20);
}

static void send_head(int peer, const char *status, const char *field, long length)
{
    char head[256];

    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nConnection: close\r\n%s", status, field);
    send_all(peer, head, strlen(head));
    if (length >= 0) {
        snprintf(head, sizeof(head), "Content-Length: %ld\r\n", length);
        send_all(peer, head, strlen(head));
    }
    send_all(peer, "\r\n", 2);
}

static void send_ranged(int peer, const request *in, size_t shift, size_t cut, unsigned rest_ms)
{
    char field[96];

    if (in->has_range && in->from >= BODY) {
        snprintf(field, sizeof(field), "Content-Range: bytes */%d\r\n", BODY);
        send_head(peer, "416 Range Not Satisfiable", field, 0);
        return;
    }
    if (in->has_range) {
        snprintf(field, sizeof(field), "Content-Range: bytes %zu-%d/%d\r\n", in->from + shift,
                 BODY - 1, BODY);
        send_head(peer, "206 Partial Content", field, (long)(BODY - in->from));
    } else {
        send_head(peer, "200 OK", "Accept-Ranges: bytes\r\n", BODY);
    }
    send_body(peer, in->from, in->from + cut < BODY ? in->from + cut : BODY, rest_ms);
}

static void redirect(int peer, const char *to)
{
    char field[128];

    snprintf(field, sizeof(field), "Location: %s\r\n", to);
    send_head(peer, "302 Found", field, 5);
    send_all(peer, "moved", 5);
}

static void answer(int peer, const request *in)
{
    static unsigned busy;
    const char *path = in->path;

    if (strcmp(path, "/good") == 0) {
        send_ranged(peer, in, 0, BODY, 0);
    } else if (strcmp(path, "/slow") == 0) {
        send_ranged(peer, in, 0, BODY, 5);
    } else if (strcmp(path, "/stall") == 0) {
        send_head(peer, "200 OK", "", BODY);
        send_drops(peer);
    } else if (strcmp(path, "/cut") == 0) { /* the connection drops every 1,100,000 bytes */
        send_ranged(peer, in, 0, 1100000, 0);
    } else if (strcmp(path, "/shifted") == 0) {
        send_ranged(peer, in, 1, BODY, 0);
    } else if (strcmp(path, "/no-range") == 0) {
        send_head(peer, "200 OK", "", BODY);
        send_body(peer, 0, BODY, 0);
    } else if (strcmp(path, "/no-length") == 0) { /* ends early, and nothing says so */
        send_head(peer, "200 OK", "", -1);
        send_body(peer, 0, BODY / 2, 0);
    } else if (strcmp(path, "/empty") == 0) {
        send_head(peer, "200 OK", "", 0);
    } else if (strcmp(path, "/busy") == 0 && busy++ % 3 < 2) { /* every third time it has time */
        send_head(peer, "503 Service Unavailable", "", 4);
        send_all(peer, "busy", 4);
    } else if (strcmp(path, "/busy") == 0) {
        send_ranged(peer, in, 0, BODY, 0);
    } else if (strcmp(path, "/hang-up") == 0) {
        return;
    } else if (strcmp(path, "/moved") == 0) {
        redirect(peer, "/good");
    } else if (strcmp(path, "/loop") == 0) {
        redirect(peer, "/loop");
    } else if (strcmp(path, "/to-file") == 0) {
        redirect(peer, "file:///etc/hostname");
    } else {
        send_head(peer, "404 Not Found", "", 9);
        send_all(peer, "not here\n", 9);
    }
}

/* Reads a request's head; false when it is none. Notes "PATH FROM" in the log. */
static bool read_request(int peer, const char *log, request *in)
{
    char head[2048], *range;
    size_t used = 0;
    ssize_t got;
    FILE *file;

    memset(in, 0, sizeof(*in));
    do {
        got = recv(peer, head + used, sizeof(head) - 1 - used, 0);
        if (got <= 0)
            return false;
        used += (size_t)got;
        head[used] = '\0';
    } while (!strstr(head, "\r\n\r\n") && used < sizeof(head) - 1);
    if (sscanf(head, "GET %63s", in->path) != 1)
        return false;
    range = strstr(head, "Range: bytes=");
    in->has_range = range && sscanf(range, "Range: bytes=%zu-", &in->from) == 1;
    file = fopen(log, "a");
    if (file) {
        fprintf(file, "%s %zu\n", in->path, in->from);
        fclose(file);
    }
    return true;
}

static void serve(int listener, const char *log)
{
    request in;

    for (;;) {
        int peer = accept(listener, NULL, NULL);

        if (peer < 0)
            continue;
        if (read_request(peer, log, &in))
            answer(peer, &in);
        shutdown(peer, SHUT_WR);
        close(peer);
    }
}

#endif
