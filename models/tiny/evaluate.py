#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures a model on the test sets of prepare_data.py through the command itself.

Naming: each picture, on white, among all names of its set; top-1, top-5 and top-10 in percent. A
name is the mean of several templates, as in OpenAI's notebook (--plain: the name alone).

    evaluate.py [--clipc PROGRAM] [--model MODEL] [--dtype TYPE] [--plain] DATA
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

SETS = {"emojione": "EmojiOne", "tuxpaint": "Tux Paint stamps", "held_out": "openclipart, held out"}
TEMPLATES = ["{}", "a drawing of a {}.", "an icon of a {}.", "an emoji of a {}.", "clip art of {}."]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Command:
    """Embeddings as `clipc embed` gives them: [n][embed_dim], normalised."""

    def __init__(self, program, model, dtype, folder):
        self.start = [program, "embed", "-q", "-m", model, "--dtype", dtype]
        self.folder = Path(folder)

    def _run(self, arguments):
        out = self.folder / "rows.npy"
        subprocess.run([*self.start, "-o", str(out), *arguments], check=True)
        return np.load(out)

    def texts(self, texts):
        path = self.folder / "texts.txt"
        path.write_text("".join(t.replace("\n", " ") + "\n" for t in texts), encoding="utf-8")
        return self._run(["--texts", str(path)])

    def pictures(self, pictures):
        paths = []
        for number, rgba in enumerate(pictures):
            picture = Image.fromarray(rgba, "RGBA")
            white = Image.new("RGBA", picture.size, "white")
            white.alpha_composite(picture)
            paths.append(str(self.folder / f"{number}.png"))
            white.convert("RGB").save(paths[-1])
        return self._run(paths)


def top(command, data, name, templates):
    facts = json.loads((data / f"{name}.json").read_text())
    names = sorted({f["name"] for f in facts})
    truth = np.array([names.index(f["name"]) for f in facts])
    classes = unit(sum(command.texts([t.format(n) for n in names]) for t in templates))
    pictures = command.pictures(np.load(data / f"{name}.npz")["pictures"])
    scores = pictures @ classes.T
    rank = (scores > scores[np.arange(len(truth)), truth][:, None]).sum(1)
    return len(facts), len(names), [100 * float((rank < k).mean()) for k in (1, 5, 10)]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clipc", default="build/clipc")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--dtype", default="f32", choices=["f32", "bf16", "int8"])
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    templates = TEMPLATES[:1] if arguments.plain else TEMPLATES
    for name, title in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            command = Command(arguments.clipc, arguments.model, arguments.dtype, folder)
            count, names, hits = top(command, arguments.data, name, templates)
        print(f"{title}: {count} pictures, {names} names: top-1 {hits[0]:.1f} %, "
              f"top-5 {hits[1]:.1f} %, top-10 {hits[2]:.1f} %", flush=True)


if __name__ == "__main__":
    main()
