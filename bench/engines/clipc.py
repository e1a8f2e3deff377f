# SPDX-License-Identifier: MIT
"""clipc through its shared library."""
import ctypes
import functools
from ctypes import (POINTER, byref, c_bool, c_char_p, c_float, c_int, c_int32, c_size_t, c_uint,
                    c_uint64, c_void_p)
from pathlib import Path

import numpy

from engines import Skipped, inputs, texts
from models import folder_of

DTYPES = {"f32": 0, "bf16": 2, "int8": 3}
TRUNCATE = 1
CONTEXT = 77


class Error(ctypes.Structure):
    _fields_ = [("code", c_int), ("message", ctypes.c_char * 256)]


# Of options, fields are only ever appended; the library says how many bytes it knows of.
LATER = ("later", ctypes.c_char * 256)


class ModelOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("activation", c_int), ("cache_dir", c_char_p),
                ("threads", c_uint), ("max_weight_bytes", c_uint64), ("log", c_void_p),
                ("log_data", c_void_p), ("without_weights", c_bool), ("dtype", c_int), LATER]


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("threads", c_uint), ("max_batch", c_size_t), LATER]


@functools.cache
def library(path):
    return ctypes.CDLL(path)


def call(function, *arguments):
    error = Error()
    if function(*arguments, byref(error)):
        raise RuntimeError(error.message.decode())


class Session:
    """A model with a session; or, where no precision is given, without weights."""

    def __init__(self, path, lib, threads=0, precision=None):
        self.lib, self.model, self.session = lib, c_void_p(), c_void_p()
        of_model, of_session = ModelOptions(), SessionOptions()
        lib.clipc_model_options_init(byref(of_model))
        of_model.without_weights, of_model.dtype = not precision, DTYPES[precision or "f32"]
        try:
            call(lib.clipc_model_open, byref(self.model), str(path).encode(), byref(of_model))
        except RuntimeError as error:
            raise Skipped(str(error)) from error
        if precision:
            lib.clipc_session_options_init(byref(of_session))
            of_session.threads = threads
            call(lib.clipc_session_open, byref(self.session), self.model, byref(of_session))

    def __del__(self):
        self.lib.clipc_session_close(self.session)
        self.lib.clipc_model_close(self.model)


@functools.lru_cache(maxsize=1)
def session(path, library_path, threads=0, precision=None):
    return Session(path, library(library_path), threads, precision)


def forget():
    session.cache_clear()


def pointer(array, kind):
    return array.ctypes.data_as(POINTER(kind))


def encoder(job):
    path = folder_of(job["root"], job["model"]) / "model.safetensors"
    own = session(path, job["library"], job["threads"], job["precision"])
    data = numpy.ascontiguousarray(inputs(job))
    out = numpy.zeros((len(data), embed_dim(job)), dtype="float32")
    kind, function = (c_float, own.lib.clipc_encode_pixels) if job["work"] == "image" \
        else (c_int32, own.lib.clipc_encode_tokens)

    def run():
        call(function, own.session, pointer(data, kind), c_size_t(len(data)),
             pointer(out, c_float))
        return out
    return run


def embed_dim(job):
    from architectures import SIZES
    return SIZES[job["model"]]["embed_dim"]


def named_set(function, name, count):
    """(array of count strings, count) of a list that is built in."""
    items = POINTER(c_char_p)()
    function.restype = c_size_t
    there = function(name.encode(), byref(items))
    return items, c_size_t(min(count, there))


def classes(job):
    path = folder_of(job["root"], job["model"]) / "model.safetensors"
    own = session(path, job["library"], job["threads"], job["precision"])
    labels = named_set(own.lib.clipc_class_set, "imagenet", job["classes"])
    templates = named_set(own.lib.clipc_template_set, "imagenet", job["templates"])
    out = numpy.zeros((job["classes"], embed_dim(job)), dtype="float32")

    def run():
        call(own.lib.clipc_encode_classes, own.session, *labels, *templates, c_uint(0),
             pointer(out, c_float))
    return run


def tokenizer(job):
    lib = library(job["library"])
    captions = [text.encode() for text in texts(job)]
    array = (c_char_p * len(captions))(*captions)
    ids = numpy.zeros((len(captions), CONTEXT), dtype="int32")

    def run():
        call(lib.clipc_tokenize_batch, None, array, c_size_t(len(captions)), pointer(ids, c_int32),
             c_size_t(CONTEXT), c_uint(TRUNCATE), c_uint(job["threads"]), None)
        return ids
    return run


def decode(lib, data):
    image = c_void_p()
    call(lib.clipc_image_decode, byref(image), data, c_size_t(len(data)), b"picture", None)
    return image


def preprocessor(job):
    """preprocess: from the file's bytes to the tensor; decode and resize: the two halves of it, the
    second with crop and normalisation."""
    path = folder_of(job["root"], job["model"]) / "model.safetensors"
    own = session(path, job["library"])
    data = (Path(job["root"]) / job["picture"]).read_bytes()
    out = numpy.zeros((1, 3, 224, 224), dtype="float32")
    decoded = decode(own.lib, data)

    def run():
        image = decoded if job["work"] == "resize" else decode(own.lib, data)
        if job["work"] != "decode":
            call(own.lib.clipc_preprocess, own.model, image, pointer(out, c_float))
        if job["work"] != "resize":
            own.lib.clipc_image_close(image)
        return out if job["work"] == "preprocess" else None
    return run


def prepare(job):
    return {"image": encoder, "text": encoder, "classes": classes, "tokenize": tokenizer,
            "preprocess": preprocessor, "decode": preprocessor,
            "resize": preprocessor}[job["work"]](job)
