# SPDX-License-Identifier: MIT
"""From the start of a process to the probabilities of texts for a picture, as short programs do it.

    start.py pytorch FOLDER PICTURE THREADS TEXT...
    start.py onnxruntime|openvino FOLDER PICTURE THREADS PRECISION TEXT...

compare.py times the whole process. Only what an engine needs is imported; ONNX Runtime and OpenVINO
get the fastest tokenizer and Pillow.
"""
import sys
from pathlib import Path


def pytorch(folder, picture, threads, _, texts):
    """The README of openai/CLIP."""
    import torch
    from PIL import Image
    from random_weights import clip
    torch.set_num_threads(threads)
    model, preprocess = clip.load(str(folder / "published.pt"), device="cpu")
    image = preprocess(Image.open(picture)).unsqueeze(0)
    with torch.no_grad():
        logits, _ = model(image, clip.tokenize(texts))
        return logits.softmax(dim=-1)[0].tolist()


def pixels_of(picture):
    """The original's transform in NumPy."""
    import numpy
    from PIL import Image
    image = Image.open(picture).convert("RGB")
    scale = 224 / min(image.size)
    image = image.resize([int(side * scale) for side in image.size], Image.Resampling.BICUBIC)
    left, top = (round((side - 224) / 2) for side in image.size)
    image = image.crop((left, top, left + 224, top + 224))
    pixels = numpy.asarray(image, dtype="float32") / 255
    pixels = (pixels - (0.48145466, 0.4578275, 0.40821073)) / (0.26862954, 0.26130258, 0.27577711)
    return pixels.transpose(2, 0, 1)[None].astype("float32")


def probabilities(image, text):
    import numpy
    image = image / numpy.linalg.norm(image, axis=-1, keepdims=True)
    text = text / numpy.linalg.norm(text, axis=-1, keepdims=True)
    # The temperature that models.py drew.
    logits = numpy.exp(3.7) * (image @ text.T)
    values = numpy.exp(logits - logits.max())
    return (values / values.sum())[0].tolist()


def ids_of(texts):
    import instant_clip_tokenizer
    tokenizer = instant_clip_tokenizer.Tokenizer()
    return tokenizer.tokenize_batch(texts, context_length=77).astype("int32")


def onnxruntime(folder, picture, threads, precision, texts):
    import onnxruntime as runtime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    ending = "-int8" if precision == "int8" else ""
    rows = []
    for work, data in (("image", pixels_of(picture)), ("text", ids_of(texts))):
        session = runtime.InferenceSession(folder / f"{work}{ending}.onnx", options)
        rows.append(session.run(None, {session.get_inputs()[0].name: data})[0])
    return probabilities(*rows)


def openvino(folder, picture, threads, precision, texts):
    import openvino as runtime
    core = runtime.Core()
    ending = "-int8" if precision == "int8" else ""
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if precision != "int8":
        settings["INFERENCE_PRECISION_HINT"] = precision
    rows = []
    for work, data in (("image", pixels_of(picture)), ("text", ids_of(texts))):
        model = core.read_model(folder / f"{work}{ending}.xml")
        model.reshape(data.shape)
        rows.append(core.compile_model(model, "CPU", settings)([data])[0])
    return probabilities(*rows)


def main():
    name, folder, picture, threads, precision, *texts = sys.argv[1:]
    engine = {"pytorch": pytorch, "onnxruntime": onnxruntime, "openvino": openvino}[name]
    print(engine(Path(folder), picture, int(threads), precision, texts))


if __name__ == "__main__":
    main()
