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

static clipc_model_options model_options(const clipc_cli_common *common)
{
    clipc_model_options options;

    clipc_model_options_init(&options);
    options.activation = (clipc_activation)common->activation;
    options.threads = (unsigned)common->threads;
    options.dtype = (clipc_dtype)common->dtype;
    options.log = common->quiet ? NULL : clipc_cli_log;
    return options;
}

static int open_model(clipc_model **out, const char *name, const clipc_model_options *options)
{
    clipc_error error;

    if (!clipc_model_open(out, name, options, &error))
        return CLIPC_CLI_DONE;
    clipc_cli_report(&error);
    return CLIPC_CLI_FAILED;
}

int clipc_cli_open_model(clipc_model **out, const char *name, const clipc_cli_common *common,
                         unsigned towers)
{
    clipc_model_options options = model_options(common);

    options.towers = towers;
    return open_model(out, name, &options);
}

int clipc_cli_open_description(clipc_model **out, const char *name, const clipc_cli_common *common)
{
    clipc_model_options options = model_options(common);

    options.without_weights = true;
    return open_model(out, name, &options);
}

int clipc_cli_open_verified(clipc_model **out, const char *name, const clipc_cli_common *common)
{
    clipc_model_options options = model_options(common);

    options.without_weights = true;
    options.verify = true;
    return open_model(out, name, &options);
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
