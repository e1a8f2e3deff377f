#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clipc and PyTorch side by side: the same checkpoint, the same inputs, turn by turn in one run.

A figure is the median of all turns; the ratio is that of the medians. PyTorch runs OpenAI's code as
clip-anytorch has it, in float32, texts at 77 positions, as everyone runs it. Weights may be random:
they do not change the time.

    compare_pytorch.py MODEL [--clipc build/clipc] [--threads 2] [--turns 3] [--seconds 2]

MODEL is a safetensors file with OpenAI's tensor names. Needs torch, clip-anytorch, safetensors.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

import clip
import safetensors.torch
import torch

CASES = [("image", 1), ("image", 8), ("text", 1), ("text", 64)]


def clipc_ms(arguments, what, batch):
    command = [arguments.clipc, "bench", "-m", arguments.model, "--what", what,
               "--batch", str(batch), "-j", str(arguments.threads),
               "--seconds", str(arguments.seconds), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["median_ms"]


def pytorch_ms(model, what, batch, seconds):
    size = model.visual.input_resolution
    if what == "image":
        batch_in, encode = torch.randn(batch, 3, size, size), model.encode_image
    else:
        batch_in, encode = clip.tokenize([f"a photo of a dog {i}" for i in range(batch)]), \
            model.encode_text
    times, end = [], None
    with torch.no_grad():
        encode(batch_in)
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(times) < 3:
            start = time.monotonic()
            encode(batch_in)
            times.append(1e3 * (time.monotonic() - start))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--clipc", default="build/clipc")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = clip.model.build_model(safetensors.torch.load_file(arguments.model)).float()
    print(f"{arguments.threads} threads, torch {torch.__version__}")
    print("| what | batch | clipc, ms | PyTorch, ms | times faster |")
    print("|---|---|---|---|---|")
    for what, batch in CASES:
        ours, theirs = [], []
        for _ in range(arguments.turns):
            ours.append(clipc_ms(arguments, what, batch))
            theirs.append(pytorch_ms(model, what, batch, arguments.seconds))
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"| {what} | {batch} | {a:.1f} | {b:.1f} | {b / a:.2f} |", flush=True)


if __name__ == "__main__":
    main()
