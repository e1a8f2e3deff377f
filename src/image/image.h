/* SPDX-License-Identifier: MIT */
/*
 * A decoded picture in Pillow's terms: a mode (how many channels, what they mean) and 8-bit samples
 * (or 16-bit, 32-bit, float where Pillow keeps them so), before resize and conversion to RGB.
 */
#ifndef CLIPC_IMAGE_IMAGE_H
#define CLIPC_IMAGE_IMAGE_H

#include <clipc.h>

#endif
