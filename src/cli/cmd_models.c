/* SPDX-License-Identifier: MIT */
/* `clipc models`: the names that -m and pull know, and which of them are on this machine. */
#include "cli/command.h"
#include "cli/open.h"
#include "cli/output.h"

#include <clipc.h>
#include <limits.h>

typedef struct row {
    const clipc_known_model *known;
    uint64_t params; /* a model built in is opened to know */
    bool cached;
} row;

static int look_up(row *out, const clipc_known_model *known, const clipc_cli_common *common)
{
    clipc_model *model = NULL;
    clipc_model_info info;
    clipc_error error;
    int code;

    out->known = known;
    out->params = known->params;
    out->cached = false;
    if (known->url) {
        char path[PATH_MAX];

        if (!clipc_cache_path(known->name, NULL, path, sizeof(path), &out->cached, &error))
            return CLIPC_CLI_DONE;
        clipc_cli_report(&error);
        return CLIPC_CLI_FAILED;
    }
    code = clipc_cli_open_description(&model, known->name, common);
    if (code)
        return code;
    clipc_model_get_info(model, &info);
    clipc_model_close(model);
    out->params = info.params;
    out->cached = true;
    return CLIPC_CLI_DONE;
}

static int print_json(const row *r)
{
    const clipc_known_model *known = r->known;
    clipc_cli_json json;

    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "name", known->name);
    clipc_cli_json_text(&json, "arch", known->arch);
    if (r->params)
        clipc_cli_json_count(&json, "params", r->params);
    else
        clipc_cli_json_null(&json, "params");
    if (known->bytes)
        clipc_cli_json_count(&json, "bytes", known->bytes);
    else
        clipc_cli_json_null(&json, "bytes");
    clipc_cli_json_text(&json, "sha256", known->sha256);
    clipc_cli_json_text(&json, "url", known->url);
    clipc_cli_json_bool(&json, "cached", r->cached);
    return clipc_cli_json_print(&json);
}

static void print_line(const row *r)
{
    printf("%-16s %8.1f M %9.1f MB  %s\n", r->known->name, 1e-6 * (double)r->params,
           1e-6 * (double)r->known->bytes,
           !r->known->url ? "built in"
           : r->cached    ? "cached"
                          : "-");
}

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    clipc_cli_common options = {0};
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (options.operand_count)
        return clipc_cli_usage_error(self, "takes no operand");
    if (!options.json)
        printf("%-16s %10s %12s  %s\n", "name", "parameters", "file", "here");
    code = CLIPC_CLI_DONE;
    for (size_t i = 0; i < clipc_known_model_count(); i++) {
        row r;
        int failed = look_up(&r, clipc_known_model_at(i), &options);

        if (failed)
            code = failed;
        if (!options.json)
            print_line(&r);
        else if (print_json(&r))
            return CLIPC_CLI_FAILED;
    }
    return code;
}

const clipc_cli_command clipc_cli_models = {
    .name = "models",
    .summary = "the known models, their size, whether they are cached",
    .usage = "[--json]",
    .notes = "`clipc pull NAME` fetches one; a path of a file works wherever a name does.",
    .examples = "clipc models\n"
                "clipc models --json",
    .run = run,
};
