# SPDX-License-Identifier: MIT
"""Runs a command and writes its wall-clock seconds and peak memory in MiB to a file.

    python -S measure.py FILE COMMAND...

What full_size.py and bench/ share. A process of its own, which is small: a child counts its
parent's memory as its own peak until it has replaced itself, and the parents here hold whole
models.
"""
import os
import subprocess
import sys
import time


def main():
    started = time.monotonic()
    _, status, usage = os.wait4(subprocess.Popen(sys.argv[2:]).pid, 0)
    with open(sys.argv[1], "w") as file:
        print(time.monotonic() - started, usage.ru_maxrss / 1024, file=file)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
