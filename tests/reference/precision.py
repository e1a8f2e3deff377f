#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much bf16 and int8 change embeddings: the table of docs/precision.md.

OpenAI's nine architectures at full size with random weights (as full_size.py makes them), the two
photographs that scikit-learn ships and four crops of each, and full_size.py's texts; every input is
embedded by clipc in f32, bf16 and int8. One architecture at a time is made, measured and deleted.

    precision.py FOLDER [--clipc build/clipc] [--only NAME]... [--markdown FILE]

Needs torch, clip-anytorch (or OpenAI's clip), transformers, safetensors, scikit-learn, Pillow and
numpy.
"""
import argparse
import datetime
import json
import shutil
import subprocess
from pathlib import Path

import clip
import numpy
import safetensors.torch
import sklearn.datasets
import torch
from PIL import Image

from architectures import SIZES
from full_size import RESEEDED, TEXTS, Clipc, cosines, table
from random_weights import randomise

# Cosine to f32, the worst of all inputs, must be above.
BOUNDS = {"bf16": 0.9995, "int8": 0.995}


def make_pictures(folder):
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in ("china.jpg", "flower.jpg"):
        photo = Image.fromarray(sklearn.datasets.load_sample_image(name))
        width, height = photo.size
        boxes = [(0, 0, width, height)]
        boxes += [(x, y, x + width // 2, y + height // 2)
                  for x in (0, width // 2) for y in (0, height // 2)]
        for i, box in enumerate(boxes):
            paths.append(folder / f"{i}_{Path(name).stem}.png")
            photo.crop(box).save(paths[-1])
    return paths


def embed(clipc, model, dtype, pictures):
    lines = clipc.lines("embed", "-m", model, "--raw", "--dtype", dtype, *pictures,
                        *[word for line in TEXTS for word in ("--text", line)])
    return {kind: numpy.array([line["embedding"] for line in lines if line["kind"] == kind])
            for kind in ("image", "text")}


def measure(name, clipc, folder):
    architecture = SIZES[name]
    pictures = make_pictures(folder / "pictures")
    transform = clip.clip._transform(architecture["image_resolution"])
    pixels = torch.stack([transform(Image.open(path)) for path in pictures])
    model = clip.model.CLIP(**architecture)
    randomise(model, sum(map(ord, name)) + RESEEDED.get(name, 0), pixels, clip.tokenize(TEXTS), 3.7)
    path = folder / "model.safetensors"
    safetensors.torch.save_file({key: value.contiguous()
                                 for key, value in model.float().state_dict().items()}, path)
    del model
    exact = embed(clipc, path, "f32", pictures)
    result = dict(name=name, alike=float((cosines(exact["image"], exact["image"])
                                          - 2 * numpy.eye(len(pictures))).max()))
    for dtype in BOUNDS:
        rounded = embed(clipc, path, dtype, pictures)
        for kind in ("image", "text"):
            own = numpy.diag(cosines(rounded[kind], exact[kind]))
            result[dtype, kind] = float(own.min()), float(own.mean())
    return result


def page(results, command):
    build = json.loads(subprocess.run([command, "version", "--json"], capture_output=True,
                                      text=True, check=True).stdout)
    rows = []
    for r in results:
        worst = {dtype: min(r[dtype, "image"][0], r[dtype, "text"][0]) for dtype in BOUNDS}
        rows.append([r["name"]] + [f"{r[dtype, kind][0]:.6f} ({r[dtype, kind][1]:.6f})"
                                   for dtype in BOUNDS for kind in ("image", "text")]
                    + [f"{r['alike']:.2f}",
                       "within bounds" if all(worst[d] > BOUNDS[d] for d in BOUNDS)
                       else "OUT OF BOUNDS"])
    head = ["model", "bf16 image", "bf16 text", "int8 image", "int8 text",
            "closest two pictures in f32", "verdict"]
    return (f"Made on {datetime.date.today()} by `tests/reference/precision.py`; clipc "
            f"{build['version']}, kernels: {build['cpu']}. The cosine between an input's embedding "
            "and its embedding in\nf32: the worst of all inputs, and the mean in brackets "
            f"(bounds: {', '.join(f'{d} {b}' for d, b in BOUNDS.items())}).\n\n"
            + table(head, rows) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clipc", default="build/clipc")
    parser.add_argument("--only", action="append", choices=SIZES)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    results = []
    for name in options.only or SIZES:
        folder = options.folder / name.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        results.append(measure(name, Clipc(options.clipc, folder), folder))
        print(results[-1], flush=True)
        shutil.rmtree(folder)
        if options.markdown:
            options.markdown.write_text(page(results, options.clipc))


if __name__ == "__main__":
    main()
