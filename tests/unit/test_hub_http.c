/* SPDX-License-Identifier: MIT */
/* Pulling over HTTP, from a server of our own on the loopback interface. */
#include "hub/hub.h"
#include "unit/pull_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char body_sum[CLIPC_SHA256_HEX_SIZE];
static unsigned port;
static pid_t server;
static char folder[64];

/* ------------------------------------------------------------------------------------------- */
/* Around the tests */

static const char *in_folder(const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void make_body(void)
{
    uint32_t random = 1;
    clipc_progress progress = {0};
    FILE *file = tmpfile();

    for (size_t i = 0; i < BODY; i++) {
        random = random * 1664525u + 1013904223u;
        body[i] = (unsigned char)(random >> 24);
    }
    assert_non_null(file);
    assert_int_equal(fwrite(body, 1, BODY, file), BODY);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(clipc_sha256_file(fileno(file), "body", &progress, body_sum, NULL), CLIPC_OK);
    fclose(file);
}

static int start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    make_body();
    snprintf(folder, sizeof(folder), "/tmp/clipc-test-XXXXXX");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!mkdtemp(folder) || listener < 0 ||
        bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    port = ntohs(address.sin_port);
    setenv("no_proxy", "127.0.0.1", 1);
    server = fork();
    if (server == 0) {
        serve(listener, in_folder("log"));
        _exit(0);
    }
    close(listener);
    return server > 0 ? 0 : -1;
}

static int stop_server(void **state)
{
    char command[128];

    (void)state;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static int clean_folder(void **state)
{
    (void)state;
    unlink(in_folder("log"));
    unlink(in_folder("out"));
    unlink(in_folder("out.part"));
    unlink(in_folder("out.lock"));
    return 0;
}

static size_t size_of(const char *name)
{
    struct stat facts;

    return stat(in_folder(name), &facts) == 0 ? (size_t)facts.st_size : SIZE_MAX;
}

static bool exists(const char *name)
{
    return size_of(name) != SIZE_MAX;
}

static void assert_log(const char *expected)
{
    char text[512] = "";
    FILE *file = fopen(in_folder("log"), "r");

    assert_non_null(file);
    (void)!fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    assert_string_equal(text, expected);
}

static void assert_whole(void)
{
    static unsigned char bytes[BODY];
    FILE *file = fopen(in_folder("out"), "rb");

    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, BODY, file), BODY);
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
    assert_memory_equal(bytes, body, BODY);
    assert_false(exists("out.part"));
    assert_false(exists("out.lock"));
}

static void write_part(size_t size, bool right)
{
    FILE *file = fopen(in_folder("out.part"), "wb");

    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc(right && i < BODY ? body[i] : 'x', file);
    assert_int_equal(fclose(file), 0);
}

static clipc_status pull_with(const char *path, clipc_pull_progress_fn progress, void *data,
                              clipc_error *error)
{
    clipc_pull_options options;
    char url[128];

    clipc_pull_options_init(&options);
    options.progress = progress;
    options.progress_data = data;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
    return clipc_pull_file(url, body_sum, in_folder("out"), &options, error);
}

static clipc_status pull(const char *path, clipc_error *error)
{
    return pull_with(path, NULL, NULL, error);
}

/* ------------------------------------------------------------------------------------------- */

static void test_whole(void **state)
{
    (void)state;
    assert_int_equal(pull("/good", NULL), CLIPC_OK);
    assert_whole();
    assert_int_equal(pull("/good", NULL), CLIPC_OK); /* asks nobody */
    assert_log("/good 0\n");
}

static void test_goes_on(void **state)
{
    (void)state;
    write_part(1000, true);
    assert_int_equal(pull("/good", NULL), CLIPC_OK);
    assert_whole();
    assert_log("/good 1000\n");
}

static void test_cut_connections(void **state)
{
    (void)state;
    assert_int_equal(pull("/cut", NULL), CLIPC_OK);
    assert_whole();
    assert_log("/cut 0\n/cut 1100000\n/cut 2200000\n");
}

static void test_server_without_ranges(void **state)
{
    (void)state;
    write_part(1000, true);
    assert_int_equal(pull("/no-range", NULL), CLIPC_OK);
    assert_whole();
    assert_log("/no-range 1000\n");
}

static void test_part_of_another_file(void **state)
{
    (void)state;
    write_part(1000, false);
    assert_int_equal(pull("/good", NULL), CLIPC_OK);
    assert_whole();
    assert_log("/good 1000\n/good 0\n");
}

static void test_part_already_whole(void **state)
{
    (void)state;
    write_part(BODY, true);
    assert_int_equal(pull("/good", NULL), CLIPC_OK);
    assert_whole();
    assert_log("/good 3000000\n");
}

static void test_part_too_long(void **state)
{
    (void)state;
    write_part(BODY + 10, true);
    assert_int_equal(pull("/good", NULL), CLIPC_OK);
    assert_whole();
    assert_log("/good 3000010\n/good 0\n");
}

static void test_wrong_range(void **state)
{
    clipc_error error;

    (void)state;
    write_part(1000, true);
    assert_int_equal(pull("/shifted", &error), CLIPC_ERROR_NETWORK);
    assert_non_null(strstr(error.message, "another range"));
    assert_int_equal(size_of("out.part"), 1000);
    assert_false(exists("out"));
}

static void test_silent_truncation(void **state)
{
    clipc_error error;

    (void)state;
    assert_int_equal(pull("/no-length", &error), CLIPC_ERROR_CHECKSUM);
    assert_non_null(strstr(error.message, body_sum));
    assert_false(exists("out"));
    assert_false(exists("out.part"));
    assert_int_equal(pull("/empty", &error), CLIPC_ERROR_CHECKSUM);
    assert_false(exists("out.part"));
}

static void test_redirects(void **state)
{
    clipc_error error;

    (void)state;
    assert_int_equal(pull("/loop", &error), CLIPC_ERROR_NETWORK);
    assert_int_equal(pull("/to-file", &error), CLIPC_ERROR_NETWORK);
    assert_false(exists("out.part"));
    clean_folder(NULL);
    assert_int_equal(pull("/moved", NULL), CLIPC_OK);
    assert_whole();
    assert_log("/moved 0\n/good 0\n");
}

static void test_errors(void **state)
{
    clipc_error error;

    (void)state;
    write_part(1000, true);
    assert_int_equal(pull("/nowhere", &error), CLIPC_ERROR_NETWORK);
    assert_non_null(strstr(error.message, "404"));
    assert_int_equal(size_of("out.part"), 1000); /* kept, and no error page in it */
    assert_log("/nowhere 1000\n");
}

static void test_refused_connection(void **state)
{
    clipc_pull_options options;
    clipc_error error;

    (void)state;
    clipc_pull_options_init(&options);
    assert_int_equal(
        clipc_pull_file("http://127.0.0.1:1/x", body_sum, in_folder("out"), &options, &error),
        CLIPC_ERROR_NETWORK);
    assert_false(exists("out.part"));
}

static void test_busy_server(void **state)
{
    (void)state;
    assert_int_equal(pull("/busy", NULL), CLIPC_OK);
    assert_whole();
    assert_log("/busy 0\n/busy 0\n/busy 0\n");
}

typedef struct onlooker {
    unsigned calls;
    uint64_t received, total;
    uint64_t stop_at;
} onlooker;

static bool look_on(void *data, uint64_t received, uint64_t total)
{
    onlooker *watch = data;

    watch->calls++;
    watch->received = received;
    watch->total = total;
    return watch->stop_at && received >= watch->stop_at;
}

static void test_cancel_and_go_on(void **state)
{
    onlooker watch = {.stop_at = 1};
    clipc_error error;

    (void)state;
    assert_int_equal(pull_with("/stall", look_on, &watch, &error), CLIPC_ERROR_CANCELLED);
    assert_int_equal(watch.total, BODY);
    assert_true(watch.received >= 1 && size_of("out.part") == watch.received);
    assert_false(exists("out"));
    watch.stop_at = 0;
    assert_int_equal(pull_with("/good", look_on, &watch, &error), CLIPC_OK);
    assert_int_equal(watch.total, BODY);
    assert_whole();
}

/* A server that hangs up each time is left after some attempts; the caller can stop that sooner. */
static void test_cancel_between_attempts(void **state)
{
    onlooker watch = {.stop_at = 1};

    (void)state;
    write_part(1, true);
    assert_int_equal(pull_with("/hang-up", look_on, &watch, NULL), CLIPC_ERROR_CANCELLED);
    assert_int_equal(size_of("out.part"), 1);
}

static pid_t pull_in_child(const char *path)
{
    pid_t child = fork();

    if (child == 0)
        _exit((int)pull(path, NULL));
    assert_true(child > 0);
    return child;
}

static void test_two_processes(void **state)
{
    pid_t first = pull_in_child("/slow");
    pid_t second = pull_in_child("/slow");
    int outcome = -1;

    (void)state;
    assert_int_equal(waitpid(first, &outcome, 0), first);
    assert_true(WIFEXITED(outcome) && WEXITSTATUS(outcome) == CLIPC_OK);
    assert_int_equal(waitpid(second, &outcome, 0), second);
    assert_true(WIFEXITED(outcome) && WEXITSTATUS(outcome) == CLIPC_OK);
    assert_whole();
    assert_log("/slow 0\n"); /* fetched once */
}

static void test_cancel_while_waiting(void **state)
{
    onlooker watch = {.stop_at = 0};
    clipc_progress progress = {0};
    clipc_lock lock;

    (void)state;
    assert_int_equal(clipc_lock_open(&lock, in_folder("out.lock"), &progress, NULL), CLIPC_OK);
    progress.function = look_on;
    progress.data = &watch;
    progress.received = watch.stop_at = 1;
    {
        clipc_lock other;

        assert_int_equal(clipc_lock_open(&other, in_folder("out.lock"), &progress, NULL),
                         CLIPC_ERROR_CANCELLED);
    }
    clipc_lock_close(&lock);
    assert_false(exists("out.lock"));
}

static void test_killed(void **state)
{
    pid_t child = pull_in_child("/stall");
    char expected[64];
    size_t left;

    (void)state;
    for (unsigned i = 0; i < 2000 && (!exists("out.part") || size_of("out.part") < BODY / 2); i++)
        nap(5);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    left = size_of("out.part");
    assert_true(left >= BODY / 2 && left < BODY);
    assert_false(exists("out"));
    assert_int_equal(pull("/good", NULL), CLIPC_OK);
    assert_whole();
    snprintf(expected, sizeof(expected), "/stall 0\n/good %zu\n", left);
    assert_log(expected);
}

/* Whether the library was built with libcurl. */
static bool has_http(void)
{
    clipc_progress progress = {0};
    clipc_part part = {.source = "probe", .progress = &progress, .descriptor = -1};

    return clipc_fetch_http(&part, "http://127.0.0.1:1/", NULL) != CLIPC_ERROR_UNSUPPORTED;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_whole, clean_folder),
        cmocka_unit_test_setup(test_goes_on, clean_folder),
        cmocka_unit_test_setup(test_cut_connections, clean_folder),
        cmocka_unit_test_setup(test_server_without_ranges, clean_folder),
        cmocka_unit_test_setup(test_part_of_another_file, clean_folder),
        cmocka_unit_test_setup(test_part_already_whole, clean_folder),
        cmocka_unit_test_setup(test_part_too_long, clean_folder),
        cmocka_unit_test_setup(test_wrong_range, clean_folder),
        cmocka_unit_test_setup(test_silent_truncation, clean_folder),
        cmocka_unit_test_setup(test_redirects, clean_folder),
        cmocka_unit_test_setup(test_errors, clean_folder),
        cmocka_unit_test_setup(test_refused_connection, clean_folder),
        cmocka_unit_test_setup(test_busy_server, clean_folder),
        cmocka_unit_test_setup(test_cancel_and_go_on, clean_folder),
        cmocka_unit_test_setup(test_cancel_between_attempts, clean_folder),
        cmocka_unit_test_setup(test_two_processes, clean_folder),
        cmocka_unit_test_setup(test_cancel_while_waiting, clean_folder),
        cmocka_unit_test_setup(test_killed, clean_folder),
    };

    return has_http() ? cmocka_run_group_tests(tests, start_server, stop_server) : 0;
}
