#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The arrows of the architecture: which folder of src/ may include which, and no cycles.

    check_includes.py [REPOSITORY]

    base <- {image, text, checkpoint, compute} <- model <- {train, tasks} <- cli
    base <- hub

The four in braces do not know each other. The command uses the public header alone. What is written
for one instruction set or device is known inside compute/kernels/ and image/kernels/ only.
"""
import re
import sys

from sources import Report, files, repository

INNER = ["image", "text", "checkpoint", "compute"]
BELOW_TASKS = ["base", "model", "hub", *INNER]
MAY_INCLUDE = {
    "base": [],
    "image": ["base"],
    "text": ["base"],
    "checkpoint": ["base"],
    "compute": ["base"],
    "hub": ["base"],
    "model": ["base", *INNER],
    "train": BELOW_TASKS,
    "tasks": BELOW_TASKS,
    "cli": [],
}
# Embedded data has no folder in src/; the command gets it through the API.
EMBEDDED = "embedded"
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<(clipc[^>]*)>)')
KERNELS = re.compile(r"^((?:compute|image)/kernels/)[^/]+/")


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def check_file(report, src, path):
    name = path.relative_to(src).as_posix()
    folder = name.split("/")[0]
    if folder not in MAY_INCLUDE:
        report.fail(path, 1, f"{folder}/ has no place in the order of folders; give it one here")
        return
    for number, own, _ in includes(path):
        if own is None:
            continue
        target = own.split("/")[0]
        if own.startswith("clipc"):
            report.fail(path, number, f"<{own}>, as users include it")
        elif target == EMBEDDED:
            if folder == "cli":
                report.fail(path, number, "the command gets embedded data through the API")
        elif not (src / own).is_file():
            report.fail(path, number, f"{own}: expected a path from src/")
        elif target != folder and target not in MAY_INCLUDE[folder]:
            report.fail(path, number, f"{folder}/ may not include {own}")
        kernels = KERNELS.match(own)
        if kernels and not name.startswith(kernels.group(1)):
            report.fail(path, number, f"{own} is known inside {kernels.group(1)} only")


def check_cycles(report, src, paths):
    graph = {p.relative_to(src).as_posix(): [own for _, own, _ in includes(p) if own]
             for p in paths if p.suffix == ".h"}
    done = set()

    def visit(name, trail):
        if name in trail:
            cycle = " -> ".join([*trail[trail.index(name):], name])
            report.fail(src / name, 1, f"a cycle: {cycle}")
        elif name in graph and name not in done:
            for target in graph[name]:
                visit(target, [*trail, name])
            done.add(name)

    for name in graph:
        visit(name, [])


def main():
    root = repository(sys.argv)
    report = Report(root)
    src = root / "src"
    paths = files(root, ["src"], [".c", ".h"])
    for path in paths:
        check_file(report, src, path)
    check_cycles(report, src, paths)
    for path in files(root, ["examples"], [".c", ".h"]):
        for number, own, _ in includes(path):
            if own:
                report.fail(path, number, f"{own}: an example includes <clipc.h> alone")
    report.exit()


if __name__ == "__main__":
    main()
