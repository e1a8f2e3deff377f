# SPDX-License-Identifier: MIT
"""clip.cpp (ggml), as its library from a folder that the user built: compare.py --clip-cpp.

A text ends at its end token, as with clipc; texts go one by one, which is all its API has.
"""
import ctypes
import functools
import re
from ctypes import POINTER, byref, c_bool, c_char_p, c_float, c_int, c_int32, c_size_t, c_void_p
from pathlib import Path

import numpy

from architectures import SIZES
from engines import Skipped, inputs
from models import MEAN, STD, folder_of, huggingface_folder

Q8_0 = 8
# Names of Hugging Face's layout -> its own; fc1 and fc2 are the other way round there.
RENAMED = [("text_model", "t"), ("vision_model", "v"), ("encoder.layers", "blk"),
           ("embeddings.", ""), ("self_attn.", "attn_"), ("pre_layrnorm", "pre_ln"),
           ("post_layernorm", "post_ln"), ("final_layer_norm", "post_ln"), ("layer_norm", "ln"),
           ("mlp.fc1", "ffn_down"), ("mlp.fc2", "ffn_up"), ("embedding", "embd")]


class Picture(ctypes.Structure):
    _fields_ = [("width", c_int), ("height", c_int), ("data", POINTER(c_float)), ("size", c_size_t)]


class Pictures(ctypes.Structure):
    _fields_ = [("data", POINTER(Picture)), ("count", c_size_t)]


class Tokens(ctypes.Structure):
    _fields_ = [("data", POINTER(c_int32)), ("count", c_size_t)]


@functools.cache
def library(folder):
    found = sorted(Path(folder).rglob("libclip.so"))
    if not found:
        raise Skipped("no libclip.so under the folder of --clip-cpp")
    own = ctypes.CDLL(str(found[0]))
    own.clip_model_load.restype = c_void_p
    own.clip_model_load.argtypes = [c_char_p, c_int]
    own.clip_free.argtypes = [c_void_p]
    for function in (own.clip_image_batch_encode, own.clip_text_encode):
        function.restype = c_bool
        function.argtypes = [c_void_p, c_int, c_void_p, c_void_p, c_bool]
    return own


def renamed(name):
    if "projection" in name:
        return name
    for theirs, ours in RENAMED:
        name = name.replace(theirs, ours)
    return re.sub(r"_proj\b", "", name)


def add_sizes(writer, s):
    for arch, width, layers in (("text", s["transformer_width"], s["transformer_layers"]),
                                ("vision", s["vision_width"], s["vision_layers"])):
        writer.add_uint32(f"clip.{arch}.embedding_length", width)
        writer.add_uint32(f"clip.{arch}.feed_forward_length", 4 * width)
        writer.add_uint32(f"clip.{arch}.projection_dim", s["embed_dim"])
        writer.add_uint32(f"clip.{arch}.attention.head_count", width // 64)
        writer.add_float32(f"clip.{arch}.attention.layer_norm_epsilon", 1e-5)
        writer.add_uint32(f"clip.{arch}.block_count", layers)
    writer.add_uint32("clip.text.context_length", s["context_length"])
    writer.add_uint32("clip.vision.image_size", s["image_resolution"])
    writer.add_uint32("clip.vision.patch_size", s["vision_patch_size"])
    writer.add_array("clip.vision.image_mean", MEAN)
    writer.add_array("clip.vision.image_std", STD)


def write(job, path):
    """The model as GGUF, in float32 but for the patch embedding, which it wants in half."""
    import gguf
    import safetensors.numpy
    from random_weights import clip
    tensors = safetensors.numpy.load_file(
        huggingface_folder(Path(job["root"]), job["model"]) / "model.safetensors")
    writer = gguf.GGUFWriter(path, "clip")
    for key, value in (("has_text_encoder", True), ("has_vision_encoder", True),
                       ("use_gelu", False)):
        writer.add_bool(f"clip.{key}", value)
    writer.add_file_type(0)
    writer.add_name("random")
    writer.add_description("two-tower CLIP model")
    add_sizes(writer, SIZES[job["model"]])
    writer.add_token_list(list(clip.simple_tokenizer.SimpleTokenizer().encoder))
    for name, data in tensors.items():
        if name == "logit_scale" or name.endswith("position_ids"):
            continue
        data = data.squeeze()
        writer.add_tensor(renamed(name), data.astype("float16" if data.ndim == 4 else "float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def file_of(job, lib):
    """The model's file of the precision, made when it is not there yet."""
    folder = folder_of(job["root"], job["model"])
    whole, small = folder / "model.gguf", folder / "model-int8.gguf"
    if not whole.exists():
        write(job, whole.with_suffix(".part"))
        whole.with_suffix(".part").rename(whole)
    if job["precision"] == "int8" and not small.exists():
        lib.clip_model_quantize(str(whole).encode(), str(small).encode(), c_int(Q8_0))
    return small if job["precision"] == "int8" else whole


class Model:
    def __init__(self, lib, path):
        self.lib = lib
        self.context = lib.clip_model_load(str(path).encode(), 0)
        if not self.context:
            raise RuntimeError(f"{path.name}: could not be loaded")

    def __del__(self):
        if self.context:
            self.lib.clip_free(self.context)


@functools.lru_cache(maxsize=1)
def model(lib, path):
    return Model(lib, path)


def forget():
    model.cache_clear()


def image_encoder(job, lib, own, out):
    pixels = numpy.ascontiguousarray(inputs(job).transpose(0, 2, 3, 1))
    side = pixels.shape[1]
    each = (Picture * len(pixels))(*[
        Picture(side, side, picture.ctypes.data_as(POINTER(c_float)), picture.size)
        for picture in pixels])
    batch = Pictures(each, len(pixels))

    def run():
        if not lib.clip_image_batch_encode(own.context, job["threads"], byref(batch),
                                           out.ctypes.data, False):
            raise RuntimeError("clip_image_batch_encode failed")
        return out
    return run


def text_encoder(job, lib, own, out):
    texts = []
    for ids in inputs(job):
        length = int(ids.argmax()) + 1
        texts.append(Tokens((c_int32 * length)(*ids[:length].tolist()), length))

    def run():
        for row, text in zip(out, texts):
            if not lib.clip_text_encode(own.context, job["threads"], byref(text), row.ctypes.data,
                                        False):
                raise RuntimeError("clip_text_encode failed")
        return out
    return run


def prepare(job):
    if not job["clip_cpp"]:
        raise Skipped("no --clip-cpp FOLDER was given")
    if not SIZES[job["model"]]["vision_patch_size"]:
        raise Skipped("clip.cpp has no ResNet")
    if job["work"] == "image" and (job["batch"] > 1 or job["precision"] == "int8"):
        raise Skipped("clip.cpp's image encoder gives wrong values in batches and in q8_0")
    lib = library(job["clip_cpp"])
    own = model(lib, file_of(job, lib))
    out = numpy.zeros((job["batch"], SIZES[job["model"]]["embed_dim"]), dtype="float32")
    return (image_encoder if job["work"] == "image" else text_encoder)(job, lib, own, out)
