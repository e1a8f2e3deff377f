# SPDX-License-Identifier: MIT
"""The processor's measured ceilings, in the same run as everything else.

From ceiling.c, which counts arithmetic alone.
"""
import json
import platform
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("ceiling.c")


def _lines(words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _from_source(root, threads):
    if platform.machine() != "x86_64":
        return []
    program = root / "ceiling"
    subprocess.run(["cc", "-O2", "-o", program, SOURCE, "-pthread"], check=True)
    return _lines([program, threads])


def measure(root, threads):
    """[{"dtype", "instructions", "threads", "gflops"}]"""
    try:
        return _from_source(root, threads)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        print(f"no ceiling: {error}", file=sys.stderr)
        return []
