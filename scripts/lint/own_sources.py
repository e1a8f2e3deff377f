#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints a build's compile_commands.json without the generated sources, for static analysers.

    own_sources.py BUILD
"""
import json
import sys
from pathlib import Path


def main():
    build = Path(sys.argv[1]).resolve()
    commands = json.loads((build / "compile_commands.json").read_text())
    own = [c for c in commands
           if not Path(c["directory"], c["file"]).resolve().is_relative_to(build)]
    json.dump(own, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
