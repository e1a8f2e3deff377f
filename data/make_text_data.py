#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables behind CLIP's tokenizer, out of the packages that the original uses.

bpe_merges.txt     the byte-pair merges of clip-anytorch (OpenAI's list), in order of rank
html_entities.txt  HTML's named characters as in Python's html module, and those that ftfy adds
charmaps.txt       what bytes 80 to FF mean in the encodings that ftfy undoes

    make_text_data.py [FOLDER]
"""
import gzip
import html.entities
import sys
from pathlib import Path

import clip.simple_tokenizer
import ftfy.bad_codecs  # registers the sloppy encodings
import ftfy.chardata

MERGES = 49152 - 256 - 2


def bpe_merges():
    lines = gzip.open(clip.simple_tokenizer.default_bpe()).read().decode("utf-8").split("\n")
    return lines[1:MERGES + 1]


def hexadecimal(text):
    return " ".join(f"{ord(c):X}" for c in text)


def html_entities():
    """NAME<TAB>code points, by name; one after '^' is ftfy's alone, always with a semicolon."""
    lines = [f"{name}\t{hexadecimal(text)}" for name, text in html.entities.html5.items()]
    own = {name[1:]: text for name, text in ftfy.chardata.HTML_ENTITIES.items()
           if name[1:] not in html.entities.html5}
    lines += [f"^{name}\t{hexadecimal(text)}" for name, text in own.items()]
    return sorted(lines, key=lambda line: line.lstrip("^").split("\t")[0].encode())


def charmaps():
    """NAME, then the code points of bytes 80 to FF."""
    high = bytes(range(0x80, 0x100))
    return [f"{name} {hexadecimal(high.decode(name))}" for name in ftfy.chardata.CHARMAP_ENCODINGS]


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, lines in (("bpe_merges", bpe_merges()), ("html_entities", html_entities()),
                        ("charmaps", charmaps())):
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")


if __name__ == "__main__":
    main()
