#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes data/models: miniatures of every kind of CLIP, and what the reference computes with them.

For each miniature NAME: a folder with the model as PyTorch, safetensors or transformers really
write it, most weights in half precision, and NAME.expected.safetensors with token ids, the features
of every stage, embeddings, logits and probabilities, in float32 as the reference computes them on a
CPU from that same file. test_models.c compares. Real files are committed, not a recipe for weights,
because then the test goes the whole way that a user's file goes. Pixels are not committed: pixels()
and the test draw the same ones.

The texts of each miniature end where the largest id first stands: after one token, at the context's
end, with other end tokens behind it, at the very first place, and without an end token at all.

Weights (random_weights.py) come from fixed seeds; another PyTorch may draw others, so a rerun may
change every file, but model and expectation always go together.

    make_models.py [FOLDER]
"""
import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy
import open_clip
import safetensors.torch
import torch
import transformers

from model_files import write
from random_weights import clip, encode, logits, randomise

LOGIT_SCALE = 3.3


def pictures(size):
    return 5 if size < 64 else 2


# The shapes of OpenAI's: read from the tensors alone, so heads are 64 wide.
OPENAI = {
    "vit_quickgelu": ("torchscript", dict(
        embed_dim=20, image_resolution=24, vision_layers=1, vision_width=64, vision_patch_size=8,
        context_length=12, vocab_size=514, transformer_width=64, transformer_heads=1,
        transformer_layers=1)),
    "resnet_openai": ("legacy", dict(
        embed_dim=24, image_resolution=64, vision_layers=(1, 2, 1, 2), vision_width=2,
        vision_patch_size=None, context_length=9, vocab_size=514, transformer_width=64,
        transformer_heads=1, transformer_layers=1)),
}

# open_clip's, with a configuration beside the file: heads of any width.
OPEN_CLIP = {
    "vit_gelu": dict(
        embed_dim=17,
        vision_cfg=dict(image_size=17, layers=2, width=32, head_width=8, patch_size=5,
                        mlp_ratio=3.0),
        text_cfg=dict(context_length=20, vocab_size=600, width=24, heads=2, layers=1)),
    "resnet_open_clip": dict(
        embed_dim=16, quick_gelu=False,
        vision_cfg=dict(image_size=96, layers=[2, 1, 2, 1], width=4, head_width=32,
                        patch_size=None),
        text_cfg=dict(context_length=16, vocab_size=530, width=24, heads=3, layers=2)),
}

HUGGINGFACE = dict(
    projection_dim=28,
    vision_config=dict(hidden_size=48, intermediate_size=100, num_hidden_layers=2,
                       num_attention_heads=3, image_size=30, patch_size=6, projection_dim=28),
    text_config=dict(hidden_size=32, intermediate_size=72, num_hidden_layers=3,
                     num_attention_heads=4, max_position_embeddings=10, vocab_size=540,
                     bos_token_id=538, eos_token_id=539, pad_token_id=0, projection_dim=28))

LABELS = ["cat", "ox", "the owl"]
TEMPLATES = ["a {}.", "{}", "{}, {}!"]


# --- Inputs ---

def pixels(count, size):
    """[count][3][size][size] from -2 to 2: the generator that test_models.c has."""
    state, values = 7, numpy.empty(count * 3 * size * size, dtype=numpy.float32)
    for i in range(len(values)):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        values[i] = (state >> 40) / 2 ** 22 - 2
    return torch.from_numpy(values).reshape(count, 3, size, size)


def token_ids(context, vocab, with_missing_end):
    random = numpy.random.default_rng(context)
    start, end = vocab - 2, vocab - 1
    ids = numpy.zeros((6, context), dtype=numpy.int64)
    ids[0, :2] = start, end
    ids[1] = random.integers(1, start, context)
    ids[1, 0], ids[1, -1] = start, end
    ids[2, :7] = start, *random.integers(1, start, 2), end, 5, end, end
    ids[3, :5] = start, *random.integers(1, start, 3), end
    ids[4] = random.integers(1, start, context)
    ids[4, :2] = end, start
    ids[5, :4] = random.integers(1, start, 4)
    if not with_missing_end:
        ids[5, 4] = end
    return torch.from_numpy(ids)


# --- Stages ---

class Stages:
    """The outputs of a model's stages under clipc's names, laid out as clipc has them."""

    def __init__(self, model, count, ids):
        self.count, self.ends, self.seen = count, ids.argmax(dim=-1), {}
        modules = dict(model.named_modules())
        self.hooks = []
        for name, module in modules.items():
            own = self.own_name(name)
            if own:
                self.hooks.append(module.register_forward_hook(self.note(own)))
        first = modules.get("transformer.resblocks.0") or modules["text_model.encoder.layers.0"]
        self.hooks.append(first.register_forward_pre_hook(
            lambda module, inputs: self.take("embedding", inputs[0])))

    @staticmethod
    def own_name(name):
        name = name.replace("vision_model.encoder.layers.", "visual.transformer.resblocks.")
        name = name.replace("text_model.encoder.layers.", "transformer.resblocks.")
        name = {"vision_model.pre_layrnorm": "visual.ln_pre",
                "vision_model.post_layernorm": "visual.ln_post",
                "text_model.final_layer_norm": "ln_final",
                "visual.avgpool": "visual.stem"}.get(name, name)
        last = name.removeprefix("visual.")
        if last in ("ln_pre", "ln_post", "ln_final", "stem", "layer1", "layer2", "layer3",
                    "layer4") or (last.startswith("transformer.resblocks.")
                                  and last.count(".") == 2):
            return name
        return None

    def note(self, name):
        def hook(module, inputs, output):
            self.take(name, output[0] if isinstance(output, tuple) else output)
        return hook

    def take(self, name, x):
        is_text = not name.startswith("visual.")
        if x.dim() == 4:
            x = x.permute(0, 2, 3, 1)  # channels last
        elif x.dim() == 3 and x.shape[0] != (len(self.ends) if is_text else self.count):
            x = x.transpose(0, 1)  # OpenAI's blocks have the batch second
        if x.dim() == 3 and name == "visual.ln_post":
            x = x[:, 0]
        elif x.dim() == 3 and name == "ln_final":
            x = x[torch.arange(len(self.ends)), self.ends]
        elif x.dim() == 3 and is_text:  # packed: what follows the end token is never computed
            x = torch.cat([row[:end + 1] for row, end in zip(x, self.ends)])
        self.seen[name] = x.reshape(-1, x.shape[-1]) if x.dim() == 3 else x

    def remove(self):
        for hook in self.hooks:
            hook.remove()


# --- Classes, as in the notebook "Prompt Engineering for ImageNet" ---

def reduced_tokenizer(vocab):
    """CLIP's tokenizer with the first merges only."""
    tokenizer, merges = clip.simple_tokenizer.SimpleTokenizer(), vocab - 514
    symbols = list(tokenizer.encoder)[:512 + merges] + ["<|startoftext|>", "<|endoftext|>"]
    tokenizer.encoder = {symbol: i for i, symbol in enumerate(symbols)}
    tokenizer.bpe_ranks = {pair: i for pair, i in tokenizer.bpe_ranks.items() if i < merges}
    return tokenizer


@torch.no_grad()
def class_embeddings(model, context, vocab):
    tokenizer = reduced_tokenizer(vocab)
    weights = []
    for label in LABELS:
        ids = torch.zeros(len(TEMPLATES), context, dtype=torch.int64)
        for row, template in zip(ids, TEMPLATES):
            text = template.replace("{}", label)
            tokens = [vocab - 2, *tokenizer.encode(text), vocab - 1]
            assert len(tokens) <= context, f"{text}: {len(tokens)} tokens"
            row[:len(tokens)] = torch.tensor(tokens)
        embeddings = model.encode_text(ids)
        embeddings /= embeddings.norm(dim=-1, keepdim=True)
        embedding = embeddings.mean(dim=0)
        weights.append(embedding / embedding.norm())
    return torch.stack(weights)


# --- Writing ---

def expect(model, x, ids):
    stages = Stages(model, len(x), ids)
    image, text = encode(model, x, ids)
    stages.remove()
    scores = logits(image, text, model.logit_scale.detach())
    similar = torch.nn.functional.cosine_similarity(image[:, None], image[None], dim=-1)
    assert (similar - 2 * torch.eye(len(image))).max() < 0.9, "the pictures' embeddings are alike"
    assert scores.max() - scores.min() > 1, "the logits hardly differ"
    return dict(stages.seen, ids=ids.to(torch.int32), image=image, text=text, logits=scores,
                probs=scores.softmax(dim=-1))


def save(folder, name, tensors):
    safetensors.torch.save_file(
        {key: tensor.detach().clone().contiguous() for key, tensor in tensors.items()},
        folder / f"{name}.expected.safetensors")


def fresh(folder, name):
    path = folder / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def make_openai(folder, name):
    kind, sizes = OPENAI[name]
    size = sizes["image_resolution"]
    x = pixels(pictures(size), size)
    ids = token_ids(sizes["context_length"], sizes["vocab_size"], True)
    model = randomise(clip.model.CLIP(**sizes), len(name), x, ids, LOGIT_SCALE)
    if kind == "legacy":
        model.half()  # all of it; OpenAI's are half in their matrices only
    path = write(model, kind, fresh(folder, name), x, ids)
    reference, _ = clip.load(str(path), device="cpu")
    save(folder, name, expect(reference, x, ids))


def make_open_clip(folder, name):
    config = OPEN_CLIP[name]
    size, text = config["vision_cfg"]["image_size"], config["text_cfg"]
    x = pixels(pictures(size), size)
    ids = token_ids(text["context_length"], text["vocab_size"], True)
    model = open_clip.CLIP(**config)
    randomise(model, len(name), x, ids, LOGIT_SCALE)
    path = fresh(folder, name)
    if name.startswith("resnet"):
        model.half()
        write(model, "state-dict", path, x, ids)
    else:
        write(model.float(), "safetensors-float", path, x, ids)
    (path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}, indent=1) + "\n")
    expected = expect(model.float(), x, ids)
    if name == "vit_gelu":
        expected["classes"] = class_embeddings(model, text["context_length"], text["vocab_size"])
    save(folder, name, expected)


def make_huggingface(folder, name):
    sizes = HUGGINGFACE["text_config"]
    size = HUGGINGFACE["vision_config"]["image_size"]
    x = pixels(pictures(size), size)
    ids = token_ids(sizes["max_position_embeddings"], sizes["vocab_size"], False)
    model = transformers.CLIPModel(transformers.CLIPConfig(**HUGGINGFACE))
    randomise(model, len(name), x, ids, LOGIT_SCALE)
    path = fresh(folder, name)
    model.half().save_pretrained(path)
    reference = transformers.CLIPModel.from_pretrained(path, dtype=torch.float32).eval()
    save(folder, name, expect(reference, x, ids))


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data/models"
    warnings.simplefilter("ignore", FutureWarning)  # TorchScript is what OpenAI published
    folder.mkdir(parents=True, exist_ok=True)
    for name in OPENAI:
        make_openai(folder, name)
    for name in OPEN_CLIP:
        make_open_clip(folder, name)
    make_huggingface(folder, "vit_huggingface")


if __name__ == "__main__":
    main()
