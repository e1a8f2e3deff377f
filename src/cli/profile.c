/* SPDX-License-Identifier: MIT */
/* Adds profiles up, and prints them. */
#include "cli/profile.h"

#include "cli/command.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

typedef struct clipc_cli_profile_row {
    clipc_profile_op op; /* seconds, flops and bytes are sums */
    size_t calls;
} profile_row;

static bool same(const clipc_profile_op *a, const clipc_profile_op *b)
{
    return !strcmp(a->op, b->op) && a->rank == b->rank && a->depth == b->depth &&
           !memcmp(a->shape, b->shape, a->rank * sizeof(*a->shape));
}

/* The row of ops like this one, a new one where there is none yet; NULL when memory is short. */
static profile_row *row_of(clipc_cli_profile *profile, const clipc_profile_op *op)
{
    profile_row *row;

    for (size_t i = 0; i < profile->count; i++)
        if (same(&profile->rows[i].op, op))
            return &profile->rows[i];
    if (profile->count == profile->capacity) {
        size_t capacity = profile->capacity ? 2 * profile->capacity : 16;
        profile_row *grown = realloc(profile->rows, capacity * sizeof(*grown));

        if (!grown)
            return NULL;
        profile->rows = grown;
        profile->capacity = capacity;
    }
    row = &profile->rows[profile->count++];
    *row = (profile_row){.op = *op};
    row->op.seconds = row->op.flops = row->op.bytes = 0.0;
    return row;
}

void clipc_cli_profile_add(void *data, const clipc_profile_op *op)
{
    clipc_cli_profile *profile = data;
    profile_row *row = row_of(profile, op);

    if (!row) {
        profile->failed = true;
        return;
    }
    row->calls++;
    row->op.seconds += op->seconds;
    row->op.flops += op->flops;
    row->op.bytes += op->bytes;
    profile->flops += op->flops;
}

void clipc_cli_profile_clear(clipc_cli_profile *profile)
{
    free(profile->rows);
    *profile = (clipc_cli_profile){0};
}

static int slower_first(const void *a, const void *b)
{
    double x = ((const profile_row *)a)->op.seconds, y = ((const profile_row *)b)->op.seconds;

    return (x < y) - (x > y);
}

/* What the repetitions have in common. */
typedef struct totals {
    size_t runs;
    double seconds;
} totals;

static int print_json(const profile_row *row, const totals *all)
{
    const clipc_profile_op *op = &row->op;
    uint32_t shape[sizeof(op->shape) / sizeof(op->shape[0])];
    clipc_cli_json json;

    for (size_t i = 0; i < op->rank; i++)
        shape[i] = (uint32_t)op->shape[i];
    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "op", op->op);
    clipc_cli_json_counts(&json, "shape", shape, op->rank);
    if (op->depth)
        clipc_cli_json_count(&json, "depth", op->depth);
    else
        clipc_cli_json_null(&json, "depth");
    clipc_cli_json_count(&json, "calls", row->calls / all->runs);
    clipc_cli_json_real(&json, "ms", 1e3 * op->seconds / (double)all->runs);
    clipc_cli_json_real(&json, "share", op->seconds / all->seconds);
    clipc_cli_json_real(&json, "gflops", 1e-9 * op->flops / op->seconds);
    clipc_cli_json_real(&json, "gb_per_s", 1e-9 * op->bytes / op->seconds);
    return clipc_cli_json_print(&json);
}

/* A rate, or a dash for nothing. */
static void print_rate(double amount, double seconds)
{
    if (amount > 0.0 && seconds > 0.0)
        printf("  %7.1f", 1e-9 * amount / seconds);
    else
        printf("  %7s", "-");
}

static int print_text(const profile_row *row, const totals *all)
{
    const clipc_profile_op *op = &row->op;

    printf("%9.3f  %5.1f%%  %5zu", 1e3 * op->seconds / (double)all->runs,
           100.0 * op->seconds / all->seconds, row->calls / all->runs);
    print_rate(op->flops, op->seconds);
    print_rate(op->bytes, op->seconds);
    printf("  %s", op->op);
    for (size_t i = 0; i < op->rank; i++)
        printf("%c%zu", i ? 'x' : ' ', op->shape[i]);
    if (op->depth)
        printf("x%zu", op->depth);
    putchar('\n');
    return CLIPC_CLI_DONE;
}

int clipc_cli_profile_print(clipc_cli_profile *profile, size_t runs, double seconds, bool json)
{
    const totals all = {runs, seconds};
    int (*print)(const profile_row *, const totals *) = json ? print_json : print_text;
    profile_row between = {.op = {.op = "between ops", .seconds = seconds}};
    int code = CLIPC_CLI_DONE;

    if (profile->failed)
        return clipc_cli_out_of_memory();
    qsort(profile->rows, profile->count, sizeof(*profile->rows), slower_first);
    if (!json)
        printf("%9s  %6s  %5s  %7s  %7s  %s\n", "ms", "share", "calls", "GFLOP/s", "GB/s",
               "op and shape");
    for (size_t i = 0; i < profile->count && !code; i++) {
        code = print(&profile->rows[i], &all);
        between.op.seconds -= profile->rows[i].op.seconds;
    }
    return code ? code : print(&between, &all);
}
