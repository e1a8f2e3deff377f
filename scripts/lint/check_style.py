#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bounds that no formatter watches: lengths, banned calls, first lines, names.

    check_style.py [REPOSITORY]

Warns: a function over 60 lines, a file over 600. Fails: a function over 120, a file over 1000
(generated tables aside: "generated" in the opening comment); calls that overflow; output and exit
in the library; a missing SPDX line or purpose comment; tabs, trailing blanks, lines over 100
columns; a function that other files can see without the prefix clipc_.
"""
import re
import sys

from sources import Report, code_only, files, repository

FUNCTION_WARNS, FUNCTION_FAILS = 60, 120
FILE_WARNS, FILE_FAILS = 600, 1000
COLUMNS = 100

FOLDERS = ["src", "include", "tests", "examples", "cmake", "scripts", "data", "models", "bench",
           "python", ".ci", "completion"]
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|alloca)\s*\(")
NOT_IN_LIBRARY = re.compile(
    r"\b(exit|_exit|_Exit|quick_exit|abort|v?f?printf|v?dprintf|puts|putchar|perror)\s*\("
    r"|\b(stdout|stderr)\b")
IDENTIFIER_CALL = re.compile(r"\b([A-Za-z_]\w*)\s*\(")


def check_lines(report, path, lines):
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            report.fail(path, number, "a tab")
        if line != line.rstrip():
            report.fail(path, number, "blanks at the line's end")
        if len(line) > COLUMNS:
            report.fail(path, number, f"{len(line)} columns, at most {COLUMNS}")


def check_opening(report, path, lines):
    """The SPDX line first (after a #! line), then a comment that says what the file is for."""
    start = 1 if lines and lines[0].startswith("#!") else 0
    c_file = path.suffix in (".c", ".h")
    spdx = "/* SPDX-License-Identifier: MIT */" if c_file else "# SPDX-License-Identifier: MIT"
    if len(lines) <= start or lines[start] != spdx:
        report.fail(path, start + 1, f"expected {spdx}")
        return
    following = lines[start + 1] if len(lines) > start + 1 else ""
    opens = ("/*",) if c_file else ('"""', "#") if path.suffix == ".py" else ("#",)
    if not following.startswith(opens):
        report.fail(path, start + 2, "expected a comment that says what the file is for")


def functions(code_lines):
    """(name, is static, first line, last line), as clang-format leaves them: braces in column 0."""
    opening = None
    for index, line in enumerate(code_lines):
        if line.rstrip() == "{":
            start = index
            while start > 0 and code_lines[start - 1].strip() and \
                    not code_lines[start - 1].startswith(("}", "#")) and \
                    not code_lines[start - 1].rstrip().endswith(";"):
                start -= 1
            header = " ".join(code_lines[start:index])
            header = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", header)
            call = IDENTIFIER_CALL.search(header)
            opening = (call.group(1), "static" in header.split(), start + 1) if call else None
        elif line.startswith("}") and opening:
            yield (*opening, index + 1)
            opening = None


def check_c(report, path, text, in_library, in_src):
    code = code_only(text)
    for number, line in enumerate(code.split("\n"), 1):
        for match in BANNED.finditer(line):
            report.fail(path, number, f"{match.group(1)} is banned")
        if in_library:
            for match in NOT_IN_LIBRARY.finditer(line):
                name = match.group(1) or match.group(2)
                report.fail(path, number, f"{name}: the library neither prints nor exits")
    for name, static, first, last in functions(code.split("\n")):
        length = last - first + 1
        if length > FUNCTION_FAILS:
            report.fail(path, first, f"{name} has {length} lines, at most {FUNCTION_FAILS}")
        elif length > FUNCTION_WARNS:
            report.warn(path, first, f"{name} has {length} lines, better {FUNCTION_WARNS}")
        if in_src and not static and not name.startswith("clipc_") and name != "main":
            report.fail(path, first, f"{name} is seen by other files: static, or clipc_{name}")


def check_length(report, path, lines):
    generated = any("generated" in line.lower() for line in lines[:5])
    if generated:
        return
    if len(lines) > FILE_FAILS:
        report.fail(path, 1, f"{len(lines)} lines, at most {FILE_FAILS}")
    elif len(lines) > FILE_WARNS:
        report.warn(path, 1, f"{len(lines)} lines, better {FILE_WARNS}")


def main():
    root = repository(sys.argv)
    report = Report(root)
    endings = [".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt"]
    paths = files(root, FOLDERS, endings)
    paths += [p for p in (root / "CMakeLists.txt", root / ".ci/run") if p.exists()]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        lines = text.removesuffix("\n").split("\n")
        if not text.endswith("\n") or text.endswith("\n\n"):
            report.fail(path, len(lines), "expected one line feed at the end")
        check_lines(report, path, lines)
        check_opening(report, path, lines)
        if path.suffix not in (".c", ".h"):
            continue
        parts = path.relative_to(root).parts
        in_src = parts[0] == "src"
        check_length(report, path, lines)
        check_c(report, path, text, in_src and parts[1] != "cli", in_src)
    report.exit()


if __name__ == "__main__":
    main()
