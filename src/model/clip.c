/* SPDX-License-Identifier: MIT */
/* Joining the towers: which image tower a configuration asks for. */
#include "model/towers.h"

clipc_value clipc_record_image_tower(clipc_program *program, const clipc_config *config,
                                     clipc_value pixels)
{
    return config->vision_kind == CLIPC_VISION_VIT ? clipc_record_vit(program, config, pixels)
                                                   : clipc_record_resnet(program, config, pixels);
}
