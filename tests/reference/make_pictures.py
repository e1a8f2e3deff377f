#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes data/pictures/: small pictures of every kind in picture_kinds.py, and expected.txt, what
the original's transform makes of them.

The transform is clip._transform of clip-anytorch on what Pillow's Image.open gives. A line of
expected.txt is

    FILE SIZE EXIF RGB TENSOR PIXELS...

with EXIF 1 where ImageOps.exif_transpose comes first; RGB, the CRC-32 of the 8-bit crop; TENSOR,
that of the little-endian float32 tensor; PIXELS, nine of the crop's in hexadecimal, in a grid, so
that a difference can be seen; or "FILE SIZE EXIF refused" where Pillow cannot read the file. Kinds
that clipc is meant to read in another way are left out: picture_kinds.DIFFERENT.

Made with Pillow 13.0 (libjpeg-turbo 3.2, libwebp 1.6, libtiff 4.7) and torchvision 0.29.2. What
depends on the version of Pillow: up to 12 rows were always resized before columns, which changes
some values by one in pictures more than twice as tall as wide that are made smaller
(begins_with_columns in src/image/resample.c).

    make_pictures.py [FOLDER]
"""
import io
import sys
import types
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import picture_kinds

# clip imports pkg_resources, which newer setuptools lack, only for its `packaging`.
if "pkg_resources" not in sys.modules:
    import packaging
    import packaging.version
    stand_in = types.ModuleType("pkg_resources")
    stand_in.packaging = packaging
    sys.modules["pkg_resources"] = stand_in
from clip.clip import _transform  # noqa: E402

warnings.simplefilter("ignore")

# The pictures a kind is made of, and what they are resized to, take turns.
EXTENTS = [(29, 21), (18, 27), (33, 17), (24, 24), (21, 30)]
TARGETS = [224, 64, 37, 288, 16]
# Shapes that matter to resize and crop: one pixel, one line, the target's own size, a pixel more or
# less, odd and even differences (a half is rounded to even), crops longer than a picture is wide;
# and tall ones made smaller, for which Pillow 13 takes its two passes in the other order.
SHAPES = [(1, 1), (1, 300), (300, 1), (3000, 7), (7, 3000), (224, 224), (224, 225), (225, 224),
          (226, 224), (224, 227), (228, 224), (229, 224), (64, 65), (66, 64), (64, 67), (63, 64),
          (2, 3), (3, 2), (16, 500), (257, 129), (400, 300)]
TALL = [(90, 300), (71, 234), (97, 222), (70, 150), (75, 240)]
TALL_TARGETS = [64, 31]
SHAPE_KINDS = ["png_type2_8", "png_type3_8", "png_type6_8", "png_type0_1", "png_type0_16"]
SHAPE_TARGETS = [224, 64, 336, 448]


def expected(data, size, exif):
    """The right half of a line."""
    try:
        picture = Image.open(io.BytesIO(data))
        if exif:
            picture = ImageOps.exif_transpose(picture)
        transform = _transform(size)
        crop = picture
        for step in transform.transforms[:3]:
            crop = step(crop)
        tensor = transform(picture).numpy()
    except Exception:
        return "refused"
    crop = np.asarray(crop)
    assert crop.shape == (size, size, 3) and tensor.shape == (3, size, size)
    places = [0, size // 2, size - 1]
    pixels = " ".join(crop[y, x].tobytes().hex() for y in places for x in places)
    return (f"{zlib.crc32(crop.tobytes()):08x} {zlib.crc32(tensor.astype('<f4').tobytes()):08x} "
            f"{pixels}")


def ending(name):
    return {"jpeg": "jpg"}.get(name.split("_")[0], name.split("_")[0])


def smooth(rng, width, height, channels, top=255):
    """Contents for large pictures: compress to next to nothing, differ from pixel to pixel."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [((x // 3) * (3 + 2 * c) + (y // 2) * (5 + c)) % (top + 1) for c in range(channels)]
    return np.stack(planes, axis=2).astype(np.int64)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else (
        Path(__file__).resolve().parent / "data" / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    lines = []

    def add(name, data, cases):
        (folder / name).write_bytes(data)
        lines.extend(f"{name} {size} {exif} {expected(data, size, exif)}" for size, exif in cases)

    for number, (name, make) in enumerate(picture_kinds.KINDS.items()):
        if name in picture_kinds.DIFFERENT:
            continue
        rng = np.random.default_rng(number)
        data = make(rng, *EXTENTS[number % len(EXTENTS)])
        cases = [(TARGETS[number % len(TARGETS)], 0)]
        if "exif" in name or "orientation" in name:
            cases.append((TARGETS[number % len(TARGETS)], 1))
        add(f"{name}.{ending(name)}", data, cases)

    drawing, picture_kinds.drawing = picture_kinds.drawing, smooth
    for number, (width, height) in enumerate(SHAPES + TALL):
        name = SHAPE_KINDS[number % len(SHAPE_KINDS)]
        data = picture_kinds.KINDS[name](np.random.default_rng(number), width, height)
        targets = (TALL_TARGETS if (width, height) in TALL else
                   [SHAPE_TARGETS[(number + i) % 4] for i in range(2)])
        add(f"shape_{width}x{height}_{name[4:]}.png", data, [(size, 0) for size in targets])
    picture_kinds.drawing = drawing

    (folder / "expected.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
    print(f"{len(lines)} cases, {len(list(folder.iterdir())) - 1} pictures")


if __name__ == "__main__":
    main()
