/* SPDX-License-Identifier: MIT */
/* Opening the model and the session that the common options ask for. */
#ifndef CLIPC_CLI_OPEN_H
#define CLIPC_CLI_OPEN_H

#include "cli/options.h"

#include <clipc.h>

/* -m, else $CLIPC_MODEL, else NULL: the built-in model. */
const char *clipc_cli_model_name(const clipc_cli_common *common);

/*
 * All return an exit code, and have said what was wrong. name may be NULL; towers as in
 * clipc_model_options.
 */
int clipc_cli_open_model(clipc_model **out, const char *name, const clipc_cli_common *common,
                         unsigned towers);
/* Without its weights: for what the model is. */
int clipc_cli_open_description(clipc_model **out, const char *name, const clipc_cli_common *common);
/* The same, after comparing its weights with their checksums. */
int clipc_cli_open_verified(clipc_model **out, const char *name, const clipc_cli_common *common);
int clipc_cli_open_session(clipc_session **out, const clipc_model *model,
                           const clipc_cli_common *common);

#endif
