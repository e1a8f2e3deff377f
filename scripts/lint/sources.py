# SPDX-License-Identifier: MIT
"""What the lint scripts share: which files are ours, and C text without comments and strings."""
import re
import sys
from pathlib import Path

SKIPPED = {".git", "build", "__pycache__"}


def files(root, folders, endings):
    """All files with one of the endings (or names) under the folders, sorted."""
    found = []
    for folder in folders:
        for path in (root / folder).rglob("*"):
            parts = path.relative_to(root).parts
            if path.is_file() and not SKIPPED & set(parts) and path.name.endswith(tuple(endings)):
                found.append(path)
    return sorted(found)


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def code_only(text):
    """C source with comments and literals blanked; every line keeps its number."""
    def blank(match):
        token = match.group()
        return re.sub(r"[^\n]", " ", token) if token[0] == "/" else token[0] * 2
    return TOKEN.sub(blank, text)


class Report:
    """Collects findings; prints them as FILE:LINE: text."""

    def __init__(self, root):
        self.root = root
        self.failures = 0
        self.warnings = 0

    def _print(self, kind, path, line, text):
        print(f"{path.relative_to(self.root)}:{line}: {kind}{text}")

    def fail(self, path, line, text):
        self.failures += 1
        self._print("", path, line, text)

    def warn(self, path, line, text):
        self.warnings += 1
        self._print("warning: ", path, line, text)

    def exit(self):
        sys.exit(1 if self.failures else 0)


def repository(argv):
    """The tree to check: the first argument, or the one this file is in."""
    return Path(argv[1]).resolve() if len(argv) > 1 else Path(__file__).resolve().parents[2]
