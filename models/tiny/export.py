#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what train.py learned (the averaged weights) as the files that clipc compiles in.

    export.py OUT/last.pt [FOLDER]     FOLDER/clipc-tiny.safetensors, FOLDER/open_clip_config.json
"""
import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from model import CONFIG

MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]


def weights_of(path):
    """The averaged model's weights, in half precision, under OpenAI's names."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    prefix = "module."
    return {name[len(prefix):]: value.half().contiguous()
            for name, value in state["average"].items() if name.startswith(prefix)}


def config():
    """The model in open_clip's words."""
    return {
        "model_cfg": {
            "embed_dim": CONFIG["embed_dim"],
            "quick_gelu": True,
            "vision_cfg": {
                "image_size": CONFIG["image_resolution"],
                "layers": CONFIG["vision_layers"],
                "width": CONFIG["vision_width"],
                "patch_size": CONFIG["vision_patch_size"],
            },
            "text_cfg": {
                "context_length": CONFIG["context_length"],
                "vocab_size": CONFIG["vocab_size"],
                "width": CONFIG["transformer_width"],
                "heads": CONFIG["transformer_heads"],
                "layers": CONFIG["transformer_layers"],
            },
        },
        "preprocess_cfg": {"mean": MEAN, "std": STD},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent)
    arguments = parser.parse_args()
    save_file(weights_of(arguments.checkpoint), arguments.folder / "clipc-tiny.safetensors",
              metadata={"format": "pt"})
    text = json.dumps(config(), indent=2) + "\n"
    (arguments.folder / "open_clip_config.json").write_text(text)


if __name__ == "__main__":
    main()
