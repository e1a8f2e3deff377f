# SPDX-License-Identifier: MIT
"""Pictures that cost a decoder and a resizer what photographs cost, made from a seed.

Noise whose strength falls with its frequency, as in photographs, under shapes with sharp edges; a
little sensor noise on top. As a JPEG of quality 90 it takes about as much room as a photograph.
"""
import numpy
from PIL import Image, ImageDraw

# name -> width, height, how Pillow saves it
FILES = {
    "camera.jpg": (4000, 3000, dict(quality=90)),
    "web.jpg": (640, 480, dict(quality=90)),
    "screen.png": (1024, 768, dict()),
}


def _clouds(random, width, height):
    """Sum of octaves, each twice as fine and half as strong; one channel, mean 0."""
    total = numpy.zeros((height, width), dtype="float32")
    cells, strength = 4, 70.0
    while cells < min(width, height):
        grid = random.normal(0, strength, (max(2, cells * height // width), cells))
        octave = Image.fromarray(grid.astype("float32"))
        total += numpy.asarray(octave.resize((width, height), Image.Resampling.BICUBIC))
        cells, strength = 2 * cells, 0.62 * strength
    return total


def photograph(seed, width, height):
    random = numpy.random.default_rng(seed)
    light = _clouds(random, width, height)
    channels = [110 + light + 0.4 * _clouds(random, width, height) for _ in range(3)]
    picture = Image.fromarray(numpy.stack(channels, axis=-1).clip(0, 255).astype("uint8"))
    draw = ImageDraw.Draw(picture)
    for _ in range(24):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(width // 40, width // 5), random.integers(height // 40, height // 5)
        colour = tuple(int(c) for c in random.integers(0, 256, 3))
        getattr(draw, random.choice(["rectangle", "ellipse"]))((x, y, x + w, y + h), fill=colour)
    noise = random.normal(0, 6, (height, width, 3)).astype("float32")
    pixels = numpy.asarray(picture) + noise
    return Image.fromarray(pixels.clip(0, 255).astype("uint8"))


def write_files(folder):
    for seed, (name, (width, height, options)) in enumerate(FILES.items(), 1):
        photograph(seed, width, height).save(folder / name, **options)
