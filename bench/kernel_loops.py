#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the inner loops of the matrix kernels cost on paper: for each tile of rows, the cycles of one
step of the depth by llvm-mca's model of a processor, next to what its multipliers alone would need.

    kernel_loops.py [--cpu znver4] [--level avx512] [--show PRODUCTS] BUILD

BUILD is a build folder; objdump and llvm-mca (Debian: llvm-16, as llvm-mca-16) are needed. Caches are
not in the model, so this tells what a panel in the first-level cache allows, and whether the compiler
kept the sums in registers.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

PRODUCTS = re.compile(r"^(vfmadd\w*ps|vdpbf16ps|vpdpbusd|vpmaddwd)\b")
REPETITIONS = 200


def instructions(path):
    """(address, text) of every instruction of an object, and its symbols by address."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True,
                             capture_output=True, text=True).stdout
    found = []
    for line in listing.splitlines():
        match = re.match(r"\s+([0-9a-f]+):\s+(\S.*?)\s*$", line)
        if match:
            found.append((int(match[1], 16), re.sub(r"\s+", " ", match[2])))
    return found


def product_loops(code):
    """The innermost loops that multiply, by the rows of their tile."""
    index = {address: i for i, (address, _) in enumerate(code)}
    loops = {}
    for end, (address, text) in enumerate(code):
        match = re.match(r"j\w+ ([0-9a-f]+)\b", text)
        start = index.get(int(match[1], 16)) if match else None
        if start is None or start > end:
            continue
        body = [text for _, text in code[start:end + 1]]
        if any(re.match(r"(j|ret|call)", text) for text in body[:-1]):
            continue
        products = [text for text in body if PRODUCTS.match(text)]
        if products:
            loops.setdefault(len(products), body)
    return loops


def cycles_per_pass(body, cpu, mca):
    """Cycles of one pass through a loop, and the most loaded resources."""
    source = "\n".join(re.sub(r"^(j\w+) .*", r"\1 1b", re.sub(r"<.*>", "", text)) for text in body)
    report = subprocess.run(
        [mca, f"-mcpu={cpu}", "-mtriple=x86_64", f"-iterations={REPETITIONS}",
         "-instruction-info=false"],
        input="1:\n" + source + "\n", check=True, capture_output=True, text=True).stdout
    return int(re.search(r"Total Cycles:\s+(\d+)", report)[1]) / REPETITIONS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--cpu", default="znver4", help="a processor that llvm-mca knows")
    parser.add_argument("--level", default="avx512", choices=["avx2", "avx512"])
    parser.add_argument("--per-cycle", type=float, default=1.0, help="its products a cycle")
    parser.add_argument("--show", type=int, metavar="PRODUCTS", help="print this loop instead")
    options = parser.parse_args()
    mca = shutil.which("llvm-mca-19") or shutil.which("llvm-mca")
    if not mca:
        sys.exit("kernel_loops: llvm-mca is missing; Debian has it in llvm-16")
    objects = sorted(options.build.glob(
        f"src/CMakeFiles/clipc_objects.dir/compute/kernels/x86/{options.level}_*.c.o"))
    for path in objects:
        for products, body in sorted(product_loops(instructions(path)).items()):
            if options.show == products:
                print(path.name, *body, sep="\n    ")
            elif not options.show:
                cycles = cycles_per_pass(body, options.cpu, mca)
                ideal = products / options.per_cycle
                print(f"{path.name:20}{products:4} products {len(body):4} instructions "
                      f"{cycles:7.1f} cycles, {100 * ideal / cycles:4.0f} % of the multipliers")


if __name__ == "__main__":
    main()
