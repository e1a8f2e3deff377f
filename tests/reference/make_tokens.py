#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes data/tokens.txt: what clip.tokenize of clip-anytorch gives for some 500 texts.

A line is TEXT<TAB>ids, start and end tokens included, no padding. In TEXT the backslash and every
character that does not print stand as \\u{HEX}. Characters newer than Unicode 13 are left out:
about them the tables of Python, of its regex module and of our libraries differ.

    make_tokens.py [FILE]
"""
import random
import re
import re
import sys
import unicodedata
from pathlib import Path

import clip
import ftfy.chardata

PROSE = [
    "", " ", "a", "a photo of a dog", "A photo of a DOG.", "hello world!", "don't", "DON'T",
    "it's we're I've I'm they'll he'd", "IT'S WE'RE I'VE I'M THEY'LL HE'D", "rock 'n' roll", "'s",
    "'S't'RE", "''s", "x'ſ y'ſ", "12345", "3.14159", "1,000,000", "B-52", "C3PO", "a1b2c3",
    "½ cup", "x² + y³", "Ⅻ ⅻ ① ㊿", "http://example.org/a?b=c&d=e#f", "user@example.org",
    "#hashtag @mention $5 100%", "a_b-c/d\\e|f", "!!!???...", "(parenthesis) [bracket] {brace}",
    "e.g., i.e.; etc.", "snake_case camelCase PascalCase", "supercalifragilisticexpialidocious",
    "Donaudampfschifffahrtsgesellschaftskapitän",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ab" * 40, "z" * 300, "hahahahahahahahahaha", "-" * 70,
    "=" * 33 + ">", "_" * 65 + "x", "." * 129, "é" * 50, "的" * 60, "👍" * 30, "0" * 40,
]

SCRIPTS = [
    "naïve café façade jalapeño", "Ärger über Öl, Straße", "STRASSE GROẞ", "Æsir œuvre Ŋ ŋ þ Ð ð",
    "Zażółć gęślą jaźń", "Příliš žluťoučký kůň", "Árvíztűrő tükörfúrógép", "Ţară şi oraş, ță și",
    "Nå går æ på øya", "Kæmi ný öxi hér", "Įlinkdama fechtuotojo špaga",
    "Diyarbakır İstanbul ığdır", "İ", "I", "ı", "İİ ii", "Çok güzel ÇAĞ", "Tiếng Việt đẹp",
    "Привет, мир", "ПРИВЕТ МИР ЁЖ", "Їжак ґанок", "Ѐ ѝ Ѡ ҐЄЇ Ӂ", "Ελλάδα καλημέρα", "ΟΔΥΣΣΕΎΣ",
    "ΣΑΣ ΣΑΣ", "Σ", "ΣΣ", "ΑΣ.", "ΑΣ.Α", "ΑΣ'Α", "Α'Σ", "Σ Α", "ΑΣ\u200bΑ", "ΑΣ\u0301",
    "ΑΣ\u0301Α", "1Σ", "ΑΣ1", "ΑΣ-Α", "ΑΣ:", "ᾼ ῌ ῼ Ὀδυσσεύς", "Ω Å K µ", "Ⴀა Ა ᲀ", "Հայերեն ԵՒ և",
    "עברית שָׁלוֹם", "العربية مَرْحَبًا", "فارسی ۱۲۳ ٤٥٦", "اردو ہے", "ܫܠܡܐ ދިވެހި",
    "हिन्दी नमस्ते", "বাংলা ভাষা", "ਪੰਜਾਬੀ ગુજરાતી", "தமிழ் మలయాళం ಕನ್ನಡ മലയാളം", "සිංහල",
    "ไทย สวัสดี", "ລາວ မြန်မာ ខ្មែរ", "བོད་སྐད", "ქართული", "አማርኛ", "ᏣᎳᎩ ꮳꮃꭹ", "ᐃᓄᒃᑎᑐᑦ", "ᚠᚢᚦ",
    "ᠮᠣᠩᠭᠣᠯ", "中文 漢字", "日本語 カタカナ ひらがな", "がぎぐ か\u3099き\u3099", "한국어", "\u1112\u1161\u11ab", "ㄅㄆㄇ",
    "𠮷野家 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛", "𐐀𐐨 𐌰𐌱 𒀀", "Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ", "Ĳsland ĳs ŉ", "ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ",
    "ﬓ ﬗ שׁ ﷺ ﻻ", "Ｆｕｌｌ\u3000ｗｉｄｔｈ\u3000１２３！", "ｶﾀｶﾅ ｶﾞ ﾊﾟ ﾡﾢ", "￠￡￢￣￤￥￦ ￨￩￭￮", "Ⓐⓐ ⒜ ㏂ ㎏ ℡ ™ ℠",
    "e\u0301 é a\u0308\u0301 ạ\u0306", "q\u0323\u0307 q\u0307\u0323", "\u0345", "a\u0345b",
    "ᾳ α\u0345", "ϴ ẞ ſ ẛ", "ℵ ℜ ℝ ∀x∈ℝ: ∃y", "→ ⇒ ↦ ⌘ ⏎", "♠♥♦♣ ♪ ♫ ☃ ☀️",
    "👨\u200d👩\u200d👧\u200d👦", "👍🏽 👩🏿\u200d🚀", "🏳️\u200d🌈 🏴\u200d☠️", "🇫🇷🇯🇵 🇽", "1️⃣ #️⃣",
    "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f", "😀😃 😄😁x😆",
    "ಠ_ಠ (╯°□°)╯︵ ┻━┻ ¯\\_(ツ)_/¯", "\ue000 \uf8ff \U000f0000 \U0010fffd",
    "\ufffe \uffff \U0001ffff", "\ufffd a\ufffdb",
]

SPACES = [
    "  two  spaces  ", "tab\ttab", "line\nline", "line\r\nline\rline", "a\n\n\nb", "\n", "\t \r\n",
    "a\x0bb\x0cc", "a\x85b", "a\xa0b", "a\u1680b\u2000c\u2003d\u2009e\u200af", "a\u2028b\u2029c",
    "a\u202fb\u205fc\u3000d", "a\u200bb\u200cc\u200dd\u2060e", "\ufeffstart", "mid\ufeffdle",
    "a\u180eb", "soft\u00adhyphen", "\x1c\x1d\x1e\x1fa\x1c\x1d\x1e\x1fb", "\u3000 a \u3000",
    "a \u200b b", "\xa0",
]

CONTROLS = [
    "\0", "a\0b", "\0\0", "".join(map(chr, range(32))), "\x7fdel\x7f",
    "".join(map(chr, range(0x80, 0xa0))), "x\x80y\x99z", "\x1b[31mred\x1b[0m",
    "\x1b[1;32;40mbold\x1b[m", "\x1b[", "\x1b[1", "\x1b[12;;x!", "\x1b\x1b[0m[0m", "\x1b[٣mx",
    "\x1b]0;title\x07", "\u200ertl\u200f \u202aembed\u202c \u2066iso\u2069", "\u206a\u206b\u206f",
    "\ufff9a\ufffab\ufffb", "\ufffc", "\ufe0e\ufe0f", "\x1a a\x1ab",
]

QUOTES = [
    "“quoted” ‘single’ „low‚ ‛rev‟", "it’s", "don‘t", "ʼn ʻokina", "«guillemets» ‹x›",
    "′prime″ `grave´", "… – — ― ‐ ‑", "'‘’'", "5′ 10″",
]

HTML = [
    "&amp;", "&amp", "&AMP;", "AT&T", "&lt;b&gt;", "<b>&lt;</b>", "<b>\n&amp;amp;",
    "&amp;amp;amp;amp;lt;", "&eacute;&Eacute;", "P&EACUTE;REZ", "&NTILDE; &nTILDE;",
    "BUNDESSTRA&SZLIG;E", "&nbsp;x&nbsp;", "&copy;2020 &copy2020", "&notin; &notit; &not",
    "&CounterClockwiseContourIntegral;", "&NotEqualTilde; &acE; &fjlig;", "&#39; &#x27; &#X27;",
    "&#0;", "&#x0;", "&#1;", "&#9;a&#10;b&#13;c", "&#128; &#x99; &#x81; &#159;", "&#xD800;",
    "&#xFDD0;", "&#xFFFE; &#x1FFFF;", "&#1114111; &#1114112;", "&#99999999999999999999;",
    "&#x1F600;", "&#x1f600", "&#;", "&#x;", "&#xg;", "&#12a;", "&#59;", "&#x3b;x", "&;", "&", "&&",
    "& ", "&&amp;", "&a;", "&amp;#39;", "&amp;#x26;lt;", "&quot;it&apos;s&quot;",
    "&lsquo;a&rsquo; &ldquo;b&rdquo;", "&Atilde;&copy;", "&acirc;&euro;&trade;", "&ATILDE;&SUP3;",
    "&frac12; &sup2; &hearts;", "&thetasym; &Sigma;&Sigma;", "&zwj; &shy; &ensp;", "&#x1b;[0m",
    "&LT;script&GT;", "&" + "amp;" * 300 + "lt;", "&lt;|endoftext|&gt;", "&lt;|startoftext|&gt; x",
    "&eacute", "&eacutex", "&Jscr;ohn &HilbertSpace;ancock", "&NewLine;&Tab;x", "a&#8203;b",
    "&#xFEFF;x",
]

SPECIAL = [
    "<|startoftext|>", "<|endoftext|>", "a<|endoftext|>b", "<|startoftext|><|endoftext|>",
    "<|ENDOFTEXT|>", "<|StartOfText|>", "<|ſtartoftext|>", "<|startoftext|", "<|endoftext>",
    "<<|endoftext|>>", "!<|endoftext|>", "< |endoftext|>", "<|endoftext|>'s", "</w>", "a</w>",
    "a</w> b", "<|ｅndoftext|>",
]

GARBLED = [
    "âœ” No problems", "schÃ¶n", "The Mona Lisa doesnÃ¢â‚¬â„¢t have eyebrows.", "l’humanitÃ©",
    "Ã perturber", "voilÃ le travail", "Ã la mode", "Ã", " Ã ", "Ã quele", "Ã  la", "SÃ£o Paulo",
    "Ãƒâ€šÃ‚Â ", "Â£5", "10Â°C", "â€œlike thisâ€�", "â€�", "ï¿½", "Ã¯Â¿Â½", "â€?", "Ã?", "ðŸ˜€",
    "ðŸ˜ ", "ðŸ ˜", "í ½í¸€", "í\xa0½í¸\x80", "í?½í¸?", "À\x80 Ã©", "â‚¬", "à¤¹à¤¿à¤¨à¥\x8dà¤¦à¥€",
    "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "РїСЂРёРІРµС‚", "вЂњС†РёС‚Р°С‚Р°вЂќ", "ГўВЂВ™ s", "Î•Î»Î»Î¬Î´Î±",
    "Ξ•Ξ»Ξ»Ξ¬Ξ΄Ξ±", "β€™", "Ä‡ Ä\x8d", "ā€™", "‚Äôtis", "√©t√©", "≈°", "‚âà", "├⌐t├⌐",
    "ΓÇ£cp437ΓÇ¥", "∩┐╜", "日本語ã\x81®", "œ x œ1 œa", "ÂÂÂ", "ÃÂÃÂ", "a Â b", "end.Â ", "×²", "à²²",
    "Ø³Ù„Ø§Ù…", "Å¡ Ã… Ã…", "ÃŸ Ãœ", "I â™¥ NY", "café â€” déjà", "Ħ€ ā€œ", "[ÀÁÂÃÄ] (ÒÓÔ) ¿ÑÑÑ?",
    "100€ 50£ ¥¥", "a\x85b…", "AHÅ™, the new sofa from IKEA", "Ô_Ô ò_ó Ø_Ø", "MÜLLER® GRÜẞE°",
]


def clipped(text):
    return "".join(c for c in text if unicodedata.category(c) != "Cn" or ord(c) >= 0xFFFD)


def mojibake():
    """Sentences whose UTF-8 was read in each encoding that ftfy undoes, some twice or damaged."""
    sentences = [
        "naïve “quoted” – café…", "Привет, мир", "Ελλάδα — ΟΔΟΣ", "日本語 ひらがな",
        "😀 ok 👍🏽", "à la mode, être", "שלום العربية",
    ]
    for i, encoding in enumerate(ftfy.chardata.CHARMAP_ENCODINGS):
        for j, sentence in enumerate(sentences):
            garbled = sentence.encode().decode(encoding)
            yield garbled
            if j == i % len(sentences):
                yield garbled.encode().decode(encoding)
                yield garbled.encode().decode("sloppy-windows-1252")
                yield f"{sentence} <-> {garbled}\n{garbled} plain"
                yield re.sub("[\x81\x9d]", "\ufffd", garbled.replace("\xa0", " "))
                yield garbled[:-1]


def mixtures(count):
    """Characters drawn from all of the above."""
    source = random.Random(77)
    pool = PROSE + SCRIPTS + SPACES + CONTROLS + QUOTES + HTML + SPECIAL + GARBLED
    words = [word for text in pool for word in text.split(" ") if len(word) < 20]
    for _ in range(count):
        yield source.choice([" ", "", "\n"]).join(source.choices(words, k=source.randrange(2, 12)))


def escape(text):
    return "".join(c if c.isprintable() and c != "\\" else f"\\u{{{ord(c):X}}}" for c in text)


def main():
    path = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "data" / "tokens.txt")
    texts = PROSE + SCRIPTS + SPACES + CONTROLS + QUOTES + HTML + SPECIAL + GARBLED
    texts = list(dict.fromkeys(clipped(text) for text in [*texts, *mojibake(), *mixtures(60)]))
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for text in texts:
            ids = clip.tokenize(text, context_length=4096)[0].tolist()
            while ids[-1] == 0:
                ids.pop()
            out.write(f"{escape(text)}\t{' '.join(map(str, ids))}\n")
    print(f"{path}: {len(texts)} texts")


if __name__ == "__main__":
    main()
