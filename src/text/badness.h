/* SPDX-License-Identifier: MIT */
/* Telling mojibake (text decoded in the wrong encoding) from text that is merely unusual. */
#ifndef CLIPC_TEXT_BADNESS_H
#define CLIPC_TEXT_BADNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether text holds a sequence of characters that hardly occurs outside mojibake: the heuristic of
 * ftfy 6 (is_bad), to whose verdicts the original's tokens owe themselves.
 */
bool clipc_is_bad(const uint32_t *text, size_t count);

#endif
