# SPDX-License-Identifier: MIT
"""instant-clip-tokenizer: Rust, without the text repair of ftfy."""
import instant_clip_tokenizer

from engines import texts


def forget():
    """Nothing is kept between jobs."""


def prepare(job):
    own = instant_clip_tokenizer.Tokenizer()
    captions = texts(job)
    return lambda: own.tokenize_batch(captions, context_length=77)
