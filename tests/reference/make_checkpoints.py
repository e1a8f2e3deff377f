#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes data/checkpoints/: small files of every kind that PyTorch, safetensors and transformers
write, for the tests of src/checkpoint/.

Element i of a tensor (in row-major order) is value(i + length of its name), which every number type
holds exactly; test_checkpoint_files.c has the same formula.

    make_checkpoints.py [FOLDER]
"""
import collections
import re
import sys
import zipfile
from pathlib import Path

import safetensors.torch
import torch
import transformers
from torch import nn


def value(i):
    return (i * 7 % 97 - 48) / 4


def filled(name, *shape, dtype=torch.float32):
    count = torch.Size(shape).numel()
    return torch.tensor([value(i + len(name)) for i in range(count)]).reshape(shape).to(dtype)


def strided(name, view):
    """view, a view of some larger storage, with our values where it looks."""
    view.copy_(filled(name, *view.shape))
    return view


def kinds():
    """Every number type, and every way in which a tensor can lie in its storage."""
    shared = torch.zeros(40)
    state = collections.OrderedDict()
    for name, dtype in [("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16),
                        ("f64", torch.float64)]:
        state[name] = filled(name, 3, 4, dtype=dtype)
    for name, dtype in [("i8", torch.int8), ("i16", torch.int16), ("i32", torch.int32),
                        ("i64", torch.int64)]:
        state[name] = (4 * filled(name, 5)).to(dtype)
    state["u8"] = torch.arange(5, dtype=torch.uint8)
    state["bool"] = torch.tensor([True, False, True])
    state["scalar"] = filled("scalar")
    state["empty"] = torch.zeros(0, 3)
    state["parameter"] = nn.Parameter(filled("parameter", 2, 2))
    state["transposed"] = strided("transposed", torch.zeros(3, 4).t())
    state["permuted"] = strided("permuted", torch.zeros(2, 3, 4).permute(2, 0, 1))
    state["shared.first"] = strided("shared.first", shared[:10].view(2, 5))
    state["shared.last"] = strided("shared.last", shared[30:])
    state["shared.stepped"] = strided("shared.stepped", shared[11:29:3])
    return state


class Attention(nn.Module):
    def __init__(self, prefix):
        super().__init__()
        self.in_proj_weight = nn.Parameter(filled(prefix + "in_proj_weight", 6, 2))
        self.in_proj_bias = nn.Parameter(filled(prefix + "in_proj_bias", 6))

    def forward(self, x):
        return x @ self.in_proj_weight.t() + self.in_proj_bias


class Block(nn.Module):
    def __init__(self, prefix):
        super().__init__()
        self.attn = Attention(prefix + "attn.")
        self.register_buffer("attn_mask", torch.zeros(2, 2))

    def forward(self, x):
        return self.attn(x)[..., :2] + torch.tensor([0.5, 0.25], dtype=x.dtype)


class Tower(nn.Module):
    def __init__(self, prefix):
        super().__init__()
        self.resblocks = nn.Sequential(Block(prefix + "resblocks.0."),
                                       Block(prefix + "resblocks.1."))

    def forward(self, x):
        return self.resblocks(x)


class Model(nn.Module):
    """Nested as OpenAI's model is, with attributes that are no tensors."""
    names: list[str]

    def __init__(self):
        super().__init__()
        self.transformer = Tower("transformer.")
        self.logit_scale = nn.Parameter(filled("logit_scale"))
        self.context_length = 77
        self.scale = 0.125
        self.names = ["a", "b"]

    def forward(self, x):
        return self.transformer(x) * self.logit_scale.exp() * self.scale


def write_torchscript(folder):
    model = Model().half().eval()
    plain = folder / "torchscript.pt"
    torch.jit.save(torch.jit.script(model), str(plain))
    # As OpenAI's files have it: made on a GPU.
    with zipfile.ZipFile(plain) as source, \
            zipfile.ZipFile(folder / "torchscript_cuda.pt", "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith(".pkl"):
                data = re.sub(rb"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0", data)
            target.writestr(entry, data, entry.compress_type)


def write_huggingface(folder):
    config = transformers.CLIPConfig(
        projection_dim=6,
        text_config={"hidden_size": 4, "intermediate_size": 8, "num_hidden_layers": 1,
                     "num_attention_heads": 1, "vocab_size": 9, "max_position_embeddings": 5},
        vision_config={"hidden_size": 4, "intermediate_size": 8, "num_hidden_layers": 1,
                       "num_attention_heads": 1, "image_size": 4, "patch_size": 2})
    model = transformers.CLIPModel(config)
    state = {name: filled(name, *tensor.shape) for name, tensor in model.state_dict().items()}
    model.load_state_dict(state)
    model.save_pretrained(folder / "sharded", max_shard_size="2KB")
    # Older versions also saved these.
    state["text_model.embeddings.position_ids"] = torch.arange(5).expand((1, -1))
    state["vision_model.embeddings.position_ids"] = torch.arange(5).expand((1, -1))
    torch.save(state, folder / "huggingface.bin")


def main():
    default = Path(__file__).resolve().parent / "data" / "checkpoints"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    state = kinds()
    wrapped = {"module." + name: tensor for name, tensor in state.items()}
    torch.save(state, folder / "kinds.pt")
    torch.save(state, folder / "kinds_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "name": "run", "state_dict": wrapped, "optimizer": {"lr": 1e-3}},
               folder / "nested_state_dict.pt")
    torch.save({"model": wrapped, "args": None}, folder / "nested_model.pt",
               _use_new_zipfile_serialization=False, pickle_protocol=4)
    safetensors.torch.save_file({name: tensor.detach().clone().contiguous()
                                 for name, tensor in state.items()},
                                folder / "kinds.safetensors", metadata={"format": "pt"})
    write_torchscript(folder)
    write_huggingface(folder)


if __name__ == "__main__":
    main()
