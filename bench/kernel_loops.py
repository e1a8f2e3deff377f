#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the inner loops of the matrix kernels cost on paper: for each tile of rows, the cycles of
one pass by llvm-mca's model of a processor, and whether the compiler kept the sums in registers.

    kernel_loops.py [--level avx512|avx2] [--cpu CPU] [--show PRODUCTS] BUILD

BUILD is a build folder; objdump and llvm-mca (Debian: llvm-19) are needed. Caches are not in the
model: this is what a panel in the first-level cache allows. LLVM's model of Zen 4 (znver4, in 16
and in 19) does not serve here: it charges two to four cycles for a vpdpbusd of registers and the
multipliers for a broadcast from memory, where the chip does one product a cycle beside its loads.
That of icelake-server in 19 has one float32 product a cycle, as Zen 4 has.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

PRODUCTS = re.compile(r"(vfmadd\w*ps|vdpbf16ps|vpdpbusd|vpmaddwd)\b")
PASSES = 200
PROCESSORS = {"avx2": "znver3", "avx512": "icelake-server"}


def instructions(path):
    """(address, text) of every instruction of an object's product."""
    listing = subprocess.run(["objdump", "--disassemble=multiply", "--no-show-raw-insn", path],
                             check=True, capture_output=True, text=True).stdout
    found = re.finditer(r"^\s+([0-9a-f]+):\s+(\S.*?)\s*$", listing, re.MULTILINE)
    return [(int(match[1], 16), re.sub(r"\s+", " ", match[2])) for match in found]


def product_loops(code):
    """The innermost loops that multiply, by the number of their products."""
    index = {address: i for i, (address, _) in enumerate(code)}
    loops = {}
    for end, (_, text) in enumerate(code):
        match = re.match(r"j\w+ ([0-9a-f]+)\b", text)
        start = index.get(int(match[1], 16)) if match else None
        if start is None or start > end:
            continue
        body = [text for _, text in code[start:end + 1]]
        products = sum(bool(PRODUCTS.match(text)) for text in body)
        if products and not any(re.match(r"j|ret|call", text) for text in body[:-1]):
            loops.setdefault(products, body)
    return loops


def cycles_per_pass(body, cpu, mca):
    """What llvm-mca makes of a loop."""
    source = [re.sub(r"^(j\w+) .*", r"\1 1b", re.sub(r"<.*>", "", text)) for text in body]
    report = subprocess.run(
        [mca, f"-mcpu={cpu}", "-mtriple=x86_64", f"-iterations={PASSES}",
         "-instruction-info=false"],
        input="\n".join(["1:", *source, ""]), check=True, capture_output=True, text=True).stdout
    return int(re.search(r"Total Cycles:\s+(\d+)", report)[1]) / PASSES


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--level", default="avx512", choices=sorted(PROCESSORS))
    parser.add_argument("--cpu", help="a processor that llvm-mca knows")
    parser.add_argument("--show", type=int, metavar="PRODUCTS", help="print these loops instead")
    options = parser.parse_args()
    names = [f"llvm-mca{version}" for version in ("-19", "-18", "-17", "-16", "")]
    mca = next(filter(None, map(shutil.which, names)), None)
    if not mca:
        sys.exit("kernel_loops: llvm-mca is missing; Debian has it in llvm-19")
    cpu = options.cpu or PROCESSORS[options.level]
    folder = options.build / "src/CMakeFiles/clipc_objects.dir/compute/kernels/x86"
    for path in sorted(folder.glob(f"{options.level}_*.c.o")):
        for products, body in sorted(product_loops(instructions(path)).items()):
            if options.show:
                if options.show == products:
                    print(path.name, *body, sep="\n    ")
                continue
            cycles = cycles_per_pass(body, cpu, mca)
            on_stack = sum("(%rsp" in text or "(%rbp" in text for text in body)
            print(f"{path.name:18}{products:4} products {len(body):4} instructions {on_stack:3} on "
                  f"the stack {cycles:6.1f} cycles {products / cycles:6.2f} products a cycle")


if __name__ == "__main__":
    main()
