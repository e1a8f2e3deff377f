#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds clipc against the PyTorch reference at full size and writes docs/reference-results.md.

OpenAI's nine architectures with random weights (random_weights.py), each in a real file of one of
the kinds that clipc reads. The reference computes in float32 on the CPU from the same file; clipc
is driven through its command line. One architecture at a time is made, compared and deleted, so the
folder needs room for the largest file only. It takes half an hour on two cores and is not part of
`make test`.

    full_size.py FOLDER [--clipc build/clipc] [--only NAME]... [--markdown FILE]

Needs torch, clip-anytorch (or OpenAI's clip), transformers, safetensors, Pillow and numpy.
"""
import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path

import numpy
import safetensors.torch
import torch
import transformers
from PIL import Image, ImageDraw

from architectures import SIZES
from model_files import write
from random_weights import clip, encode, logits, randomise

# name -> kind of file
FILES = {
    "RN50": "torchscript",
    "RN101": "state-dict",
    "RN50x4": "legacy",
    "RN50x16": "safetensors",
    "RN50x64": "sharded",
    "ViT-B/32": "torchscript",
    "ViT-B/16": "nested",
    "ViT-L/14": "huggingface",
    "ViT-L/14@336px": "torchscript",
}

KINDS = {
    "torchscript": "TorchScript, half as OpenAI's",
    "state-dict": "PyTorch state dict (zip), float",
    "nested": "PyTorch, under `state_dict`, `module.` before names, float",
    "legacy": "PyTorch before 1.6, half",
    "safetensors": "safetensors, half",
    "sharded": "safetensors in shards, half",
    "huggingface": "Hugging Face `CLIPModel`, shards, float",
}

LABELS = ["a photo of a dog", "a diagram", "two red circles on a blue ground", "stripes", "noise",
          "Un café, s'il vous plaît!", "a tilted square and a line, drawn by a child; 1984"]
LONG_TEXT = " ".join(["a picture of many things:"] + ["one tree, two houses"] * 11)
TEXTS = LABELS + [LONG_TEXT, ""]


# --- Pictures: made, but of every usual kind ---

def scene(seed, width, height):
    random = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width]
    waves = [numpy.sin(x * random.uniform(0.002, 0.09) + y * random.uniform(0.002, 0.09)
                       + random.uniform(0, 6)) for _ in range(3)]
    pixels = numpy.stack([127 + 100 * wave for wave in waves], axis=-1)
    picture = Image.fromarray((pixels + random.normal(0, 8, pixels.shape)).clip(0, 255)
                              .astype("uint8"))
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        a, b = sorted(random.integers(0, width, 2)), sorted(random.integers(0, height, 2))
        box, colour = (a[0], b[0], a[1], b[1]), tuple(int(c) for c in random.integers(0, 256, 3))
        getattr(draw, random.choice(["rectangle", "ellipse", "line"]))(box, fill=colour)
    return picture


def make_pictures(folder):
    """Paths of the pictures, those that slow models get first."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("camera.jpg", "screen.png", "grey.webp", "palette.gif")]
    scene(1, 1200, 900).save(paths[0], quality=88)
    circle = scene(2, 640, 427).convert("RGBA")
    circle.putalpha(Image.fromarray((numpy.hypot(*numpy.mgrid[-1:1:427j, -1:1:640j]) * 180)
                                    .clip(0, 255).astype("uint8")))
    circle.save(paths[1])
    scene(3, 333, 500).convert("L").convert("RGB").save(paths[2], quality=80)
    scene(4, 150, 100).quantize(64).save(paths[3])
    return paths


# --- Files ---

def read_tensors(kind, path):
    if kind == "safetensors":
        return safetensors.torch.load_file(path)
    if kind == "sharded":
        files = set(json.loads(path.read_text())["weight_map"].values())
        return {name: tensor for file in files
                for name, tensor in safetensors.torch.load_file(path.parent / file).items()}
    tensors = torch.load(path, map_location="cpu")
    if kind == "nested":
        return {name.removeprefix("module."): tensor
                for name, tensor in tensors["state_dict"].items()}
    return tensors


def read_reference(kind, path, architecture):
    """The reference's model from the file, in float32 as it runs on a CPU."""
    if kind == "huggingface":
        return transformers.CLIPModel.from_pretrained(path, dtype=torch.float32).eval()
    if kind == "torchscript":
        return clip.load(str(path), device="cpu")[0]
    # clip.load would round what a float file holds to half: the model is filled directly.
    model = clip.model.CLIP(**architecture)
    model.load_state_dict(read_tensors(kind, path))
    return model.eval().float()


@torch.no_grad()
def encode_in_double(model, pixels):
    """Image embeddings in float64: tells whose rounding a difference is."""
    # The original's LayerNorm computes in float32 whatever comes in.
    clip.model.LayerNorm.forward, own = torch.nn.LayerNorm.forward, clip.model.LayerNorm.forward
    model.double()
    pixels = pixels.double()
    if hasattr(model, "encode_image"):
        features = model.encode_image(pixels)
    else:
        features = model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
    clip.model.LayerNorm.forward = own
    return features.numpy()


def file_bytes(path):
    folder = path if path.is_dir() else path.parent
    return sum(file.stat().st_size for file in folder.iterdir()
               if file.suffix in (".pt", ".safetensors"))


def huggingface_model(s):
    common = dict(hidden_act="quick_gelu")
    end = s["vocab_size"] - 1
    return transformers.CLIPModel(transformers.CLIPConfig(
        projection_dim=s["embed_dim"],
        vision_config=dict(common, hidden_size=s["vision_width"],
                           intermediate_size=4 * s["vision_width"],
                           num_hidden_layers=s["vision_layers"],
                           num_attention_heads=s["vision_width"] // 64,
                           image_size=s["image_resolution"], patch_size=s["vision_patch_size"],
                           projection_dim=s["embed_dim"]),
        text_config=dict(common, hidden_size=s["transformer_width"],
                         intermediate_size=4 * s["transformer_width"],
                         num_hidden_layers=s["transformer_layers"],
                         num_attention_heads=s["transformer_heads"],
                         max_position_embeddings=s["context_length"],
                         vocab_size=s["vocab_size"], bos_token_id=end - 1, eos_token_id=end,
                         pad_token_id=0, projection_dim=s["embed_dim"])))


# --- clipc ---

MEASURE = Path(__file__).with_name("measure.py")


class Clipc:
    """The command: its output, and the time and memory of its last run."""

    def __init__(self, path, folder):
        self.path = str(path)
        self.measures = folder / "measures"

    def run(self, *arguments):
        words = [self.path, *map(str, arguments)]
        output = subprocess.run([sys.executable, "-S", MEASURE, self.measures, *words],
                                stdout=subprocess.PIPE, check=True).stdout
        self.seconds, self.peak_mib = map(float, self.measures.read_text().split())
        return output

    def lines(self, *arguments):
        command, *rest = arguments
        return [json.loads(line) for line in self.run(command, "--json", *rest).splitlines()]

    def pixels(self, model, picture, folder):
        self.run("preprocess", "-m", model, picture, "-o", folder / "pixels.npy")
        return numpy.load(folder / "pixels.npy")


# --- Comparing ---

def relative_difference(got, wanted):
    return float(numpy.abs(got - wanted).max() / numpy.abs(wanted).max())


def cosines(a, b):
    a = a.astype("float64") / numpy.linalg.norm(a.astype("float64"), axis=-1, keepdims=True)
    b = b.astype("float64") / numpy.linalg.norm(b.astype("float64"), axis=-1, keepdims=True)
    return a @ b.T


def largest_between_different(features):
    c = cosines(features, features)
    return float((c - 2 * numpy.eye(len(c))).max())


# Where the weights of the first seed make a probability of nearly 1, which tells little.
RESEEDED = {"RN101": 1}


def compare(name, clipc, folder):
    architecture, kind = SIZES[name], FILES[name]
    pictures = make_pictures(folder / "pictures")
    started = time.monotonic()
    transform = clip.clip._transform(architecture["image_resolution"])
    pixels = torch.stack([transform(Image.open(path)) for path in pictures])
    ids = clip.tokenize(TEXTS).to(torch.int64)
    model = huggingface_model(architecture) if kind == "huggingface" \
        else clip.model.CLIP(**architecture)
    randomise(model, sum(map(ord, name)) + RESEEDED.get(name, 0), pixels, ids, 3.7)
    path = write(model, kind, folder, pixels, ids)
    del model
    print(f"{name}: written in {time.monotonic() - started:.0f} s", flush=True)

    reference = read_reference(kind, path, architecture)
    started = time.monotonic()
    image, text = encode(reference, pixels, ids)
    reference_seconds = time.monotonic() - started
    wanted_logits = logits(image, text[:len(LABELS)], reference.logit_scale.detach())
    wanted_probs = wanted_logits.softmax(dim=-1).numpy()
    image, text, wanted_logits = image.numpy(), text.numpy(), wanted_logits.numpy()
    exact = encode_in_double(reference, pixels)
    del reference

    info = clipc.lines("info", path)[0]
    pixels_equal = all(numpy.array_equal(clipc.pixels(path, picture, folder), own.numpy())
                       for picture, own in zip(pictures, pixels))
    tokens = [clipc.lines("tokenize", "--", line)[0]["tokens"] for line in TEXTS]
    classified = clipc.lines("classify", "-m", path, "--labels", labels_file(folder), *pictures)
    embedded = clipc.lines("embed", "-m", path, "--raw", *pictures,
                           *[word for line in TEXTS for word in ("--text", line)])
    rows = {kind: numpy.array([line["embedding"] for line in embedded if line["kind"] == kind],
                              dtype="float32") for kind in ("image", "text")}
    got_logits = numpy.array([line["logits"] for line in classified])
    got_probs = numpy.array([line["probs"] for line in classified])
    return dict(
        name=name, kind=KINDS[kind], bytes=file_bytes(path), info=info,
        pixels_equal=pixels_equal, tokens_equal=tokens == ids.tolist(),
        image_difference=relative_difference(rows["image"], image),
        own_rounding=relative_difference(image, exact),
        rounding=relative_difference(rows["image"], exact),
        image_cosine=float(numpy.diag(cosines(rows["image"], image)).min()),
        text_difference=relative_difference(rows["text"], text),
        text_cosine=float(numpy.diag(cosines(rows["text"], text)).min()),
        logits_difference=float(numpy.abs(got_logits - wanted_logits).max()),
        probs_difference=float(numpy.abs(got_probs - wanted_probs).max()),
        seconds=clipc.seconds, peak_mib=clipc.peak_mib,
        reference_seconds=reference_seconds,
        pictures_alike=largest_between_different(image),
        texts_alike=largest_between_different(text),
        logits_low=float(wanted_logits.min()), logits_high=float(wanted_logits.max()),
        largest_prob=float(wanted_probs.max()), largest_feature=float(numpy.abs(image).max()))


def labels_file(folder):
    path = folder / "labels.txt"
    path.write_text("\n".join(LABELS) + "\n")
    return path


# --- The page ---

def is_good(r):
    return (r["pixels_equal"] and r["tokens_equal"] and r["info"]["arch"] == r["name"]
            and max(r["image_difference"], r["text_difference"]) < 1e-4
            and min(r["image_cosine"], r["text_cosine"]) > 0.999999
            and r["logits_difference"] < 1e-3)


def is_telling(r):
    return (max(r["pictures_alike"], r["texts_alike"]) < 0.9 and r["largest_prob"] < 0.95
            and r["logits_high"] - r["logits_low"] > 1.0)


def table(head, rows):
    lines = [head, ["---"] * len(head)] + rows
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(results, command):
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in (
        "torch", "clip-anytorch", "transformers", "safetensors", "Pillow"))
    own = subprocess.run([command, "version", "--json"], capture_output=True, text=True, check=True)
    build = json.loads(own.stdout)
    yes = lambda good: "equal" if good else "DIFFER"  # noqa: E731
    differences = table(
        ["model", "pixels", "tokens", "image features", "1 - cosine", "reference to float64",
         "clipc to float64", "text features", "1 - cosine", "logits", "probabilities", "verdict"],
        [[r["name"], yes(r["pixels_equal"]), yes(r["tokens_equal"]),
          f"{r['image_difference']:.1e}", f"{max(0, 1 - r['image_cosine']):.0e}",
          f"{r['own_rounding']:.1e}", f"{r['rounding']:.1e}",
          f"{r['text_difference']:.1e}", f"{max(0, 1 - r['text_cosine']):.0e}",
          f"{r['logits_difference']:.1e}", f"{r['probs_difference']:.1e}",
          "within bounds" if is_good(r) else "OUT OF BOUNDS"] for r in results])
    runs = table(
        ["model", "file", "MB", "clipc, in all", "reference, encoding", "peak memory"],
        [[r["name"], r["kind"], f"{r['bytes'] / 1e6:.0f}",
          f"{r['seconds']:.1f} s", f"{r['reference_seconds']:.1f} s", f"{r['peak_mib']:.0f} MiB"]
         for r in results])
    telling = table(
        ["model", "pictures' closest cosine", "texts' closest cosine", "logits",
         "largest probability", "largest image feature", "verdict"],
        [[r["name"], f"{r['pictures_alike']:.2f}", f"{r['texts_alike']:.2f}",
          f"{r['logits_low']:.1f} to {r['logits_high']:.1f}", f"{r['largest_prob']:.2f}",
          f"{r['largest_feature']:.1f}", "tells" if is_telling(r) else "TELLS LITTLE"]
         for r in results])
    return f"""# clipc against the PyTorch reference, at full size

Each of OpenAI's nine architectures at its full size, with random weights, in a real file; the
reference (OpenAI's code, float32 on the CPU; for the Hugging Face file `transformers.CLIPModel`)
and clipc, driven through its command line, compute from the same file. The inputs are four pictures
(JPEG, PNG with alpha, WebP, GIF) and {len(TEXTS)} texts, one of them empty and one near the
context's end.

Made on {datetime.date.today().isoformat()} by `tests/reference/full_size.py` with Python
{platform.python_version()}, {versions};
clipc {build['version']}, kernels: {build['cpu']}; {platform.machine()}, {os.cpu_count()} cores,
which did other work at the same time: the times are upper bounds.

## Differences

Pixels and tokens must be equal, bit for bit and id for id. Features are compared as the encoders
give them: the largest absolute difference divided by the reference's largest value (bound 1e-4) and
the cosine between the two vectors of an input, the worst of all inputs (bound 0.999999). Logits are
`exp(logit_scale)` times the cosine similarities, here up to about 40 times (bound 1e-3, absolute).
"To float64" is how far the image features of each side, computed in float32, are from the
reference's in float64: where both are alike, the difference between them is rounding, not a fault.

{differences}

## Files, time and memory

"In all" is one `clipc embed` of all pictures and texts, loading included.

{runs}

## Whether the comparison proves anything

Deep networks of random weights tend to give every picture the same embedding, and then a port that
ignores the picture passes. So LayerNorm and batch-norm gains, biases and statistics, embeddings and
biases everywhere are away from their defaults, batch-norm statistics are near those of their
inputs, and the last bias is moved so that embeddings lie around zero. Pictures and texts must be
clearly apart (cosine below 0.9), logits spread, probabilities not one-hot:

{telling}

## Again

    tests/reference/full_size.py FOLDER --clipc build/clipc --markdown docs/reference-results.md

FOLDER needs some 3 GB, the machine some 8 GB of memory. The packages above come from PyPI.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="for one model's files at a time")
    parser.add_argument("--clipc", type=Path, default=Path("build/clipc"))
    parser.add_argument("--only", action="append", choices=list(FILES))
    parser.add_argument("--markdown", type=Path, help="write the page here")
    options = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)  # TorchScript is what OpenAI published
    results = []
    for name in options.only or FILES:
        folder = options.folder / name.replace("/", "-")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        results.append(compare(name, Clipc(options.clipc.resolve(), folder), folder))
        shutil.rmtree(folder)
        print(json.dumps(results[-1]), flush=True)
        if options.markdown:
            options.markdown.write_text(page(results, str(options.clipc.resolve())))
    return 0 if all(is_good(r) and is_telling(r) for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
