#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains clipc's small model with PyTorch on what prepare_data.py extracted.

The schedule follows the clock: progress is elapsed time over --minutes, so a run ends when it shall
on any machine; --resume continues one. Checkpoints go to OUT/last.pt every few minutes.

    train.py DATA OUT [--minutes 80]
"""
import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from model import Tokenizer, make_model

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)
SIZE = 64

TEMPLATES = [
    "a drawing of a {}.", "a drawing of the {}.", "an icon of a {}.", "an emoji of a {}.",
    "{} emoji", "a picture of a {}.", "a cartoon {}.", "clip art of a {}.", "a photo of a {}.",
    "{} icon", "a small picture of a {}.", "an illustration of a {}.", "this is a {}.", "a {}",
    "the {}", "a colorful drawing of a {}.",
]


# --- Captions -------------------------------------------------------------------------------


def caption_of(fact, rng):
    """One of many ways to say what the picture shows."""
    draw = rng.random()
    name, keywords = fact["name"], fact["keywords"]
    if draw < 0.50 or not keywords:
        words = name
        if fact["synonyms"] and rng.random() < 0.15:
            words = rng.choice(fact["synonyms"])
    elif draw < 0.62:
        words = rng.choice(keywords)
    elif draw < 0.66 and fact["wider"]:
        words = rng.choice(fact["wider"])
    else:
        some = rng.sample(keywords, min(len(keywords), rng.randint(1, 4)))
        words = ", ".join(some if rng.random() < 0.5 else [name] + some)
    if rng.random() < 0.45:
        words = rng.choice(TEMPLATES).format(words)
    return words


class Captions:
    """Token ids of captions, remembered."""

    def __init__(self, tokenizer):
        self.tokenizer, self.memory = tokenizer, {}

    def ids(self, text):
        if text not in self.memory:
            self.memory[text] = self.tokenizer.encode(text)[:30]
        return self.memory[text]

    def length(self, text):
        return len(self.ids(text))

    def encode(self, texts):
        rows = [self.ids(text) for text in texts]
        longest = max(map(len, rows)) + 2
        out = torch.zeros(len(rows), longest, dtype=torch.long)
        for row, ids in zip(out, rows):
            row[0] = self.tokenizer.start
            row[1:len(ids) + 1] = torch.tensor(ids)
            row[len(ids) + 1] = self.tokenizer.end
        return out


# --- Augmentation ---------------------------------------------------------------------------


def uniform(n, low, high, *shape):
    return torch.empty(n, *(shape or (1, 1, 1))).uniform_(low, high)


def chance(n, p):
    return (torch.rand(n, 1, 1, 1) < p).float()


def affine(pictures, flips, strength):
    """Random rotation, scale, aspect, shear, shift (and mirror where allowed), to SIZE."""
    n = len(pictures)
    angle = torch.randn(n) * 0.16 * strength
    scale = torch.exp(torch.empty(n).uniform_(-0.22, 0.30) * strength) * 1.02
    aspect = torch.exp(torch.randn(n) * 0.09 * strength)
    mirror = torch.where(flips & (torch.rand(n) < 0.4), -1.0, 1.0)
    shear = torch.randn(n) * 0.07 * strength
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = cos * scale * aspect * mirror
    theta[:, 0, 1] = (-sin + shear) * scale
    theta[:, 1, 0] = sin * scale * mirror
    theta[:, 1, 1] = cos * scale / aspect
    theta[:, :, 2] = torch.empty(n, 2).uniform_(-0.13, 0.13) * strength
    grid = F.affine_grid(theta, (n, 4, SIZE, SIZE), align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", align_corners=False)


def backgrounds(n):
    """White, black, plain colours and gradients."""
    kind = torch.rand(n, 1, 1, 1)
    plain = torch.rand(n, 3, 1, 1).expand(n, 3, SIZE, SIZE)
    x = torch.linspace(0, 1, SIZE).view(1, 1, 1, SIZE)
    y = torch.linspace(0, 1, SIZE).view(1, 1, SIZE, 1)
    tilt = uniform(n, -1, 1)
    ramp = ((x - 0.5) * tilt + (y - 0.5) * uniform(n, -1, 1) + 0.5).clamp(0, 1)
    gradient = torch.rand(n, 3, 1, 1) * ramp + torch.rand(n, 3, 1, 1) * (1 - ramp)
    out = torch.where(kind < 0.8, plain, gradient)
    out = torch.where(kind < 0.62, torch.zeros_like(out), out)
    return torch.where(kind < 0.36, torch.ones_like(out), out)


def hue_matrix(n, strength):
    """Rotations about the grey axis, scaled saturation: [n][3][3]."""
    angle = torch.randn(n) * 0.30 * strength
    saturation = torch.exp(torch.randn(n) * 0.35 * strength)
    cos, sin = torch.cos(angle).view(n, 1, 1), torch.sin(angle).view(n, 1, 1)
    grey = torch.full((3, 3), 1 / 3)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    rotation = grey + cos * (torch.eye(3) - grey) + sin * cross
    return grey + saturation.view(n, 1, 1) * (rotation - grey)


def colour(pictures, strength):
    n = len(pictures)
    pictures = torch.einsum("nij,njhw->nihw", hue_matrix(n, strength), pictures)
    gain = torch.exp(uniform(n, -0.25, 0.25, 3, 1, 1) * strength)
    contrast = torch.exp(uniform(n, -0.3, 0.3) * strength)
    pictures = ((pictures * gain - 0.5) * contrast + 0.5 +
                uniform(n, -0.12, 0.12) * strength)
    grey = pictures.mean(1, keepdim=True).expand_as(pictures)
    return torch.lerp(pictures, grey, chance(n, 0.08)).clamp(0, 1)


def focus(pictures, strength):
    """Blurred or with stronger edges: another artist's line."""
    n = len(pictures)
    soft = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    amount = uniform(n, -1.2, 1.0) * chance(n, 0.5) * strength
    return (pictures + amount * (soft - pictures)).clamp(0, 1)


def erase(pictures):
    n = len(pictures)
    x = torch.arange(SIZE).view(1, 1, 1, SIZE)
    y = torch.arange(SIZE).view(1, 1, SIZE, 1)
    left, top = uniform(n, -10, SIZE), uniform(n, -10, SIZE)
    wide, high = uniform(n, 6, 24), uniform(n, 6, 24)
    box = ((x >= left) & (x < left + wide) & (y >= top) & (y < top + high)).float()
    return torch.lerp(pictures, torch.rand(n, 3, 1, 1).expand_as(pictures),
                      box * chance(n, 0.25))


def augment(pictures, flips, strength=1.0):
    """uint8 [n][72][72][4] -> normalised float [n][3][64][64]"""
    pictures = pictures.permute(0, 3, 1, 2).float() / 255
    alpha = pictures[:, 3:]
    pictures = torch.cat([pictures[:, :3] * alpha, alpha], 1)
    pictures = affine(pictures, flips, strength)
    pictures, alpha = pictures[:, :3], pictures[:, 3:]
    # The drawing's own colours change apart from its background's.
    inside = colour(pictures / alpha.clamp_min(1e-3), strength) * alpha
    pictures = inside + backgrounds(len(pictures)) * (1 - alpha)
    pictures = pictures + torch.randn_like(pictures) * uniform(len(pictures), 0, 0.03)
    return (erase(focus(pictures, strength)).clamp(0, 1) - MEAN) / STD


# --- Batches --------------------------------------------------------------------------------


class Sampler:
    """Batches of distinct names, drawn by weight."""

    def __init__(self, pictures, facts, seed):
        self.pictures, self.facts = torch.from_numpy(pictures), facts
        self.flips = torch.tensor([f["flip"] for f in facts])
        weights = np.array([f["weight"] for f in facts])
        self.chances = weights / weights.sum()
        self.numpy, self.rng = np.random.default_rng(seed), random.Random(seed)

    def draw(self, n):
        chosen, names = [], set()
        for index in self.numpy.choice(len(self.facts), 2 * n, False, self.chances):
            name = self.facts[index]["name"]
            if name not in names:
                names.add(name)
                chosen.append(int(index))
            if len(chosen) == n:
                break
        captions = [caption_of(self.facts[i], self.rng) for i in chosen]
        return augment(self.pictures[chosen], self.flips[chosen]), captions


def targets_of(captions):
    """Rows of equal captions share their target, so that twins do not repel each other."""
    first, group = {}, []
    for caption in captions:
        group.append(first.setdefault(caption, len(first)))
    group = torch.tensor(group)
    same = (group[:, None] == group[None, :]).float()
    return same / same.sum(1, keepdim=True)


# --- Training -------------------------------------------------------------------------------


def learning_rate(progress, peak):
    warm = min(1.0, progress / 0.03)
    return peak * warm * (0.5 + 0.5 * math.cos(math.pi * min(progress, 1.0))) + 1e-6


def parameter_groups(model, decay):
    plain = [p for p in model.parameters() if p.dim() < 2]
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    return [dict(params=matrices, weight_decay=decay), dict(params=plain, weight_decay=0.0)]


@torch.no_grad()
def retrieval(model, pictures, facts, captions, template="{}"):
    """Top-1 and top-5 of naming each picture among all names, pictures on white."""
    model.eval()
    names = sorted({f["name"] for f in facts})
    truth = torch.tensor([names.index(f["name"]) for f in facts])
    texts = captions.encode([template.format(n) for n in names])
    texts = F.normalize(model.encode_text(texts), dim=-1)
    rows = []
    for chunk in torch.from_numpy(pictures).split(256):
        rgba = F.interpolate(chunk.permute(0, 3, 1, 2).float() / 255, SIZE, mode="bilinear",
                             antialias=True, align_corners=False)
        white = rgba[:, :3] * rgba[:, 3:] + 1 - rgba[:, 3:]
        rows.append(F.normalize(model.encode_image((white - MEAN) / STD), dim=-1))
    ranks = (torch.cat(rows) @ texts.T).argsort(1, descending=True)
    hits = ranks == truth[:, None]
    model.train()
    return [100 * hits[:, :k].any(1).float().mean().item() for k in (1, 5, 10)]


def encode_by_length(model, captions, texts, groups=4):
    """The texts' embeddings in order, the short ones computed apart from the long ones."""
    order = sorted(range(len(texts)), key=lambda i: captions.length(texts[i]))
    chunks = [order[i * len(order) // groups:(i + 1) * len(order) // groups]
              for i in range(groups)]
    rows = [model.encode_text(captions.encode([texts[i] for i in chunk])) for chunk in chunks]
    return torch.cat(rows)[torch.tensor(order).argsort()]


def step(model, sampler, captions, batch, keep):
    pictures, texts = sampler.draw(batch)
    image = F.normalize(model.encode_image(pictures, keep), dim=-1)
    text = F.normalize(encode_by_length(model, captions, texts), dim=-1)
    logits = model.logit_scale.exp() * image @ text.T
    targets = targets_of(texts)
    return (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2


def save(path, **state):
    torch.save(state, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--wd", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    facts = json.loads((arguments.data / "train.json").read_text())
    sampler = Sampler(np.load(arguments.data / "train.npz")["pictures"], facts, arguments.seed)
    held = json.loads((arguments.data / "held_out.json").read_text())
    held_pictures = np.load(arguments.data / "held_out.npz")["pictures"]
    captions = Captions(Tokenizer())
    model = make_model()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998))
    optimizer = torch.optim.AdamW(parameter_groups(model, arguments.wd), betas=(0.9, 0.98))
    spent, number = 0.0, 0
    if arguments.resume and (arguments.out / "last.pt").exists():
        state = torch.load(arguments.out / "last.pt", weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        spent, number = state["spent"], state["number"]
    log = open(arguments.out / "log.jsonl", "a", buffering=1)
    begin = time.monotonic() - spent
    last_save, losses = time.monotonic(), []
    while (spent := time.monotonic() - begin) < 60 * arguments.minutes:
        progress = spent / (60 * arguments.minutes)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress, arguments.lr)
        loss = step(model, sampler, captions, arguments.batch_size, 0.5 if progress < 0.85 else 1.0)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        average.update_parameters(model)
        number += 1
        losses.append(loss.item())
        if number % 25 == 0:
            entry = dict(step=number, seconds=round(spent),
                         loss=round(float(np.mean(losses[-25:])), 4),
                         scale=round(model.logit_scale.exp().item(), 2))
            if number % 500 == 0:
                entry["held_out"] = retrieval(average.module, held_pictures, held, captions)
            log.write(json.dumps(entry) + "\n")
        if time.monotonic() - last_save > 180:
            last_save = time.monotonic()
            save(arguments.out / "last.pt", model=model.state_dict(), average=average.state_dict(),
                 optimizer=optimizer.state_dict(), spent=spent, number=number)
    save(arguments.out / "last.pt", model=model.state_dict(), average=average.state_dict(),
         optimizer=optimizer.state_dict(), spent=spent, number=number)
    print("held out:", retrieval(average.module, held_pictures, held, captions))


if __name__ == "__main__":
    main()
