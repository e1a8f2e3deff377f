# SPDX-License-Identifier: MIT
"""OpenVINO: float32, the bf16 hint, and int8 as NNCF calibrated it; compiled for each batch."""
import openvino

from engines import Skipped, inputs
from models import folder_of

CORE = openvino.Core()


def forget():
    """Nothing is kept between jobs."""


def prepare(job):
    if job["precision"] == "bf16" and \
            "BF16" not in CORE.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise Skipped("OpenVINO has no bf16 on this processor")
    stem = f"{job['work']}-{job['positions']}" if job["positions"] else job["work"]
    ending = "-int8" if job["precision"] == "int8" else ""
    data = inputs(job)
    model = CORE.read_model(folder_of(job["root"], job["model"]) / f"{stem}{ending}.xml")
    model.reshape(data.shape)
    settings = {"INFERENCE_NUM_THREADS": job["threads"], "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY"}
    # int8: what is not quantised runs in the type that OpenVINO chooses.
    if job["precision"] != "int8":
        settings["INFERENCE_PRECISION_HINT"] = job["precision"]
    request = CORE.compile_model(model, "CPU", settings).create_infer_request()

    def run():
        return request.infer([data], share_inputs=True)[0]
    return run
