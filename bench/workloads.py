# SPDX-License-Identifier: MIT
"""What is measured: a list of jobs, each with the engines that do it and how often.

A round gives every engine one turn. Heavy jobs get fewer rounds, so that the whole comparison takes
some 20 minutes on two cores.
"""
from dataclasses import dataclass

from architectures import SIZES
from models import SHORT
import pictures

# An engine's name in results -> module in engines/, precision, positions of a text.
ENCODERS = {
    "clipc f32": ("clipc", "f32", None),
    "PyTorch f32": ("pytorch", "f32", None),
    "ONNX Runtime f32": ("onnxruntime", "f32", None),
    "OpenVINO f32": ("openvino", "f32", None),
    "clipc bf16": ("clipc", "bf16", None),
    "PyTorch bf16": ("pytorch", "bf16", None),
    "OpenVINO bf16": ("openvino", "bf16", None),
    "clipc int8": ("clipc", "int8", None),
    "ONNX Runtime int8": ("onnxruntime", "int8", None),
    "OpenVINO int8": ("openvino", "int8", None),
    "clip.cpp f32": ("clip_cpp", "f32", None),
    "clip.cpp int8": ("clip_cpp", "int8", None),
    "faster-clip int8": ("faster_clip", "int8", None),
}
SHORTENED = {f"{name}, shortened": (module, precision, SHORT)
             for name, (module, precision, _) in ENCODERS.items()
             if module in ("pytorch", "onnxruntime", "openvino") and name != "PyTorch bf16"}
CLASSES = {name: engine for name, engine in ENCODERS.items() if engine[0] == "clipc"}
TOKENIZERS = {"clipc": ("clipc", None, None), "openai/CLIP": ("pytorch", None, None),
              "Hugging Face": ("huggingface", None, None),
              "instant-clip-tokenizer": ("instant", None, None)}
PREPROCESSORS = {"clipc": ("clipc", None, None), "Pillow": ("pytorch", None, None),
                 "torchvision": ("torchvision", None, None)}


@dataclass
class Workload:
    work: str
    engines: dict
    rounds: int
    threads: int
    model: str = "ViT-B/32"
    batch: int = 1
    seconds: float = 0.5  # of a turn, at least one run
    most: int = 200       # runs of a turn
    picture: str = None
    warm: bool = True     # run once before the turns
    templates: int = 0
    classes: int = 0

    @property
    def name(self):
        if self.work in ("image", "text"):
            return f"{self.model} {self.work}, batch {self.batch}, threads {self.threads}"
        return f"{self.work} {self.picture or self.batch}, threads {self.threads}"


# (model, batch) -> rounds with several threads, with one; 0: left out.
IMAGE_ROUNDS = {
    ("ViT-B/32", 1): (5, 5), ("ViT-B/32", 8): (4, 2), ("ViT-B/32", 32): (3, 1),
    ("ViT-B/16", 1): (5, 3), ("ViT-B/16", 8): (2, 0), ("ViT-B/16", 32): (1, 0),
    ("ViT-L/14", 1): (3, 2), ("ViT-L/14", 8): (0, 0), ("ViT-L/14", 32): (0, 0),
    ("RN50", 1): (5, 3), ("RN50", 8): (3, 2), ("RN50", 32): (2, 0),
}
TEXT_ROUNDS = {1: (5, 5), 64: (2, 1)}


def encoders(threads, options):
    column = 0 if threads > 1 else 1
    for (model, batch), rounds in IMAGE_ROUNDS.items():
        count = max(rounds[column], 1 if options.heavy else 0)
        if model in options.models and count:
            yield Workload("image", ENCODERS, count, threads, model, batch)
    for batch, rounds in TEXT_ROUNDS.items():
        yield Workload("text", ENCODERS | SHORTENED, rounds[column], threads, batch=batch)


def classes(threads, count):
    yield Workload("classes", CLASSES, 1, threads, templates=80, classes=count, most=1,
                   batch=80 * count, warm=False)


def one_thread():
    yield Workload("tokenize", TOKENIZERS, 5, 1, batch=10000, seconds=0.2)
    for picture in pictures.FILES:
        for work in ("preprocess", "decode", "resize"):
            yield Workload(work, PREPROCESSORS, 5, 1, picture=picture, seconds=0.3)


def quick():
    """A little of everything: whether it works, not how fast it is."""
    for model in ("ViT-B/32", "RN50"):
        yield Workload("image", ENCODERS, 1, 2, model, batch=1, seconds=0.2)
    yield Workload("text", ENCODERS | SHORTENED, 1, 2, batch=1, seconds=0.2)
    yield from (Workload(**{**vars(w), "rounds": 1, "seconds": 0.1, "batch": min(w.batch, 200)})
                for w in one_thread())
    yield Workload("classes", CLASSES, 1, 2, templates=2, classes=10, most=1, batch=20,
                   warm=False)


def chosen(options):
    """The list that the command line asks for."""
    if options.quick:
        made = list(quick())
    else:
        made = []
        for threads in options.threads:
            made += encoders(threads, options)
            if threads == max(options.threads):
                made += classes(threads, options.classes)
        made += one_thread()
    for workload in made:
        workload.rounds = options.rounds or workload.rounds
        workload.engines = {
            name: engine for name, engine in workload.engines.items()
            if not options.engines or any(word in name for word in options.engines)}
    return [w for w in made if w.work in options.work and w.model in options.models and w.engines]


MODELS = [name for name in SIZES if any(name == model for model, _ in IMAGE_ROUNDS)]
WORKS = ["image", "text", "classes", "tokenize", "preprocess", "decode", "resize", "start"]
