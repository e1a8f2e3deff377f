# SPDX-License-Identifier: MIT
"""OpenAI's code on PyTorch: its encoders, its transform (Pillow), its tokenizer (ftfy)."""
import functools
import io
from pathlib import Path

import torch
from PIL import Image

from engines import Skipped, inputs, texts
from models import BF16_FLAGS, cpu_flags, load, tower
from random_weights import clip


@functools.lru_cache(maxsize=1)
def module(root, model, work, positions, precision):
    own = load(root, model)
    if precision == "bf16":
        # As convert_weights does for half: norms stay in float32.
        own.bfloat16()
        for part in own.modules():
            if isinstance(part, torch.nn.LayerNorm):
                part.float()
    return tower(own, work, positions)


def forget():
    module.cache_clear()


def encoder(job):
    if job["precision"] == "bf16" and not job["forced"] and \
            not cpu_flags() & BF16_FLAGS:
        raise Skipped("this processor has no bf16 instructions; PyTorch emulates them")
    own = module(job["root"], job["model"], job["work"], job["positions"], job["precision"])
    data = torch.from_numpy(inputs(job))
    if job["work"] == "image" and job["precision"] == "bf16":
        data = data.bfloat16()

    def run():
        with torch.inference_mode():
            return own(data).float().numpy()
    return run


def tokenizer(job):
    captions = texts(job)
    return lambda: clip.tokenize(captions, truncate=True).numpy()


def preprocessor(job):
    data = (Path(job["root"]) / job["picture"]).read_bytes()
    transform = clip.clip._transform(224)
    decoded = Image.open(io.BytesIO(data)).convert("RGB")

    def whole():
        return transform(Image.open(io.BytesIO(data)))[None].numpy()

    def decode():
        Image.open(io.BytesIO(data)).convert("RGB")

    def resize():
        transform.transforms[0](decoded)
    return {"preprocess": whole, "decode": decode, "resize": resize}[job["work"]]


def prepare(job):
    torch.set_num_threads(job["threads"])
    if job["work"] in ("image", "text"):
        return encoder(job)
    return tokenizer(job) if job["work"] == "tokenize" else preprocessor(job)
