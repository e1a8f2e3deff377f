# SPDX-License-Identifier: MIT
"""Whole processes, from their start to the first probabilities: wall clock and peak memory.

ViT-B/32, a JPEG of 640x480 and one text. Files are in the page cache, as at a second start.
"""
import statistics
import subprocess
import sys
from pathlib import Path

import environment
from models import BF16_FLAGS, cpu_flags, folder_of

HERE = Path(__file__).resolve().parent
MEASURE = HERE.parent / "tests" / "reference" / "measure.py"
MODEL, PICTURE, TEXT = "ViT-B/32", "web.jpg", "a photo of a dog"
# Engine -> arguments of start.py.
PEERS = {
    "PyTorch f32": ("pytorch", "f32"),
    "ONNX Runtime f32": ("onnxruntime", "f32"), "ONNX Runtime int8": ("onnxruntime", "int8"),
    "OpenVINO f32": ("openvino", "f32"), "OpenVINO bf16": ("openvino", "bf16"),
    "OpenVINO int8": ("openvino", "int8"),
}


def clipc_commands(options, folder, picture):
    """By the file that is opened: what OpenAI published, float32 safetensors, clipc's own."""
    published, plain = folder / "published.pt", folder / "model.safetensors"
    for precision in ("f32", "bf16", "int8"):
        own = folder / f"model-{precision}.clipc"
        converted = subprocess.run([options.clipc, "convert", plain, own, "--dtype", precision],
                                   capture_output=True)
        files = {"TorchScript": published, "safetensors": plain}
        if converted.returncode == 0:
            files["own file"] = own
        for kind, path in files.items():
            yield f"clipc {precision}, {kind}", [
                options.clipc, "classify", "-m", path, "--dtype", precision, "-j",
                max(options.threads), "--json", picture, TEXT]


def clip_cpp_commands(options, folder, picture):
    """Its example program, where the named folder has it and its models were made before."""
    program = next(iter(sorted(options.clip_cpp.rglob("bin/main"))), None)
    for precision, name in (("f32", "model.gguf"), ("int8", "model-int8.gguf")):
        if program and (folder / name).exists():
            yield f"clip.cpp {precision}", [program, "--model", folder / name, "--image", picture,
                                            "--text", TEXT, "--threads", max(options.threads)]


def commands(options, root):
    folder, picture = folder_of(root, MODEL), root / PICTURE
    made = dict(clipc_commands(options, folder, picture))
    for name, (engine, precision) in PEERS.items():
        if precision == "bf16" and not cpu_flags() & BF16_FLAGS:
            continue
        made[name] = [sys.executable, HERE / "start.py", engine, folder, picture,
                      max(options.threads), precision, TEXT]
    if options.clip_cpp:
        made.update(clip_cpp_commands(options, folder, picture))
    return {name: [str(word) for word in words] for name, words in made.items()
            if not options.engines or any(word in name for word in options.engines)}


def once(words, measures, threads):
    """(seconds, MiB), or the last line of its complaint."""
    done = subprocess.run([sys.executable, "-S", MEASURE, measures, *words], capture_output=True,
                          text=True, env=environment.variables(threads))
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[-1]
    seconds, mebibytes = measures.read_text().split()
    return float(seconds), float(mebibytes)


def take(options, root, rounds):
    """The same two lists as turns.take."""
    runs, absent = {}, []
    wanted = commands(options, root)
    # One untimed round: files and libraries come into the page cache, and who cannot run is found.
    for name, words in list(wanted.items()):
        first = once(words, root / "measures", max(options.threads))
        if isinstance(first, str):
            absent.append({"engine": name, "reason": first[:300], "failed": "clipc" not in name})
            del wanted[name]
    for _ in range(rounds):
        for name, words in wanted.items():
            runs.setdefault(name, []).append(
                once(words, root / "measures", max(options.threads)))
    return [{"work": "start", "model": MODEL, "threads": max(options.threads), "engine": name,
             "rounds": rounds, "median_ms": 1e3 * statistics.median(s for s, _ in pairs),
             "min_ms": 1e3 * min(s for s, _ in pairs),
             "peak_mib": statistics.median(m for _, m in pairs)}
            for name, pairs in runs.items()], absent
