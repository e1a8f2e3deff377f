/* SPDX-License-Identifier: MIT */
/* `clipc bench --what kernels`: the speed of the matrix kernels beside the arithmetic's ceiling. */
#include "cli/bench_kernels.h"

#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"

#include <clipc.h>
#include <stdio.h>
#include <sys/resource.h>

typedef struct printer {
    bool json, has_begun;
    int code;
} printer;

static const char *dtype_name(clipc_dtype dtype)
{
    return clipc_cli_choice_name(clipc_cli_session_dtypes, (int)dtype);
}

static int print_json(const clipc_kernel_speed *speed)
{
    clipc_cli_json json;
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "what", "kernels");
    clipc_cli_json_count(&json, "batch", speed->rows);
    clipc_cli_json_text(&json, "dtype", dtype_name(speed->dtype));
    clipc_cli_json_count(&json, "threads", 1);
    clipc_cli_json_real(&json, "median_ms", 1e3 * speed->median_seconds);
    clipc_cli_json_real(&json, "items_per_s", (double)speed->rows / speed->median_seconds);
    clipc_cli_json_real(&json, "gflops", 1e-9 * speed->flops / speed->seconds);
    clipc_cli_json_real(&json, "peak_rss_mb", (double)usage.ru_maxrss / 1024.0);
    clipc_cli_json_text(&json, "level", speed->level);
    clipc_cli_json_count(&json, "out_features", speed->out_features);
    clipc_cli_json_count(&json, "in_features", speed->in_features);
    clipc_cli_json_real(&json, "best_ms", 1e3 * speed->seconds);
    clipc_cli_json_real(&json, "ceiling_gflops", 1e-9 * speed->ceiling);
    return clipc_cli_json_print(&json);
}

static void print_row(const clipc_kernel_speed *speed, bool is_first)
{
    char share[16] = "-", ceiling[16] = "-";

    if (is_first)
        printf("%-12s %-5s %16s %9s %9s %9s %7s\n", "level", "dtype", "rows x out x in", "ms",
               "GFLOP/s", "ceiling", "share");
    if (speed->ceiling > 0.0) {
        snprintf(ceiling, sizeof(ceiling), "%.1f", 1e-9 * speed->ceiling);
        snprintf(share, sizeof(share), "%.0f %%",
                 1e2 * speed->flops / speed->seconds / speed->ceiling);
    }
    printf("%-12s %-5s %4zu x %4zu x %4zu %9.3f %9.1f %9s %7s\n", speed->level,
           dtype_name(speed->dtype), speed->rows, speed->out_features, speed->in_features,
           1e3 * speed->seconds, 1e-9 * speed->flops / speed->seconds, ceiling, share);
}

static void print(void *data, const clipc_kernel_speed *speed)
{
    printer *state = data;

    if (state->json && state->code == CLIPC_CLI_DONE)
        state->code = print_json(speed);
    if (!state->json)
        print_row(speed, !state->has_begun);
    state->has_begun = true;
    fflush(stdout);
}

int clipc_cli_bench_kernels(bool json)
{
    printer state = {.json = json, .code = CLIPC_CLI_DONE};
    clipc_error error;

    if (!clipc_measure_kernels(print, &state, &error))
        return state.code;
    clipc_cli_report(&error);
    return CLIPC_CLI_FAILED;
}
