/* SPDX-License-Identifier: MIT */
/* How much arithmetic a tower takes, by the sizes of the model. */
#ifndef CLIPC_CLI_FLOPS_H
#define CLIPC_CLI_FLOPS_H

#include <clipc.h>

/*
 * Floating-point operations of the products (linear, convolution, attention; 2 a multiply-add) that
 * the model's definition asks for: one picture, or one text of `tokens` tokens.
 */
double clipc_cli_image_flops(const clipc_model_info *info);
double clipc_cli_text_flops(const clipc_model_info *info, double tokens);

#endif
