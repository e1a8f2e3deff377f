#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares clipc's preprocessing with the original's on random pictures of every kind, size and
target: the long form of test_preprocess, which it calls.

    compare_pictures.py BUILD [ROUNDS [SEED]]

A round makes one picture of each kind (some 360) and two targets for it. Differences are printed;
the pictures of a round that has some are kept. Exit code 1 when there were any.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import picture_kinds
from make_pictures import ending, expected

TARGETS = [224, 224, 224, 64, 288, 336, 448, 1, 2, 7, 31, 100, 255, 256]


def extent(rng):
    """Mostly small, now and then a line or large."""
    choice = rng.random()
    if choice < 0.1:
        return int(rng.integers(1, 5))
    if choice < 0.9:
        return int(rng.integers(5, 80))
    return int(rng.integers(80, 400))


def make_round(folder, rng):
    lines = []
    for name, make in picture_kinds.KINDS.items():
        if name in picture_kinds.DIFFERENT:
            continue
        width, height = extent(rng), extent(rng)
        try:
            data = make(rng, width, height)
        except Exception as error:  # an encoder that refuses such a shape
            print(f"{name} of {width} x {height} is not made: {error}")
            continue
        file = f"{name}_{width}x{height}.{ending(name)}"
        (folder / file).write_bytes(data)
        for size, exif in ((int(rng.choice(TARGETS)), 0), (int(rng.choice(TARGETS)), 1)):
            lines.append(f"{file} {size} {exif} {expected(data, size, exif)}")
    (folder / "expected.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
    return len(lines), sum(line.endswith("refused") for line in lines)


def main():
    test = Path(sys.argv[1]) / "tests" / "test_preprocess"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    cases = refused = failures = 0
    for number in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="clipc-pictures-"))
        made, not_read = make_round(folder, np.random.default_rng([seed, number]))
        run = subprocess.run([test, folder], capture_output=True, text=True, check=False)
        cases += made
        refused += not_read
        if run.returncode:
            failures += 1
            print(f"round {number}, kept in {folder}:\n{run.stdout}{run.stderr}")
            continue
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    print(f"{cases} cases, of which Pillow refuses {refused}; {failures} of {rounds} rounds differ")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
