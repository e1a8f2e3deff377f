# SPDX-License-Identifier: MIT
"""faster-clip (Rust, int8 weights): its image encoder, of ViT-B/32 alone; its texts are of another
model. It takes the bytes of files: PNGs of the encoder's own size, so that little else is timed.
"""
import functools
import io
import os
from pathlib import Path

import numpy
from PIL import Image

from engines import Skipped, inputs
from models import MEAN, STD, huggingface_folder


@functools.lru_cache(maxsize=1)
def model(cache):
    os.environ["FASTER_CLIP_CACHE"] = cache
    import faster_clip
    return faster_clip.ClipModel()


def forget():
    model.cache_clear()


def png(pixels):
    levels = (pixels.transpose(1, 2, 0) * numpy.array(STD) + numpy.array(MEAN)) * 255
    data = io.BytesIO()
    Image.fromarray(levels.round().clip(0, 255).astype("uint8")).save(data, "PNG")
    return data.getvalue()


def prepare(job):
    if job["model"] != "ViT-B/32" or job["work"] != "image":
        raise Skipped("faster-clip has the image encoder of ViT-B/32 alone")
    root = Path(job["root"])
    place = root / "faster-clip/sentence-transformers__clip-ViT-B-32/0_CLIPModel"
    place.mkdir(parents=True, exist_ok=True)
    weights = place / "model.safetensors"
    if not weights.exists():
        weights.symlink_to(huggingface_folder(root, job["model"]) / "model.safetensors")
    own = model(str(root / "faster-clip"))
    files = [png(pixels) for pixels in inputs(job)]
    return lambda: numpy.array(own.encode_image(files), dtype="float32")
