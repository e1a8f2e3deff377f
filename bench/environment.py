# SPDX-License-Identifier: MIT
"""compare.py's own Python environment: made once from requirements.txt, then entered.

Only Python's standard library is used here, since nothing else is there yet.
"""
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT = HERE.parent / "build" / "bench-environment"
REQUIREMENTS = HERE / "requirements.txt"
# Also where the reference's random weights are made.
SEARCHED = [HERE, HERE.parent / "tests" / "reference"]


def make(folder):
    """Installs what is missing; returns the environment's Python."""
    python = folder / "bin" / "python"
    done = folder / "requirements.txt"
    if not python.exists():
        print(f"making {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if not done.exists() or done.read_bytes() != REQUIREMENTS.read_bytes():
        print("installing from PyPI; some 6 GB, as PyTorch comes with its CUDA", file=sys.stderr)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], check=True)
        done.write_bytes(REQUIREMENTS.read_bytes())
    return python


def variables(threads=None):
    """The environment of every process that computes here: where modules are, how many threads."""
    values = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, SEARCHED)),
                  TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", PYTHONDONTWRITEBYTECODE="1")
    # Set where old OpenBLAS builds fail, at the price of speed; nothing here needs them.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        values.pop(name, None)
    if threads:
        values["OMP_NUM_THREADS"] = values["RAYON_NUM_THREADS"] = str(threads)
    return values


def enter(folder):
    """Goes on as the environment's Python, unless this is it."""
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    python = make(folder.resolve())
    os.execve(python, [str(python), *sys.argv], variables())
