#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The public header, the library's symbols and the manual pages say the same.

    check_api_docs.py [BUILD [REPOSITORY]]

Each function of include/clipc.h stands under a comment (options_init functions are explained once,
at the header's top) and in man/libclipc.3. Where BUILD has been built: the shared library exports
those functions and no others, every symbol of the static one begins with clipc_, and man/clipc.1
has each command and option that the command's own help has.
"""
import re
import subprocess
import sys
from pathlib import Path

from sources import Report, code_only, repository

DECLARATION = re.compile(r"^CLIPC_API\b[^;]*?\b(clipc_\w+)\s*\(", re.MULTILINE)


def declarations(text):
    """{name: line number} of every CLIPC_API function."""
    code = code_only(text)
    return {m.group(1): code.count("\n", 0, m.start()) + 1 for m in DECLARATION.finditer(code)}


def has_comment(lines, number):
    """Whether the unbroken group of lines that ends before line `number` has a comment."""
    for line in reversed(lines[:number - 1]):
        if not line.strip():
            return False
        if line.rstrip().endswith("*/"):
            return True
    return False


def symbols(library, *options):
    """The names that nm lists as defined and global."""
    listing = subprocess.run(["nm", "--defined-only", *options, str(library)], check=True,
                             capture_output=True, text=True).stdout
    fields = (line.split() for line in listing.split("\n"))
    return {f[2].split("@")[0] for f in fields if len(f) == 3 and f[1] in "TDBRVW"}


def check_symbols(report, header, build, declared):
    shared, static = build / "libclipc.so", build / "libclipc.a"
    if shared.exists():
        exported = symbols(shared, "-D")
        for name in sorted(exported - declared.keys()):
            report.fail(header, 1, f"{shared.name} exports {name}, which is not declared here")
        for name in sorted(declared.keys() - exported):
            report.fail(header, declared[name], f"{name} is not in {shared.name}")
    if static.exists():
        for name in sorted(symbols(static, "-g")):
            if not name.startswith("clipc_"):
                report.fail(header, 1, f"{static.name} has the symbol {name}, without clipc_")


def check_manual(report, page, build):
    """man/clipc.1 against what the command says of itself."""
    command = build / "clipc"
    if not command.exists() or not page.exists():
        return
    text = page.read_text(encoding="utf-8").replace("\\-", "-")

    def output(*arguments):
        return subprocess.run([str(command), *arguments], check=True, capture_output=True,
                              text=True).stdout

    listed = output("--help").split("commands:\n")[1].split("\n\n")[0]
    for name in re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE):
        if not re.search(rf"^\.(Cm|Ss|Nm clipc) {name}\b", text, re.MULTILINE):
            report.fail(page, 1, f"the command {name} is missing")
        options = output(name, "--help").split("\noptions:\n")[1].split("\n\n")[0]
        for option in re.findall(r"^ .*?--([a-z-]+)", options, re.MULTILINE):
            if not re.search(rf"\bFl -{option}\b", text):
                report.fail(page, 1, f"the option --{option} of {name} is missing")


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    root = repository(sys.argv[1:])
    report = Report(root)
    header = root / "include/clipc.h"
    text = header.read_text(encoding="utf-8")
    lines = text.split("\n")
    declared = declarations(text)
    page = root / "man/libclipc.3"
    manual = page.read_text(encoding="utf-8")
    for name, number in declared.items():
        if not name.endswith("_options_init") and not has_comment(lines, number):
            report.fail(header, number, f"{name} has no comment")
        if not re.search(rf"\b{name}\b", manual):
            report.fail(page, 1, f"{name} is missing")
    for name in sorted(set(re.findall(r"^\.F[nto] .*?(clipc_\w+)", manual, re.MULTILINE))):
        if not re.search(rf"\b{name}\b", text):
            report.fail(page, 1, f"{name} is not in clipc.h")
    check_symbols(report, header, build, declared)
    check_manual(report, root / "man/clipc.1", build)
    report.exit()


if __name__ == "__main__":
    main()
