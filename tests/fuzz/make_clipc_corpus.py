#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The corpus of fuzz_clipc_file: the headers of .clipc files as that target takes them.

    make_clipc_corpus.py CLIPC

CLIPC is the command; the models are the miniatures of tests/reference/data/models.
"""
import json
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

PREFIX, PAGE = 24, 65536
HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "reference/data/models"
CASES = [("vit_gelu", "f32", "portable"), ("vit_gelu", "bf16", "avx512-bf16"),
         ("vit_gelu", "int8", "avx2"), ("resnet_openai", "int8", "avx512-vnni"),
         ("resnet_openai", "f32", "avx2")]


def header(path):
    """The JSON of a .clipc file as if its data were zeros, and their size in units of 64 bytes."""
    contents = path.read_bytes()
    size = struct.unpack("<Q", contents[16:PREFIX])[0]
    root = json.loads(contents[PREFIX:PREFIX + size])
    for tensor in root["tensors"]:
        if "crc32" in tensor:
            tensor["crc32"] = zlib.crc32(bytes(tensor["bytes"]))
    data = len(contents) - -(-(PREFIX + size) // PAGE) * PAGE
    assert data % 64 == 0, data
    return json.dumps(root, separators=(",", ":")).encode(), data // 64


def main():
    corpus = HERE / "corpus/clipc_file"
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for model, dtype, cpu in CASES:
            path = Path(folder) / "model.clipc"
            subprocess.run([sys.argv[1], "convert", MODELS / model, path, "--dtype", dtype,
                            "--cpu", cpu], check=True)
            text, units = header(path)
            name = f"{model}.{dtype}.{cpu}.json"
            (corpus / name).write_bytes(struct.pack("<H", units) + text)


if __name__ == "__main__":
    main()
