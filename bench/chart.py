# SPDX-License-Identifier: MIT
"""The chart of docs/performance.md: each engine's time as a multiple of clipc's, work by work."""
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt, ticker  # noqa: E402

COLOURS = {"clipc": "#111111", "PyTorch": "#d1495b", "ONNX Runtime": "#2e86ab",
           "OpenVINO": "#7b4ea3", "clip.cpp": "#e08e1b", "Pillow": "#3c8d5a",
           "torchvision": "#a65628", "openai/CLIP": "#d1495b", "Hugging Face": "#c9a400",
           "instant-clip-tokenizer": "#5f6b7a", "faster-clip": "#7f7f7f"}
ENCODERS = [("image", "ViT-B/32", 1), ("image", "ViT-B/32", 32), ("image", "ViT-L/14", 1),
            ("image", "RN50", 1), ("image", "RN50", 8), ("text", "ViT-B/32", 1),
            ("text", "ViT-B/32", 64)]
OTHERS = [("tokenizing", {"work": "tokenize"}, "clipc"),
          ("preprocessing, 12 megapixel JPEG", {"work": "preprocess", "picture": "camera.jpg"},
           "clipc"),
          ("preprocessing, 640 x 480 JPEG", {"work": "preprocess", "picture": "web.jpg"}, "clipc"),
          ("start to first probabilities", {"work": "start"}, "clipc f32, safetensors")]


def _rows(results):
    """(label, {engine: ms}, clipc's ms)"""
    threads = max(results.threads)
    for work, model, batch in ENCODERS:
        times = {m["engine"].removesuffix(" f32"): m["median_ms"]
                 for m in results.find(work=work, model=model, batch=batch, threads=threads)
                 if m["precision"] == "f32" and not m["positions"]}
        yield f"{model} {work}, batch {batch}", times, times.get("clipc")
    for label, wanted, own in OTHERS:
        times = {m["engine"].removesuffix(" f32"): m["median_ms"]
                 for m in results.find(**wanted) if not m["engine"].endswith((" bf16", " int8"))}
        yield label, {name: ms for name, ms in times.items() if name in COLOURS}, \
            results.ms(own, **wanted)


def draw(results, path):
    rows = [(label, times, own) for label, times, own in _rows(results) if own and len(times) > 1
            or own and label.startswith("start")]
    plt.rcParams.update({"font.size": 9, "svg.hashsalt": "clipc", "svg.fonttype": "path"})
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.42 * len(rows)))
    seen = {}
    for y, (_, times, own) in enumerate(reversed(rows)):
        values = [ms / own for ms in times.values()] + [1.0]
        axes.plot([min(values), max(values)], [y, y], color="#dddddd", zorder=1, linewidth=2)
        for name, ms in times.items():
            if name == "clipc":
                continue
            seen[name] = axes.scatter(ms / own, y, s=42, color=COLOURS[name], zorder=3,
                                      edgecolor="white", linewidth=0.6)
        seen["clipc"] = axes.scatter(1.0, y, s=60, color=COLOURS["clipc"], zorder=2, marker="D")
    axes.axvline(1.0, color=COLOURS["clipc"], linewidth=0.8, zorder=2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [label for label, _, _ in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xlabel("time as a multiple of clipc's (logarithmic); right of the line is slower")
    axes.grid(axis="x", which="both", color="#eeeeee", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    chip = results.all["chip"]["name"]
    figure.suptitle(f"float32, {max(results.threads)} threads, {chip}, {results.all['date']}",
                    fontsize=9, x=0.02, ha="left")
    figure.legend(seen.values(), seen.keys(), loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.02 + 0.16 / (1 + 0.2 * len(rows)), 1, 0.99))
    figure.savefig(path, metadata={"Date": None} if str(path).endswith(".svg") else None)
