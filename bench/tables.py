# SPDX-License-Identifier: MIT
"""The tables that report.py writes into pages: each a function of one run's results."""
import json
from pathlib import Path

PRECISIONS = {"f32": "float32", "bf16": "bfloat16", "int8": "int8"}
PICTURES = {"camera.jpg": "JPEG, 4000 x 3000", "web.jpg": "JPEG, 640 x 480",
            "screen.png": "PNG, 1024 x 768"}
# What the project set itself, with the most threads of a run: ratio to the fastest peer of that
# precision, and share of the processor's ceiling.
AIMS = [
    ("image", "ViT-B/32", 1, "f32", 1.4, 0.85), ("image", "ViT-B/32", 1, "bf16", 1.3, 0.80),
    ("image", "ViT-B/32", 1, "int8", 1.25, 0.68),
    ("image", "ViT-B/32", 32, "f32", 1.2, 0.90), ("image", "ViT-B/32", 32, "bf16", 1.15, 0.87),
    ("image", "ViT-B/32", 32, "int8", 1.1, 0.75),
    ("image", "ViT-L/14", 1, "f32", 1.25, None), ("image", "ViT-L/14", 1, "bf16", 1.15, None),
    ("image", "RN50", 1, "f32", 1.15, None), ("image", "RN50", 1, "bf16", 1.1, None),
    ("image", "RN50", 8, "f32", 1.15, None), ("image", "RN50", 8, "bf16", 1.1, None),
    ("text", "ViT-B/32", 1, "f32", 5.0, None), ("text", "ViT-B/32", 64, "f32", 7.0, None),
]
# Of the rest: what, which engine is to be beaten, whose time is ours, the aim; see other_aims().
OTHER_AIMS = [
    ("80 x 1000 prompts", "fastest", dict(work="classes"), "clipc f32", 14.0),
    ("preprocessing, 640 x 480 JPEG", "Pillow", dict(work="preprocess", picture="web.jpg"),
     "clipc", 2.7),
    ("preprocessing, 12 megapixels", "Pillow", dict(work="preprocess", picture="camera.jpg"),
     "clipc", 2.3),
    ("resize alone, 12 megapixels", "Pillow", dict(work="resize", picture="camera.jpg"),
     "clipc", 8.0),
    ("resize alone, 12 megapixels", "torchvision", dict(work="resize", picture="camera.jpg"),
     "clipc", 1.2),
    ("tokenizing, one thread", "fastest", dict(work="tokenize"), "clipc", 2.5),
    ("tokenizing, one thread", "openai/CLIP", dict(work="tokenize"), "clipc", 80.0),
    ("start to first probabilities", "PyTorch f32", dict(work="start"), "clipc f32", 40.0),
    ("start to first probabilities", "clip.cpp f32", dict(work="start"), "clipc f32", 2.0),
    ("text, batch 1, shortened peers", "shortened", dict(work="text", batch=1), "clipc f32", 1.3),
    ("text, batch 64, shortened peers", "shortened", dict(work="text", batch=64), "clipc f32", 1.3),
]


class Results:
    """One run; measurements are found by what they measured."""

    def __init__(self, path):
        self.all = json.loads(Path(path).read_text())
        self.measurements = self.all["measurements"]
        self.threads = sorted({m["threads"] for m in self.measurements}, reverse=True)

    def find(self, **wanted):
        return [m for m in self.measurements
                if all(m.get(key) == value for key, value in wanted.items())]

    def ms(self, engine, **wanted):
        found = self.find(engine=engine, **wanted)
        return found[0]["median_ms"] if found else None

    def ceiling(self, precision, threads):
        for line in self.all["ceilings"]:
            if (line["dtype"], line["threads"]) == (precision, threads):
                return line["gflops"]
        return None

    def share(self, model, work, batch, precision, threads, ms):
        """Of the ceiling, counting what the model's definition asks for."""
        flops, ceiling = self.all["models"].get(model, {}).get(work), \
            self.ceiling(precision, threads)
        return 1e-6 * flops * batch / ms / ceiling if flops and ceiling and ms else None


# --- Forms ---

def table(head, rows):
    lines = [head, ["---"] * len(head)] + rows
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def number(value, digits=3):
    """Three significant digits, without an exponent; a dash for what was not measured."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, digits - len(str(int(value))))}f}"


def ratio(theirs, ours):
    return f"{theirs / ours:.2f}" if theirs and ours else "-"


def percent(share):
    return f"{100 * share:.0f} %" if share else "-"


def in_words(count):
    return {1: "one thread", 2: "two threads"}.get(count, f"{count} threads")


def of_precision(measured, precision):
    """{engine without its precision: ms}, in the order measured."""
    return {m["engine"].replace(f" {precision}", ""): m["median_ms"] for m in measured
            if m["precision"] == precision}


def fastest(times):
    """(name, ms) of the fastest peer."""
    peers = {name: ms for name, ms in times.items() if not name.startswith("clipc")}
    return min(peers.items(), key=lambda item: item[1]) if peers else (None, None)


# --- Tables ---

def setup(results):
    own, chip = results.all, results.all["chip"]
    versions = ", ".join(f"{name} {version}" for name, version in own["versions"].items())
    ceilings = ", ".join(
        f"{line['dtype']} {line['gflops']:.0f} with {in_words(line['threads'])}"
        for line in own["ceilings"])
    instructions = "; ".join(sorted({f"{line['dtype']}: {line['instructions']}"
                                     for line in own["ceilings"] if line.get("instructions")}))
    kind = "virtual, shared with others" if chip["virtual"] else "a machine of its own"
    build = own["clipc"]
    rows = [
        ["date", own["date"]],
        ["processor", f"{chip['name']}, family {chip['family']}, model {chip['model']}, "
                      f"{chip['cores']} cores, {' '.join(chip['flags'])}; {kind}"],
        ["memory", f"{chip['memory_gib']} GiB; L2 {chip['l2']}, L3 {chip['l3']}"],
        ["clipc", f"{build['version']}, kernels {build['cpu']}, {build['compiler']}"],
        ["peers", f"Python {own['python']}, {versions}"],
        ["ceilings, GFLOP/s", f"{ceilings} ({instructions})" if ceilings else "not measured"]]
    return table(["", ""], rows)


def _encoder_tables(results, work, keep):
    parts = []
    for threads in results.threads:
        for precision, name in PRECISIONS.items():
            measured = [m for m in results.find(work=work, threads=threads, precision=precision)
                        if keep(m)]
            engines = list(of_precision(measured, precision))
            if not engines:
                continue
            rows = []
            for model, batch in dict.fromkeys((m["model"], m["batch"]) for m in measured):
                times = of_precision([m for m in measured
                                      if (m["model"], m["batch"]) == (model, batch)], precision)
                ours = times.get("clipc")
                share = results.share(model, work, batch, precision, threads, ours)
                rows.append([model, str(batch)] + [number(times.get(e)) for e in engines] +
                            [ratio(fastest(times)[1], ours)] +
                            ([percent(share)] if work == "image" else []))
            head = ["model", "batch", *engines, "fastest peer / clipc"] + \
                (["clipc's share of the ceiling"] if work == "image" else [])
            parts.append(f"{name}, {in_words(threads)}, milliseconds a batch:\n\n" +
                         table(head, rows))
    return "\n".join(parts)


def image(results):
    return _encoder_tables(results, "image", lambda m: True)


def text(results):
    """As people run them: at 77 positions, but for clip.cpp."""
    return _encoder_tables(results, "text", lambda m: not m["positions"])


def shortened(results):
    return _encoder_tables(results, "text", lambda m: m["positions"] or m["engine"][:5] == "clipc")


def peers_of_classes(results):
    """(engine, ms of all prompts) of each peer: its batch of 64, times the number of batches."""
    prompts = max((m["batch"] for m in results.find(work="classes")), default=0)
    for m in results.find(work="text", batch=64, threads=max(results.threads)):
        if not m["engine"].startswith("clipc") and not m["positions"]:
            yield m["engine"], m["median_ms"] * prompts / 64


def classes(results):
    own = results.find(work="classes")
    rows = [[m["engine"], number(1e-3 * m["median_ms"]), "measured"] for m in own]
    rows += [[name, number(1e-3 * ms), "from 64 prompts"] for name, ms in peers_of_classes(results)]
    return table([f"{own[0]['batch']:,} prompts" if own else "", "seconds", ""], rows)


def tokenize(results):
    measured = results.find(work="tokenize")
    ours = results.ms("clipc", work="tokenize")
    return table(
        ["", "captions a second", "its time / clipc's", "same ids as clipc"],
        [[m["engine"], number(1e3 * m["batch"] / m["median_ms"]), ratio(m["median_ms"], ours),
          f"{m['equal_texts']:,} of {m['of']:,}" if "of" in m else ""] for m in measured])


def preprocess(results):
    works = {"preprocess": "whole", "decode": "decode alone", "resize": "resize alone"}
    rows = []
    for picture, kind in PICTURES.items():
        for work, name in works.items():
            times = {m["engine"]: m["median_ms"] for m in results.find(work=work, picture=picture)}
            ours = times.get("clipc")
            if times:
                rows.append([kind, name] + [number(times.get(e)) for e in
                                            ("clipc", "Pillow", "torchvision")] +
                            [ratio(times.get(e), ours) for e in ("Pillow", "torchvision")])
    return table(["picture", "", "clipc, ms", "Pillow, ms", "torchvision, ms", "Pillow / clipc",
                  "torchvision / clipc"], rows)


def start(results):
    measured = results.find(work="start")
    own = [m["median_ms"] for m in measured if m["engine"].startswith("clipc f32")]
    return table(
        ["", "seconds", "peak memory, MiB", "its time / clipc's best in f32"],
        [[m["engine"], f"{1e-3 * m['median_ms']:.2f}", f"{m['peak_mib']:.0f}",
          ratio(m["median_ms"], min(own, default=None))] for m in measured])


def agreement(results):
    """The smallest cosine to clipc's float32 of each engine, over all that it computed."""
    rows = {}
    for m in results.measurements:
        if "cosine" in m and m["work"] in ("image", "text"):
            name = m["engine"].removesuffix(", shortened")
            key = name, m["work"]
            rows[key] = min(rows.get(key, 1.0), m["cosine"])
    names = dict.fromkeys(name for name, _ in rows)
    form = lambda value: "-" if value is None else f"{value:.6f}"  # noqa: E731
    return table(["", "pictures", "texts"],
                 [[name, form(rows.get((name, "image"))), form(rows.get((name, "text")))]
                  for name in names])


def absent(results):
    reasons = {}
    for a in results.all["absent"]:
        name = a["engine"].removesuffix(", shortened")
        if "--clip-cpp" not in a["reason"]:
            reasons.setdefault((name, a["reason"]), []).append(a["job"])
    everywhere = lambda jobs: "; ".join(dict.fromkeys(jobs)) if len(jobs) < 3 else \
        f"{len(jobs)} jobs"  # noqa: E731
    return "\n".join(f"- {name}: {reason} ({everywhere(jobs)})"
                     for (name, reason), jobs in reasons.items()) + "\n"


def other_aims(results):
    """The rest of the aims; with "fastest" and "shortened" the fastest of those peers counts."""
    for label, peer, wanted, engine, aim in OTHER_AIMS:
        found = results.find(**wanted)
        if wanted["work"] == "text":
            found = [m for m in found if m["threads"] == max(results.threads) and
                     m["precision"] == "f32" and (m["positions"] or m["engine"] == engine)]
        times = {m["engine"]: m["median_ms"] for m in found}
        if wanted["work"] == "classes":
            times.update(peers_of_classes(results))
        ours = min((ms for name, ms in times.items() if name.startswith(engine)), default=None)
        name, theirs = fastest(times) if peer in ("fastest", "shortened") \
            else (peer, times.get(peer))
        name = name and name.removesuffix(", shortened")
        yield [label, f"{name} {number(theirs)}" if theirs else "-", number(ours),
               ratio(theirs, ours), f"{aim:.2f}", "", ""]


def aims(results):
    rows, threads = [], max(results.threads)
    for work, model, batch, precision, wanted, wanted_share in AIMS:
        measured = [m for m in results.find(work=work, model=model, batch=batch, threads=threads)
                    if not m["positions"]]
        times = of_precision(measured, precision)
        ours, (peer, theirs) = times.get("clipc"), fastest(times)
        share = results.share(model, work, batch, precision, threads, ours)
        rows.append([f"{model} {work}, batch {batch}, {precision}",
                     f"{peer} {number(theirs)}" if peer else "none measured", number(ours),
                     ratio(theirs, ours), f"{wanted:.2f}",
                     percent(share) if wanted_share else "", percent(wanted_share)
                     if wanted_share else ""])
    rows += other_aims(results)
    return table([f"{in_words(threads)}", "fastest peer, ms", "clipc, ms", "ratio", "aim",
                  "share of the ceiling", "aim"], rows)


def summary(results):
    """The README's few lines: float32, the most threads."""
    rows, threads = [], max(results.threads)
    for work, model, batch in (("image", "ViT-B/32", 1), ("image", "ViT-B/32", 32),
                               ("image", "ViT-L/14", 1), ("image", "RN50", 1),
                               ("image", "RN50", 8), ("text", "ViT-B/32", 1),
                               ("text", "ViT-B/32", 64)):
        times = of_precision([m for m in results.find(work=work, model=model, batch=batch,
                                                      threads=threads) if not m["positions"]],
                             "f32")
        ours, (peer, theirs) = times.get("clipc"), fastest(times)
        rows.append([f"{model}, {work}", str(batch), number(ours), number(times.get("PyTorch")),
                     f"{number(theirs)} ({peer})" if peer else "-", ratio(theirs, ours)])
    return table(["", "batch", "clipc, ms", "PyTorch, ms", "fastest peer, ms",
                  "times faster than it"], rows)


TABLES = {f.__name__: f for f in (setup, image, text, shortened, classes, tokenize, preprocess,
                                  start, agreement, absent, aims, summary)}
