/* SPDX-License-Identifier: MIT */
/* Draws classify's bars. */
#include "cli/bars.h"

#include "cli/output.h"
#include "cli/terminal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cells of the whole bar, at the least and at the most. */
enum { MIN_CELLS = 10, MAX_CELLS = 30 };

/* The likelier first; ties in the order given. */
static int compare_ranks(const void *a, const void *b)
{
    const clipc_cli_rank *x = a, *y = b;

    if (x->prob != y->prob)
        return x->prob < y->prob ? 1 : -1;
    return (x->label > y->label) - (x->label < y->label);
}

static void print_bar(double fraction, size_t cells, bool utf8)
{
    size_t eighths = (size_t)lround(fraction * (double)cells * 8.0);
    size_t used = 0;

    if (!utf8) {
        size_t full = (eighths + 4) / 8;

        for (; used < full; used++)
            putchar('#');
    } else {
        for (; used < eighths / 8; used++)
            fputs("\xe2\x96\x88", stdout); /* U+2588, a full cell */
        if (eighths % 8) {
            /* U+258F is one eighth, U+2589 is seven. */
            printf("\xe2\x96%c", (int)(0x90 - eighths % 8));
            used++;
        }
    }
    printf("%*s", (int)(cells - used), "");
}

void clipc_cli_print_bars(const char *const *labels, const float *probs, size_t n, size_t top,
                          clipc_cli_rank *ranks)
{
    size_t cells = clipc_cli_terminal_columns(stdout) / 3;
    bool utf8 = clipc_cli_terminal_utf8();
    bool colors = clipc_cli_terminal_colors(stdout);

    cells = cells < MIN_CELLS ? MIN_CELLS : cells > MAX_CELLS ? MAX_CELLS : cells;
    /* What is not a number would have no order. */
    for (size_t i = 0; i < n; i++)
        ranks[i] = (clipc_cli_rank){isfinite(probs[i]) ? probs[i] : 0.0f, i};
    qsort(ranks, n, sizeof(*ranks), compare_ranks);
    for (size_t i = 0; i < top; i++) {
        double fraction = (double)ranks[i].prob;
        const char *label = labels[ranks[i].label];

        fputs(colors ? (i ? "  \033[34m" : "  \033[1;32m") : "  ", stdout);
        print_bar(fraction, cells, utf8);
        printf("%s %5.1f %%  ", colors && i ? "\033[0m" : "", 100.0 * fraction);
        clipc_cli_print_text(stdout, label, strlen(label));
        puts(colors && !i ? "\033[0m" : "");
    }
}
