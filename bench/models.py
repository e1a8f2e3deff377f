# SPDX-License-Identifier: MIT
"""The models and inputs of the comparison, made once into a folder: every engine gets the same.

An architecture with random weights from a fixed seed becomes a safetensors file (clipc, PyTorch),
ONNX graphs (ONNX Runtime) and OpenVINO's files, in float32 and int8. It takes some minutes, and is
not timed.
"""
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy

from architectures import SIZES

SEED = 7
CALIBRATION = 32
SHORT = 7  # positions of a text shortened by hand: "a photo of a dog" and its two ends
LARGEST_IMAGE_BATCH, LARGEST_TEXT_BATCH = 32, 64
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]

# Processors that have one of these multiply bfloat16 themselves.
BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def folder_of(root, name):
    return Path(root) / name.replace("/", "-").replace("@", "-")


def huggingface_folder(root, name):
    return folder_of(root, name) / "huggingface"


def cpu_flags():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("flags", "Features")):
            return set(line.split(":", 1)[1].split())
    return set()


def load(root, name):
    """The reference's model in float32, from the safetensors file."""
    import safetensors.torch
    from random_weights import clip
    model = clip.model.CLIP(**SIZES[name])
    model.load_state_dict(safetensors.torch.load_file(folder_of(root, name) / "model.safetensors"))
    return model.eval().float()


def tower(model, work, positions=None):
    """One tower as a module of one input: [n][3][S][S] pixels, or [n][positions] token ids."""
    import torch

    class Text(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids):
            return self.model.encode_text(ids)

    if work == "image":
        return model.visual
    if positions:
        # Causal attention: what is cut off after the end token changes nothing before it.
        model.positional_embedding = torch.nn.Parameter(model.positional_embedding[:positions])
        for block in model.transformer.resblocks:
            block.attn_mask = block.attn_mask[:positions, :positions]
    return Text()


# --- Inputs ---

def data_lines(pattern):
    """The lines of the repository's data files of this name, each once."""
    data = Path(__file__).resolve().parent.parent / "data"
    return sorted({line for file in data.glob(pattern)
                   for line in file.read_text(encoding="utf-8").splitlines()})


def prompts(tokenize):
    """Token ids of 64 different prompts "a photo of a ...", each of exactly SHORT tokens."""
    names = [name for name in data_lines("classes/imagenet.txt") if name.isalpha()]
    ids = tokenize([f"a photo of a {name}" for name in names]).numpy()
    chosen = ids[(ids != 0).sum(axis=1) == SHORT][:LARGEST_TEXT_BATCH]
    assert len(chosen) == LARGEST_TEXT_BATCH
    return chosen.astype("int32")


def captions(count=10000):
    """Sentences of some 14 tokens that differ: prompts of all lists, two of them joined, a few with
    capitals, accents, numbers and punctuation."""
    templates, names = data_lines("templates/*.txt"), data_lines("classes/*.txt")
    random = numpy.random.default_rng(SEED)
    endings = ["at dawn", "in {} pieces", "by the sea, {}", "near a café", "on a table with a {}",
               "and a {}", "(photo no. {})", "— the artist's own", "behind the {}", "IN THE RAIN"]
    made = []
    for _ in range(count):
        text = random.choice(templates).replace("{}", random.choice(names))
        ending = random.choice(endings)
        fill = random.choice(names) if random.random() < 0.5 else str(random.integers(2, 2000))
        made.append(f"{text.rstrip('.')} {ending.replace('{}', fill)}")
    return made


def make_inputs(root):
    from random_weights import clip
    from PIL import Image
    import pictures
    if (root / "captions.json").exists():
        return
    print("inputs", file=sys.stderr)
    pictures.write_files(root)
    photo = pictures.photograph(9, 1600, 1200)
    random = numpy.random.default_rng(SEED)
    transform = clip.clip._transform(224)
    crops = []
    for _ in range(LARGEST_IMAGE_BATCH + CALIBRATION):
        side = int(random.integers(200, 900))
        x, y = int(random.integers(0, 1600 - side)), int(random.integers(0, 1200 - side))
        crop = photo.crop((x, y, x + side, y + side))
        crop = Image.merge("RGB", [crop.split()[i] for i in random.permutation(3)])
        crops.append(transform(crop).numpy())
    numpy.save(root / "pixels.npy", numpy.stack(crops[:LARGEST_IMAGE_BATCH]))
    numpy.save(root / "calibration.npy", numpy.stack(crops[LARGEST_IMAGE_BATCH:]))
    numpy.save(root / "ids.npy", prompts(clip.tokenize))
    (root / "captions.json").write_text(json.dumps(captions()))


# --- Files of each engine ---

def write_weights(root, name):
    import safetensors.torch
    import torch
    from model_files import torchscript
    from random_weights import clip, randomise
    folder = folder_of(root, name)
    pixels = torch.from_numpy(numpy.load(root / "pixels.npy"))[:8]
    ids = torch.from_numpy(numpy.load(root / "ids.npy"))[:8].long()
    model = randomise(clip.model.CLIP(**SIZES[name]), SEED, pixels, ids, 3.7).eval()
    safetensors.torch.save_file({key: value.contiguous() for key, value in
                                 model.state_dict().items()}, folder / "model.part")
    (folder / "model.part").rename(folder / "model.safetensors")
    if name == "ViT-B/32":
        torchscript(model, folder / "published.pt", pixels, ids)


def write_huggingface(root, name, clipc):
    """In Hugging Face's layout, for the engines that want it."""
    folder = huggingface_folder(root, name)
    folder.mkdir(exist_ok=True)
    subprocess.run([clipc, "convert", "--quiet", "--layout", "huggingface",
                    folder.parent / "model.safetensors", folder / "model.safetensors"], check=True)


def count_flops(module, example):
    """Of one input: multiplications and additions, as PyTorch counts them."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(example)
    return counter.get_total_flops()


def export(root, name, work, positions=None):
    """ONNX and OpenVINO of one tower, float32 and int8; returns its FLOP."""
    import torch
    folder = folder_of(root, name)
    stem = f"{work}-{positions}" if positions else work
    module = tower(load(root, name), work, positions).eval()
    if work == "image":
        example = torch.from_numpy(numpy.load(root / "pixels.npy"))[:2]
        calibration = numpy.load(root / "calibration.npy")
    else:
        calibration = numpy.load(root / "ids.npy")[:CALIBRATION, :positions]
        example = torch.from_numpy(calibration[:2])
    flops = count_flops(module, example[:1])
    _onnx(module, example, folder / f"{stem}.onnx")
    if name != "RN50":
        _onnx_int8(folder / f"{stem}.onnx", folder / f"{stem}-int8.onnx")
    _openvino(module, example, calibration, folder, stem, transformer=name != "RN50")
    return flops


def _onnx(module, example, path):
    import torch
    torch.onnx.export(module, (example,), path, dynamo=True, opset_version=18,
                      input_names=["input"], output_names=["output"],
                      dynamic_shapes=({0: torch.export.Dim("n", min=1, max=1024)},),
                      external_data=True, verbose=False)


def _onnx_int8(path, out):
    from onnxruntime.quantization import QuantType, quantize_dynamic
    # Where 16-bit sums of two products could saturate, weights get seven bits, as its manual says.
    saturates = not cpu_flags() & {"avx512_vnni", "avx_vnni", "asimddp"}
    quantize_dynamic(path, out, weight_type=QuantType.QInt8, reduce_range=saturates,
                     op_types_to_quantize=["MatMul", "Gemm"], use_external_data_format=True,
                     per_channel=True)


def _openvino(module, example, calibration, folder, stem, transformer):
    import nncf
    import openvino
    model = openvino.convert_model(module, example_input=example, input=[[-1, *example.shape[1:]]])
    openvino.save_model(model, folder / f"{stem}.xml", compress_to_fp16=False)
    kind = nncf.ModelType.TRANSFORMER if transformer else None
    dataset = nncf.Dataset([calibration[i:i + 1] for i in range(len(calibration))])
    small = nncf.quantize(model, dataset, model_type=kind, subset_size=len(calibration))
    openvino.save_model(small, folder / f"{stem}-int8.xml", compress_to_fp16=False)


def make(root, name, works, clipc):
    """Whatever of a model is missing. `works`: "image", "text". Returns what there is to know."""
    warnings.filterwarnings("ignore")
    folder = folder_of(root, name)
    folder.mkdir(parents=True, exist_ok=True)
    make_inputs(root)
    if not (folder / "model.safetensors").exists():
        print(f"{name}: weights", file=sys.stderr)
        write_weights(root, name)
    is_vit = SIZES[name]["vision_patch_size"] is not None
    if is_vit and not (huggingface_folder(root, name) / "model.safetensors").exists():
        write_huggingface(root, name, clipc)
    facts_path = folder / "facts.json"
    facts = json.loads(facts_path.read_text()) if facts_path.exists() else {}
    variants = [("image", None)] * ("image" in works) + \
        [("text", None), ("text", SHORT)] * ("text" in works)
    for work, positions in variants:
        key = f"{work}-{positions}" if positions else work
        if key not in facts:
            print(f"{name}: {key} for ONNX Runtime and OpenVINO", file=sys.stderr)
            facts[key] = export(root, name, work, positions)
            facts_path.write_text(json.dumps(facts))
    return facts
