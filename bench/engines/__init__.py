# SPDX-License-Identifier: MIT
"""The engines that are compared, one module each, run by worker.py in a process of its own.

A module has prepare(job), which returns a function that does the work once and gives its result
(an array, or None where there is nothing to compare), or raises Skipped with the reason; and
forget(), which frees what it keeps from one job to the next. A job is a dictionary:

    root       the folder of models and inputs
    work       image, text, preprocess, decode, resize, tokenize, classes
    model      such as "ViT-B/32"
    batch      pictures or texts at once
    threads
    precision  f32, bf16 or int8
    positions  of a text that was shortened by hand; None: all 77
    picture    file name, where the work is on a picture
    templates, classes   how many of ImageNet's prompts
    library    path of libclipc.so
"""


class Skipped(Exception):
    """This engine does not do this job; the text is the reason that the results give."""


def inputs(job):
    """What the encoders get: pixels [batch][3][S][S] or token ids [batch][positions]."""
    from pathlib import Path
    import numpy
    if job["work"] == "image":
        return numpy.load(Path(job["root"]) / "pixels.npy")[:job["batch"]]
    return numpy.load(Path(job["root"]) / "ids.npy")[:job["batch"], :job["positions"]]


def texts(job):
    """The captions of work "tokenize"."""
    import json
    from pathlib import Path
    return json.loads((Path(job["root"]) / "captions.json").read_text())[:job["batch"]]
