# SPDX-License-Identifier: MIT
"""ONNX Runtime: float32, and dynamic int8 (activations quantised as they come)."""
import functools

import onnxruntime

from engines import Skipped, inputs
from models import folder_of


@functools.lru_cache(maxsize=1)
def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def forget():
    session.cache_clear()


def prepare(job):
    stem = f"{job['work']}-{job['positions']}" if job["positions"] else job["work"]
    ending = "-int8" if job["precision"] == "int8" else ""
    path = folder_of(job["root"], job["model"]) / f"{stem}{ending}.onnx"
    if not path.exists():
        raise Skipped("dynamic int8 has no fast convolution")
    own = session(str(path), job["threads"])
    feed = {own.get_inputs()[0].name: inputs(job)}
    return lambda: own.run(None, feed)[0]
