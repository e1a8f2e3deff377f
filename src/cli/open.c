/* SPDX-License-Identifier: MIT */
/* Turns the common options into the library's. */
#include "cli/open.h"

#include "cli/command.h"
#include "cli/output.h"

#include <stdlib.h>

const char *clipc_cli_model_name(const clipc_cli_common *common)
{
    const char *from_environment = getenv("CLIPC_MODEL");

    if (common->model)
        return common->model;
    return from_environment && *from_environment ? from_environment : NULL;
}

static int open_model(clipc_model **out, const char *name, const clipc_cli_common *common,
                      bool without_weights)
{
    clipc_model_options options;
    clipc_error error;

    clipc_model_options_init(&options);
    options.activation = (clipc_activation)common->activation;
    options.threads = (unsigned)common->threads;
    options.without_weights = without_weights;
    options.dtype = (clipc_dtype)common->dtype;
    options.log = common->quiet ? NULL : clipc_cli_log;
    if (!clipc_model_open(out, name, &options, &error))
        return CLIPC_CLI_DONE;
    clipc_cli_report(&error);
    return CLIPC_CLI_FAILED;
}

int clipc_cli_open_model(clipc_model **out, const char *name, const clipc_cli_common *common)
{
    return open_model(out, name, common, false);
}

int clipc_cli_open_description(clipc_model **out, const char *name, const clipc_cli_common *common)
{
    return open_model(out, name, common, true);
}

int clipc_cli_open_session(clipc_session **out, const clipc_model *model,
                           const clipc_cli_common *common)
{
    clipc_session_options options;
    clipc_error error;

    clipc_session_options_init(&options);
    options.threads = (unsigned)common->threads;
    if (!clipc_session_open(out, model, &options, &error))
        return CLIPC_CLI_DONE;
    clipc_cli_report(&error);
    return CLIPC_CLI_FAILED;
}
