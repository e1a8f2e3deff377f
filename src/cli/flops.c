/* SPDX-License-Identifier: MIT */
/* Counts multiply-adds tower by tower; a shortcut that a build takes is not counted off. */
#include "cli/flops.h"

/* Queries, keys, values and output 4 w^2; the MLP 8 w^2; scores and their use 2 positions w. */
static double transformer(double layers, double positions, double width)
{
    return layers * positions * width * (12.0 * width + 2.0 * positions);
}

static double vit(const clipc_model_info *info)
{
    double width = info->vision_width, patch = info->patch_size;
    double patches = (double)(info->image_size / info->patch_size);

    patches *= patches;
    return patches * 3.0 * patch * patch * width +
           transformer(info->vision_layers[0], patches + 1.0, width) + width * info->embed_dim;
}

/*
 * A stage's blocks: 1x1, 3x3, 1x1, and the first one's 1x1 beside them; side is before the stride.
 */
static double stage(double blocks, double in, double planes, double side, double stride)
{
    double before = side * side;
    double after = before / (stride * stride);
    double first = before * (in * planes + 9.0 * planes * planes) +
                   after * (4.0 * planes * planes + 4.0 * in * planes);
    double other = after * (4.0 * planes * planes + 9.0 * planes * planes + 4.0 * planes * planes);

    return first + (blocks - 1.0) * other;
}

static double resnet(const clipc_model_info *info)
{
    double width = info->vision_width;
    double side = info->image_size / 2.0;
    double stem =
        side * side * (27.0 * width / 2.0 + 9.0 * width * width / 4.0 + 9.0 * width * width / 2.0);
    double total = stem, in = width, positions;

    side /= 2.0;
    for (int i = 0; i < 4; i++) {
        double planes = width * (double)(1 << i), stride = i ? 2.0 : 1.0;

        total += stage(info->vision_layers[i], in, planes, side, stride);
        side /= stride;
        in = 4.0 * planes;
    }
    /* Attention pooling: keys and values everywhere, one query. */
    positions = side * side + 1.0;
    return total + 2.0 * positions * in * in + in * in + 2.0 * positions * in +
           in * info->embed_dim;
}

double clipc_cli_image_flops(const clipc_model_info *info)
{
    return 2.0 * (info->patch_size ? vit(info) : resnet(info));
}

double clipc_cli_text_flops(const clipc_model_info *info, double tokens)
{
    double width = info->text_width;

    return 2.0 * (transformer(info->text_layers, tokens, width) + width * info->embed_dim);
}
