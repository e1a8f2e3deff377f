#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clipc beside the other ways to run CLIP on a CPU: the same weights, turn by turn in one run.

    compare.py                   everything, some 20 minutes on two cores; then report.py
    compare.py --quick           a little of everything: whether it works
    compare.py --models ViT-B/32 --work image text --engines clipc OpenVINO --threads 2

Development only. Makes its own Python environment (--environment) from PyPI by requirements.txt,
and models with random weights in every engine's format (--folder); both are kept for the next time.
Every engine works in a process of its own, one at a time; a round gives each a turn, and a figure
is the median of the turns. What an engine computes is compared with clipc's float32 before it is
timed.

Results go to --output as JSON; report.py makes of them the tables and the chart of
docs/performance.md.

clip.cpp (--clip-cpp) is not in a registry. FOLDER is its source with what was built under it: the
libraries (cmake -DBUILD_SHARED_LIBS=ON), and for starts its example `main` from a static build.
"""
import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import environment

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
PACKAGES = ["torch", "torchvision", "clip-anytorch", "onnxruntime", "openvino", "nncf", "pillow",
            "tokenizers", "instant-clip-tokenizer", "faster-clip", "ftfy", "numpy"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environment", type=Path, default=environment.DEFAULT,
                        metavar="FOLDER", help="of Python packages (default: in build/)")
    parser.add_argument("--folder", type=Path, default=BUILD / "bench", metavar="FOLDER",
                        help="of models and inputs, some 20 GB (default: build/bench)")
    parser.add_argument("--build", type=Path, default=BUILD, metavar="FOLDER",
                        help="where clipc and libclipc.so are (default: build)")
    parser.add_argument("--output", type=Path, metavar="FILE",
                        help="JSON (default: bench/results/DATE-CHIP.json; of a part, "
                        "results.json in --folder)")
    parser.add_argument("--models", nargs="+", metavar="NAME")
    parser.add_argument("--work", nargs="+", metavar="WORK",
                        help="image text classes tokenize preprocess decode resize start")
    parser.add_argument("--engines", nargs="+", metavar="WORD",
                        help="those whose name has one of the words, such as clipc or bf16")
    parser.add_argument("--threads", nargs="+", type=int, default=[2, 1], metavar="N")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of each job's own number")
    parser.add_argument("--classes", type=int, default=1000, metavar="N",
                        help="of ImageNet's, in 80 prompts each (default: 1000)")
    parser.add_argument("--clip-cpp", type=Path, metavar="FOLDER",
                        help="clip.cpp, built")
    parser.add_argument("--emulated", action="store_true",
                        help="bf16 of PyTorch also where the processor has no instruction for it")
    parser.add_argument("--heavy", action="store_true",
                        help="the large models in large batches, too: an hour")
    parser.add_argument("--quick", action="store_true", help="one short round of a few jobs")
    return parser.parse_args()


def chip():
    """What lscpu says of the processor."""
    lines = subprocess.run(["lscpu"], capture_output=True, text=True,
                           env=dict(os.environ, LC_ALL="C")).stdout.splitlines()
    facts = {key.strip(): value.strip()
             for key, _, value in (line.partition(":") for line in lines)}
    flags = set(facts.get("Flags", "").split())
    telling = ["avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16"]
    return {"name": facts.get("Model name", platform.machine()),
            "family": facts.get("CPU family"), "model": facts.get("Model"),
            "cores": os.cpu_count(), "l2": facts.get("L2 cache"), "l3": facts.get("L3 cache"),
            "virtual": "Hypervisor vendor" in facts, "flags": [f for f in telling if f in flags],
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)}


def versions():
    from importlib import metadata
    return {name: metadata.version(name) for name in PACKAGES}


def show(measured, absent):
    for m in measured:
        agreement = f"cosine {m['cosine']:.6f}" if "cosine" in m else \
            f"{m['equal_texts']} of {m['of']} equal" if "of" in m else ""
        memory = f"{m['peak_mib']:.0f} MiB" if "peak_mib" in m else ""
        print(f"    {m['engine']:32} {m['median_ms']:10.2f} ms  {agreement}{memory}", flush=True)
    for a in absent:
        print(f"    {a['engine']:32} {'FAILED' if a['failed'] else 'left out'}: {a['reason']}")


def own_failures(absent):
    """A peer that fails is told in the results; it is clipc's failures that fail the run."""
    return [f"{a['engine']}: {a['reason']}" for a in absent
            if a["failed"] and a["engine"].startswith("clipc")]


def run(options, root, save, results):
    """Goes through the list; results are written after each, so that a stop loses little."""
    import models
    import starts
    import turns
    import workloads
    chosen = workloads.chosen(options)
    needed = {}
    for workload in chosen:
        needed.setdefault(workload.model, set()).add(workload.work)
    if "start" in options.work:
        needed.setdefault(starts.MODEL, set()).update(("image", "text"))
    for name, works in sorted(needed.items()):
        results["models"][name] = models.make(root, name, works, options.clipc)
    common = {"root": str(root), "library": str((options.build / "libclipc.so").resolve()),
              "clip_cpp": options.clip_cpp and str(options.clip_cpp.resolve()),
              "forced": options.emulated}
    started = time.monotonic()
    results["ceilings"] = [line for threads in sorted(set(options.threads))
                           for line in ceilings_of(root, threads)]
    workers = turns.Workers(root / "engines.log")
    failures = []
    last = None
    try:
        for workload in chosen:
            if last and (workload.model, workload.work) != last:
                workers.forget()
            last = workload.model, workload.work
            print(workload.name, flush=True)
            measured, absent = turns.take(workers, workload, common)
            keep(results, workload.name, measured, absent, save)
            failures += own_failures(absent)
    finally:
        workers.close()
    if "start" in options.work:
        print("start to first probabilities", flush=True)
        measured, absent = starts.take(options, root, options.rounds or (1 if options.quick else 5))
        keep(results, "start", measured, absent, save)
        failures += own_failures(absent)
    results["seconds"] = round(time.monotonic() - started)
    save(results)
    return failures


def output_of(options, results):
    """Where the results go: a complete run's into the repository, by date and processor."""
    part = options.quick or options.rounds or options.engines or \
        options.models or options.work
    if options.output or part:
        return options.output or options.folder / "results.json"
    chip_name = "{name} {family} {model}".format(**results["chip"]).lower()
    words = re.sub("[^a-z0-9]+", "-", chip_name)
    return HERE / "results" / f"{results['date']}-{words}.json"


def as_lines(results):
    """JSON with one line a figure, as files of results are compared line by line."""
    parts = []
    for key, value in results.items():
        items = ",\n  ".join(map(json.dumps, value)) if isinstance(value, list) else None
        text = f"[\n  {items}\n ]" if items else json.dumps(value)
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def ceilings_of(root, threads):
    import ceilings
    return ceilings.measure(root, threads)


def keep(results, name, measured, absent, save):
    show(measured, absent)
    results["measurements"] += measured
    results["absent"] += [dict(a, job=name) for a in absent]
    save(results)


def main():
    options = arguments()
    environment.enter(options.environment)
    import workloads
    options.clipc = options.build / "clipc"
    root = options.folder.resolve()
    root.mkdir(parents=True, exist_ok=True)
    own = json.loads(subprocess.run([options.clipc, "version", "--json"], check=True,
                                    capture_output=True).stdout)
    results = {"date": datetime.date.today().isoformat(), "chip": chip(), "clipc": own,
               "python": platform.python_version(), "versions": versions(),
               "quick": options.quick, "models": {}, "ceilings": [], "measurements": [],
               "absent": []}

    output = output_of(options, results)
    output.parent.mkdir(parents=True, exist_ok=True)
    options.models = options.models or workloads.MODELS
    options.work = options.work or workloads.WORKS

    def save(current):
        output.write_text(as_lines(current))

    failures = run(options, root, save, results)
    print(f"{output}: {len(results['measurements'])} figures in {results['seconds']} s")
    for failure in failures:
        print(f"FAILED  {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
