/* SPDX-License-Identifier: MIT */
/* `clipc pull`: fetches known models into the cache. */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"

#include <clipc.h>
#include <limits.h>
#include <string.h>

typedef struct pull_options {
    clipc_cli_common common;
    const char *url;
} pull_options;

static const clipc_cli_option pull_table[] = {
    {.name = "url",
     .kind = CLIPC_CLI_TEXT,
     .value = "URL",
     .help = "fetch from here: a mirror of the file, or file://...",
     .offset = offsetof(pull_options, url)},
    {.name = NULL},
};

static bool on_progress(void *data, uint64_t received, uint64_t total)
{
    clipc_cli_progress_update(data, received, total);
    return clipc_cli_interrupted();
}

static bool is_built_in(const char *name)
{
    for (size_t i = 0; i < clipc_known_model_count(); i++)
        if (!strcmp(clipc_known_model_at(i)->name, name))
            return !clipc_known_model_at(i)->url;
    return false;
}

/* Says where the model is now. */
static int print_result(const char *name, const pull_options *options)
{
    char path[PATH_MAX] = "";
    clipc_cli_json json;
    clipc_error error;
    bool built_in = is_built_in(name);

    if (!built_in && clipc_cache_path(name, NULL, path, sizeof(path), NULL, &error)) {
        clipc_cli_report(&error);
        return CLIPC_CLI_FAILED;
    }
    if (options->common.json) {
        clipc_cli_json_begin(&json);
        clipc_cli_json_text(&json, "name", name);
        clipc_cli_json_text(&json, "path", built_in ? NULL : path);
        return clipc_cli_json_print(&json);
    }
    if (!options->common.quiet)
        printf("%s: %s\n", name, built_in ? "built in" : path);
    return CLIPC_CLI_DONE;
}

static int pull(const char *name, const pull_options *options)
{
    clipc_pull_options library_options;
    clipc_cli_progress progress;
    clipc_error error;
    clipc_status status;

    clipc_cli_progress_begin(&progress, &options->common, name, true);
    clipc_pull_options_init(&library_options);
    library_options.url = options->url;
    library_options.progress = on_progress;
    library_options.progress_data = &progress;
    status = clipc_pull(name, &library_options, &error);
    clipc_cli_progress_clear(&progress);
    if (!status)
        return print_result(name, options);
    clipc_cli_report(&error);
    return status == CLIPC_ERROR_CANCELLED ? CLIPC_CLI_INTERRUPTED : CLIPC_CLI_FAILED;
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    pull_options options = {0};
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (!options.common.operand_count)
        return clipc_cli_usage_error(self, "no model named");
    if (options.url && options.common.operand_count > 1)
        return clipc_cli_usage_error(self, "--url goes with one model");
    code = CLIPC_CLI_DONE;
    for (size_t i = 0; i < options.common.operand_count; i++) {
        int failed = pull(options.common.operands[i], &options);

        if (failed)
            code = failed;
        if (clipc_cli_interrupted())
            return CLIPC_CLI_INTERRUPTED;
    }
    return code;
}

const clipc_cli_command clipc_cli_pull = {
    .name = "pull",
    .summary = "fetch a known model into the cache",
    .usage = "NAME... [--url URL]",
    .notes =
        "The cache is $CLIPC_CACHE, else $XDG_CACHE_HOME/clip, else ~/.cache/clip, which the\n"
        "Python original uses too. A transfer that broke off is resumed; a file gets its name\n"
        "only when its SHA-256 sum is the published one.",
    .examples = "clipc pull ViT-B/32\n"
                "clipc pull RN50 --url https://mirror.example/RN50.pt\n"
                "clipc pull RN50 --url file:///media/usb/RN50.pt",
    .options = pull_table,
    .run = run,
};
