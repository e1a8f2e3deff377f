/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes configuration files: a JSON is applied to what the tensors of a ViT, then of a ResNet, may
 * have said. Whatever is accepted must be written, and read back as the same.
 */
#include "../sample_configs.h"

#include "model/config_write.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

/* Heads that do not divide the width are found later, when the whole is checked. */
static int is_whole(const clipc_config *config)
{
    return config->text.width % config->text.heads == 0 &&
           (config->vision_kind == CLIPC_VISION_RESNET ||
            config->vit.width % config->vit.heads == 0);
}

static void apply(const clipc_config *from, const uint8_t *data, size_t size)
{
    clipc_config config = *from, again = *from;
    clipc_error error = {.code = CLIPC_OK};
    const clipc_status status =
        clipc_config_apply_json(&config, (const char *)data, size, "file", &error);
    char *json;

    if (status) {
        require(error.code == status && strncmp(error.message, "file: ", 6) == 0);
        return;
    }
    if (!is_whole(&config) || config.activation == CLIPC_ACTIVATION_AUTO)
        return;
    json = clipc_config_to_open_clip(&config);
    require(json != NULL);
    require(clipc_config_apply_json(&again, json, strlen(json), "again", &error) == CLIPC_OK);
    require(memcmp(&again, &config, sizeof(config)) == 0);
    free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apply(&vit, data, size);
    apply(&resnet, data, size);
    return 0;
}
