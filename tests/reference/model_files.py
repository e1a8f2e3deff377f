# SPDX-License-Identifier: MIT
"""Writes a model of the reference as a real file of each kind that clipc reads.

What make_models.py and full_size.py share.
"""
import json

import safetensors.torch
import torch

from random_weights import clip


def convert_like_openai(model):
    clip.model.convert_weights(model)
    return model


def torchscript(model, path, pixels, ids):
    """What OpenAI published: a traced module, in half precision where convert_weights says so."""
    model.register_buffer("input_resolution", torch.tensor(model.visual.input_resolution))
    for name in ("context_length", "vocab_size"):
        value = getattr(model, name)
        delattr(model, name)
        model.register_buffer(name, torch.tensor(value))
    with torch.no_grad():
        traced = torch.jit.trace(model, (pixels[:1], ids[:1]), check_trace=False)
    convert_like_openai(model)
    torch.jit.save(traced, path)
    return path


def shards(tensors, folder, count):
    names = sorted(tensors)
    files = {}
    for i in range(count):
        file = f"model-{i + 1:05}-of-{count:05}.safetensors"
        own = names[i::count]
        safetensors.torch.save_file({name: tensors[name] for name in own}, folder / file)
        files.update({name: file for name in own})
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": files}))
    return path


def write(model, kind, folder, pixels, ids):
    """Writes the model as a file of this kind; returns what clipc is to open."""
    if kind == "torchscript":
        return torchscript(model, folder / "model.pt", pixels, ids)
    if kind == "huggingface":
        model.save_pretrained(folder, max_shard_size="600MB")
        return folder
    if kind in ("legacy", "safetensors", "sharded"):
        convert_like_openai(model)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    path = folder / "model.pt"
    if kind == "state-dict":
        torch.save(tensors, path)
    elif kind == "nested":
        torch.save({"epoch": 3, "name": "random", "state_dict":
                    {"module." + name: tensor for name, tensor in tensors.items()}}, path)
    elif kind == "legacy":
        torch.save(tensors, path, _use_new_zipfile_serialization=False)
    elif kind in ("safetensors", "safetensors-float"):
        path = folder / "model.safetensors"
        safetensors.torch.save_file(tensors, path)
    else:
        path = shards(tensors, folder, 3)
    return path
