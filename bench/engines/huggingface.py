# SPDX-License-Identifier: MIT
"""Hugging Face's tokenizers (Rust), set up as its CLIPTokenizerFast is; without ftfy."""
import numpy
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from engines import texts
from random_weights import clip

WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def forget():
    """Nothing is kept between jobs."""


def build():
    original = clip.simple_tokenizer.SimpleTokenizer()
    own = Tokenizer(models.BPE(
        vocab=original.encoder, merges=list(original.bpe_ranks), end_of_word_suffix="</w>",
        continuing_subword_prefix="", fuse_unk=False, unk_token="<|endoftext|>"))
    own.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(
        Regex(r"\s+"), " "), normalizers.Lowercase()])
    own.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    own.enable_truncation(75)
    return own, original.encoder["<|startoftext|>"], original.encoder["<|endoftext|>"]


def prepare(job):
    own, start, end = build()
    captions = texts(job)

    def run():
        ids = numpy.zeros((len(captions), 77), dtype="int32")
        for row, encoding in zip(ids, own.encode_batch(captions, add_special_tokens=False)):
            words = encoding.ids
            row[0], row[1:len(words) + 1], row[len(words) + 1] = start, words, end
        return ids
    return run
