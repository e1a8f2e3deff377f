#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Extracts the training and test pictures of clipc's small model from Debian packages.

Each set becomes one .npz with `pictures` (uint8 [n][72][72][4], RGBA, straight alpha) and one .json
with what is said of each: {"name", "keywords", "source", "weight", "flip"}.

    prepare_data.py [--root FOLDER] OUT

Training: Noto Color Emoji with the names and keywords of Unicode CLDR, and openclipart, widened by
WordNet; a tenth of openclipart's captions is held out. Test only: EmojiOne, Tux Paint stamps.
"""
import argparse
import hashlib
import html
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image

SIDE = 72
SKIN_TONES = {chr(c) for c in range(0x1F3FB, 0x1F400)}
VARIATION = "\ufe0f"
SIDED = re.compile(r"\b(left|right|arrow|clockwise|letter|text|flag|button|o’clock|thirty|keycap"
                   r"|sign)\b")


def fit(picture):
    """The picture as RGBA, shrunk to SIDE keeping its shape, centred on transparency."""
    if picture.mode != "P":  # large drawings: fewer pixels to convert
        picture = picture.reduce(max(1, max(picture.size) // (8 * SIDE)))
    picture = picture.convert("RGBA")
    scale = SIDE / max(picture.size)
    size = [max(1, round(s * scale)) for s in picture.size]
    picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    square = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    square.paste(picture, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return np.asarray(square, np.uint8)


# --- Unicode names and keywords -------------------------------------------------------------


def read_annotations(root):
    """{sequence without variation selectors: (name, [keywords])} from CLDR's English files."""
    names, keywords = {}, {}
    for folder in ("annotations", "annotationsDerived"):
        path = root / "usr/share/unicode/cldr/common" / folder / "en.xml"
        for node in ElementTree.parse(path).iter("annotation"):
            sequence = node.get("cp").replace(VARIATION, "")
            if node.get("type") == "tts":
                names[sequence] = node.text.strip()
            else:
                keywords[sequence] = [k.strip() for k in node.text.split("|")]
    return {s: (n, keywords.get(s, [])) for s, n in names.items()}


def is_flag(sequence):
    return 0x1F1E6 <= ord(sequence[0]) <= 0x1F1FF or (
        sequence[0] == "\U0001f3f4" and len(sequence) > 3 and "\u200d" not in sequence)


# --- Noto Color Emoji -----------------------------------------------------------------------


def ligature_sequences(font):
    """{sequence: glyph name} of single code points and of GSUB ligatures."""
    cmap = font.getBestCmap()
    glyph_of = {chr(c): g for c, g in cmap.items()}
    char_of = {}
    for character, glyph in glyph_of.items():
        char_of.setdefault(glyph, character)
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            if table.LookupType != 4:
                continue
            for first, ligatures in table.ligatures.items():
                for ligature in ligatures:
                    parts = [first] + ligature.Component
                    if all(p in char_of for p in parts):
                        glyph_of["".join(char_of[p] for p in parts)] = ligature.LigGlyph
    return glyph_of


def read_noto(root, annotations):
    font = TTFont(root / "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
    strike = font["CBDT"].strikeData[0]
    glyph_of = {s.replace(VARIATION, ""): g for s, g in ligature_sequences(font).items()}
    pictures, facts = [], []
    for sequence, (name, keywords) in sorted(annotations.items()):
        glyph = glyph_of.get(sequence)
        if glyph not in strike:
            continue
        data = strike[glyph]
        data = getattr(data, "imageData", None)
        if data is None:
            continue
        toned = any(c in SKIN_TONES for c in sequence)
        weight = 0.06 if toned else 0.35 if is_flag(sequence) else 1.0
        pictures.append(fit(Image.open(io.BytesIO(data))))
        facts.append(dict(name=name, keywords=keywords, source="noto", weight=weight,
                          flip=not SIDED.search(name), sequence=sequence))
    return pictures, facts


# --- openclipart ----------------------------------------------------------------------------

IGNORED_FOLDERS = ("special", "icons", "cards", "stars", "unsorted/stars")
IGNORED_TITLES = re.compile(r"gramastar|untitled|^\W*$|^[\d\W]+$|inkscape|\bdpi\b|http|@", re.I)
RDF_TITLE = re.compile(r"<dc:title[^>]*>(.*?)</dc:title>", re.S)
RDF_KEYWORD = re.compile(r"<rdf:li[^>]*>(.*?)</rdf:li>", re.S)


def clean(text):
    text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    text = re.sub(r"[_\-/]+", " ", text)
    text = re.sub(r"\b\d+\b", " ", text)
    return " ".join(text.split()).strip(" .,;:").lower()


def is_english(text):
    return text.isascii() and 2 < len(text) < 60 and len(text.split()) < 9


def read_clipart(root):
    base = root / "usr/share/openclipart"
    pictures, facts, seen = [], [], set()
    for svg in sorted((base / "svg").rglob("*.svg")):
        relative = svg.relative_to(base / "svg")
        png = base / "png" / relative.with_suffix(".png")
        if str(relative).startswith(IGNORED_FOLDERS) or not png.exists():
            continue
        text = svg.read_bytes()[:200_000].decode("utf-8", "replace")
        title = RDF_TITLE.search(text)
        title = clean(title.group(1)) if title else clean(relative.stem)
        if IGNORED_TITLES.search(title) or not is_english(title):
            title = clean(relative.stem)
        if IGNORED_TITLES.search(title) or not is_english(title):
            continue
        try:
            picture = fit(Image.open(png))
        except (OSError, ValueError, Image.DecompressionBombError):
            continue
        digest = hashlib.sha256(picture.tobytes()).hexdigest()
        if digest in seen or picture[..., 3].max() == 0:
            continue
        seen.add(digest)
        keywords = [clean(k) for k in RDF_KEYWORD.findall(text)]
        keywords += [p for p in map(clean, relative.parts[:-1])]
        keywords = sorted({k for k in keywords if is_english(k) and k != title})
        pictures.append(picture)
        facts.append(dict(name=title, keywords=keywords[:12], source="clipart", weight=0.35,
                          flip=not SIDED.search(title)))
    return pictures, facts


# --- WordNet --------------------------------------------------------------------------------


def read_wordnet(root):
    """{noun: [synonyms of its first sense, then hypernyms]}"""
    folder = root / "usr/share/wordnet"
    senses = {}
    for line in (folder / "data.noun").read_text().splitlines():
        if line.startswith(" "):
            continue
        fields = line.split(" | ")[0].split()
        count = int(fields[3], 16)
        words = [fields[4 + 2 * i].replace("_", " ").lower() for i in range(count)]
        pointers = fields[5 + 2 * count:]
        above = [pointers[i + 1] for i in range(0, len(pointers), 4) if pointers[i] == "@"]
        senses[fields[0]] = (words, above)
    words = {}
    for line in (folder / "index.noun").read_text().splitlines():
        if line.startswith(" "):
            continue
        fields = line.split()
        first = fields[-int(fields[2])]
        synonyms, above = senses[first]
        wider = [w for offset in above for w in senses[offset][0][:2]]
        noun = fields[0].replace("_", " ")
        words[noun] = ([s for s in synonyms if s != noun], wider)
    return words


def widen(facts, wordnet):
    for fact in facts:
        synonyms, wider = wordnet.get(fact["name"].lower(), ([], []))
        fact["synonyms"], fact["wider"] = synonyms[:5], wider[:3]


# --- Test sets ------------------------------------------------------------------------------


def read_emojione(root, annotations, known):
    """EmojiOne pictures whose sequence Noto has too, without skin tones and flags."""
    folder = next((root / "usr/share").rglob("gemojione-*/assets/png"))
    pictures, facts = [], []
    for path in sorted(folder.glob("*.png")):
        try:
            sequence = "".join(chr(int(p, 16)) for p in path.stem.split("-"))
        except ValueError:
            continue
        sequence = sequence.replace(VARIATION, "")
        if sequence not in known or is_flag(sequence) or any(c in SKIN_TONES for c in sequence):
            continue
        pictures.append(np.asarray(Image.open(path).convert("RGBA").resize((64, 64)), np.uint8))
        facts.append(dict(name=annotations[sequence][0], sequence=sequence))
    return pictures, facts


def read_tuxpaint(root):
    base = root / "usr/share/tuxpaint/stamps"
    pictures, facts = [], []
    for path in sorted(base.rglob("*.png")):
        note = path.with_suffix(".txt")
        if "alphabet" in str(path).lower() or "mirror" in path.stem or not note.exists():
            continue
        caption = note.read_text("utf-8", "replace").splitlines()[0].strip()
        if caption:
            pictures.append(fit(Image.open(path)))
            facts.append(dict(name=caption))
    return pictures, facts


def save(out, name, pictures, facts):
    np.savez(out / f"{name}.npz", pictures=np.stack(pictures))
    (out / f"{name}.json").write_text(json.dumps(facts, ensure_ascii=False))
    print(f"{name}: {len(facts)} pictures, {len({f['name'] for f in facts})} names")


def is_held_out(fact):
    """A tenth of openclipart, by caption, so that no caption is on both sides."""
    return fact["source"] == "clipart" and hashlib.sha256(fact["name"].encode()).digest()[0] < 26


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the packages lie")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    annotations = read_annotations(arguments.root)
    pictures, facts = read_noto(arguments.root, annotations)
    known = {f["sequence"] for f in facts}
    more, said = read_clipart(arguments.root)
    pictures, facts = pictures + more, facts + said
    widen(facts, read_wordnet(arguments.root))
    held = [is_held_out(f) for f in facts]
    save(arguments.out, "train", [p for p, h in zip(pictures, held) if not h],
         [f for f, h in zip(facts, held) if not h])
    save(arguments.out, "held_out", [p for p, h in zip(pictures, held) if h],
         [f for f, h in zip(facts, held) if h])
    save(arguments.out, "emojione", *read_emojione(arguments.root, annotations, known))
    save(arguments.out, "tuxpaint", *read_tuxpaint(arguments.root))


if __name__ == "__main__":
    main()
