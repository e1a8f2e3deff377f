/* SPDX-License-Identifier: MIT */
/* A configuration in the words of open_clip or of Hugging Face. */
#ifndef CLIPC_MODEL_CONFIG_WRITE_H
#define CLIPC_MODEL_CONFIG_WRITE_H

#include "model/config.h"

/* The text of an open_clip_config.json; free(). NULL when out of memory. */
char *clipc_config_to_open_clip(const clipc_config *config);

/* The text of a CLIPModel's config.json (ViT only); free(). NULL when out of memory. */
char *clipc_config_to_huggingface(const clipc_config *config);

/* The text of the preprocessor_config.json beside it; free(). NULL when out of memory. */
char *clipc_config_to_preprocessor(const clipc_config *config);

/*
 * Whether a reader that knows only the tensors would read the same configuration: QuickGELU, heads
 * of 64, OpenAI's mean and std.
 */
bool clipc_config_is_default(const clipc_config *config);

#endif
