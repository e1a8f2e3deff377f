/* SPDX-License-Identifier: MIT */
/* `clipc version`: what this build is. */
#include "cli/command.h"
#include "cli/output.h"

#include <clipc.h>

static int run(const clipc_cli_command *self, int argc, char **argv)
{
    clipc_cli_common options = {0};
    clipc_build_info info;
    clipc_cli_json json;
    int code = clipc_cli_parse(self, argc, argv, &options);

    if (code != CLIPC_CLI_GO_ON)
        return code;
    if (options.operand_count)
        return clipc_cli_usage_error(self, "takes no operand");
    clipc_get_build_info(&info);
    if (!options.json) {
        printf("clipc      %s\ncpu        %s\ncompiler   %s\nfeatures   %s\nlibraries  %s\n",
               info.version, info.cpu, info.compiler, info.features, info.libraries);
        return CLIPC_CLI_DONE;
    }
    clipc_cli_json_begin(&json);
    clipc_cli_json_text(&json, "version", info.version);
    clipc_cli_json_text(&json, "cpu", info.cpu);
    clipc_cli_json_text(&json, "compiler", info.compiler);
    clipc_cli_json_text(&json, "features", info.features);
    clipc_cli_json_text(&json, "libraries", info.libraries);
    return clipc_cli_json_print(&json);
}

const clipc_cli_command clipc_cli_version = {
    .name = "version",
    .summary = "version, CPU level in use, what was built in",
    .usage = "[--json]",
    .examples = "clipc version\n"
                "CLIPC_CPU=portable clipc version --json",
    .run = run,
};
