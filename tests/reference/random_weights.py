# SPDX-License-Identifier: MIT
"""Random weights for the reference's models in which every number matters.

What make_models.py and full_size.py share. Freshly built models leave LayerNorm gains at one,
biases at zero and batch-norm statistics at their defaults, so that a port which forgets one of them
passes unnoticed; and deep random networks give all pictures nearly the same embedding, so that a
port which ignores the picture passes too. randomise() does away with both. Scales are calibrated by
one forward pass, layer by layer, so that activations stay within a few units at any depth.
"""
import sys
import types

import packaging.version
import torch
from torch import nn

# clip.py asks pkg_resources for `packaging`; newer setuptools have no pkg_resources.
sys.modules.setdefault("pkg_resources", types.SimpleNamespace(packaging=packaging))
import clip  # noqa: E402
import clip.model  # noqa: E402,F401


class Noise:
    """Random tensors from one seed."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, tensor, std, mean=0.0):
        tensor.copy_(torch.empty_like(tensor).normal_(mean, std, generator=self.generator))

    def uniform(self, tensor, low, high):
        tensor.copy_(torch.empty_like(tensor).uniform_(low, high, generator=self.generator))


def _branch_scale(model, name):
    """Of a norm's gain: 1 but for the last of a bottleneck, whose branch is added to the shortcut.

    The more blocks a stage has the less each may add; else differences between pictures die out and
    rounding errors grow from block to block, as they do in no trained network.
    """
    if not (name.endswith("bn3") and ".layer" in name):
        return 1.0
    return 0.7 * len(model.get_submodule(name.rsplit(".", 2)[0])) ** -0.5


def _fill_modules(model, noise):
    for name, module in model.named_modules():
        if isinstance(module, (nn.LayerNorm, nn.BatchNorm2d)):
            scale = _branch_scale(model, name)
            noise.uniform(module.weight, 0.5 * scale, 1.5 * scale)
            noise.normal(module.bias, 0.2)
        elif isinstance(module, nn.Conv2d):
            noise.normal(module.weight, (2.0 / module.weight[0].numel()) ** 0.5)
            if module.bias is not None:
                noise.normal(module.bias, 0.2)
        elif isinstance(module, nn.Linear):
            # Queries and keys are larger: attention that only averages would test little.
            is_query = name.endswith(("q_proj", "k_proj"))
            noise.normal(module.weight, (1.5 if is_query else 0.8) * module.in_features ** -0.5)
            if module.bias is not None:
                noise.normal(module.bias, 0.2)
        elif isinstance(module, nn.MultiheadAttention):
            noise.normal(module.in_proj_weight, 1.5 * module.embed_dim ** -0.5)
            noise.normal(module.in_proj_bias, 0.2)
        elif isinstance(module, nn.Embedding):
            noise.normal(module.weight, 0.5)


def _fill_parameters(model, noise, logit_scale):
    for name, parameter in model.named_parameters():
        last = name.rsplit(".", 1)[-1]
        if last == "class_embedding":
            noise.normal(parameter, 0.5)
        elif last == "positional_embedding":
            noise.normal(parameter, 0.3)
        elif last in ("proj", "text_projection"):
            noise.normal(parameter, parameter.shape[0] ** -0.5)
        elif last == "logit_scale":
            parameter.fill_(logit_scale)


def _calibrate_batchnorm(noise):
    """Before a batch norm runs: statistics near those of its input, but not equal to them."""
    def hook(module, inputs):
        x = inputs[0]
        mean, variance = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), unbiased=False) + 1e-4
        off, factor = torch.empty_like(mean), torch.empty_like(mean)
        noise.normal(off, 0.2)
        noise.uniform(factor, 0.6, 1.6)
        module.running_mean.copy_(mean + off * variance.sqrt())
        module.running_var.copy_(variance * factor)
    return hook


def _calibrate_attnpool(module, inputs):
    """Before attention pooling: its input's scale is divided out of queries, keys and values."""
    scale = inputs[0].square().mean().sqrt()
    for layer in (module.q_proj, module.k_proj, module.v_proj):
        layer.weight.div_(scale)


def _centre(bias, noise, pick):
    """After the last layer with a bias: moves it so that the inputs' embeddings lie around zero."""
    def hook(module, inputs, output):
        rows = pick(output)
        shift = rows.mean(dim=0)
        off = torch.empty_like(shift)
        noise.normal(off, 0.2 * rows.std().item())
        bias(module).sub_(shift + off)
        return output - (shift + off)
    return hook


@torch.no_grad()
def randomise(model, seed, pixels, ids, logit_scale):
    """Fills a clip.model.CLIP, open_clip CLIP or transformers CLIPModel; leaves it in eval mode."""
    noise = Noise(seed)
    model.eval().float()
    _fill_modules(model, noise)
    _fill_parameters(model, noise, logit_scale)
    ends = ids.argmax(dim=-1)
    of_picture = lambda x: x[:, 0] if x.dim() == 3 else x  # noqa: E731
    of_text = lambda x: x[torch.arange(len(ids)), ends] if x.dim() == 3 else x  # noqa: E731
    hooks = []
    for name, module in model.named_modules():
        last = name.rsplit(".", 1)[-1]
        if isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(_calibrate_batchnorm(noise)))
        elif last == "attnpool":
            hooks.append(module.register_forward_pre_hook(_calibrate_attnpool))
            hooks.append(module.register_forward_hook(
                _centre(lambda m: m.c_proj.bias, noise, of_picture)))
        elif last in ("ln_post", "post_layernorm"):
            hooks.append(module.register_forward_hook(
                _centre(lambda m: m.bias, noise, of_picture)))
        elif last in ("ln_final", "final_layer_norm"):
            hooks.append(module.register_forward_hook(_centre(lambda m: m.bias, noise, of_text)))
    encode(model, pixels, ids)
    for hook in hooks:
        hook.remove()
    return model


@torch.no_grad()
def encode(model, pixels, ids):
    """Embeddings of pictures and texts, not normalised, in float32."""
    if hasattr(model, "encode_image"):
        return model.encode_image(pixels), model.encode_text(ids)
    vision = model.vision_model(pixel_values=pixels).pooler_output
    text = model.text_model(input_ids=ids).pooler_output
    return model.visual_projection(vision), model.text_projection(text)


@torch.no_grad()
def logits(image, text, logit_scale):
    """As the reference's forward."""
    image = image / image.norm(dim=-1, keepdim=True)
    text = text / text.norm(dim=-1, keepdim=True)
    return logit_scale.exp() * image @ text.t()
