# SPDX-License-Identifier: MIT
"""Every kind of picture file the original's transform can meet: name -> function of a random
generator, a width and a height that gives a file's bytes."""
import io
import struct

import numpy as np
from PIL import Image

import picture_writers as write

KINDS = {}


# Valid files that Pillow 13.0 refuses or garbles, and clipc reads as they are meant (or refuses).
DIFFERENT = {
    "gif_grey_local": "a local palette of greys after a global one in colour: refused",
    "tiff_grey16_be": "big-endian 16-bit grey: bytes are swapped before mixing",
    "tiff_grey16_lzw_be": "the same",
    "tiff_grey16_signed_lzw_be": "compressed big-endian numbers wider than a byte: swapped twice",
    "tiff_grey32_signed_lzw_be": "the same",
    "tiff_float_deflate_be": "the same",
    "tiff_grey16_white_be": "refused, though little-endian is read",
    "tiff_grey32_be": "the same",
    "tiff_big_be": "big-endian BigTIFF: refused",
    "tiff_rgb16_planar": "planes of 16 bits, uncompressed: taken for 8 bits",
    "tiff_rgbx_planar": "planes with an unspecified one: refused",
    "tiff_rgba_bare_planar_lzw": "alpha in its own plane that nothing describes: divided by it",
    "tiff_la_planar_lzw": "grey and alpha in planes: black",
    "tiff_pa": "palette and alpha: black (clipc refuses it)",
    "tiff_pa_lzw": "the same",
    "tiff_ycbcr": "uncompressed YCbCr: resized before the conversion to RGB",
    "tiff_ycbcr_grey": "YCbCr of one sample: taken for grey (clipc refuses it)",
    "tiff_lab": "CIE L*a*b*, through a colour management library (clipc refuses it)",
}


def kind(name, function):
    assert name not in KINDS, name
    KINDS[name] = function


# ---------------------------------------------------------------------------------------- contents


def drawing(rng, width, height, channels, top=255):
    """Slopes, a few rectangles and some noise: shrinks well, has edges, fills the range."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    out = np.empty((height, width, channels))
    for c in range(channels):
        slope = rng.normal(size=2)
        out[:, :, c] = slope[0] * x / max(width, 8) + slope[1] * y / max(height, 8)
        for _ in range(3):
            x0, y0 = rng.integers(width), rng.integers(height)
            out[y0:y0 + 1 + rng.integers(height), x0:x0 + 1 + rng.integers(width), c] += (
                rng.normal())
    out -= out.min()
    out *= top / max(out.max(), 1e-9)
    out += rng.integers(-top // 16 - 1, top // 16 + 2, out.shape) * (rng.random(out.shape) < 0.1)
    return np.clip(np.rint(out), 0, top).astype(np.int64)


def indices(rng, width, height, count):
    return drawing(rng, width, height, 1, count - 1)[:, :, 0].astype(np.uint8)


def colours(rng, count):
    return rng.integers(0, 256, (count, 3))


def with_alpha(samples, top):
    """Alpha in the last channel with all of nothing, everything and between."""
    alpha = samples[:, :, -1]
    alpha[alpha < top // 4] = 0
    alpha[alpha > top * 3 // 4] = top
    return samples


def pillow(mode, form, **options):
    def make(rng, width, height):
        samples = drawing(rng, width, height, 4).astype(np.uint8)
        if mode in ("LA", "RGBA"):
            samples = with_alpha(samples, 255)
        bands = {"L": 1, "LA": 2, "P": 1, "1": 1, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
        if mode == "1":
            picture = Image.fromarray(samples[:, :, 0]).convert("1")
        elif mode == "P":
            picture = Image.fromarray(samples[:, :, 0]).convert("P")
            picture.putpalette(colours(rng, 256).astype(np.uint8).tobytes())
        else:
            picture = Image.merge(mode, [Image.fromarray(np.ascontiguousarray(samples[:, :, -i]))
                                         for i in range(bands, 0, -1)])
        out = io.BytesIO()
        chosen = {key: value(rng) if callable(value) else value for key, value in options.items()}
        picture.save(out, form, **chosen)
        return out.getvalue()
    return make


# -------------------------------------------------------------------------------------------- JPEG

for _name, _sub in (("444", 0), ("422", 1), ("420", 2)):
    kind(f"jpeg_{_name}", pillow("RGB", "JPEG", subsampling=_sub, quality=85))
    kind(f"jpeg_{_name}_progressive",
         pillow("RGB", "JPEG", subsampling=_sub, quality=70, progressive=True))
kind("jpeg_grey", pillow("L", "JPEG", quality=60))
kind("jpeg_grey_progressive", pillow("L", "JPEG", quality=90, progressive=True))
kind("jpeg_cmyk_adobe", pillow("CMYK", "JPEG", quality=80))
kind("jpeg_cmyk_progressive", pillow("CMYK", "JPEG", quality=80, progressive=True))
kind("jpeg_restart_rows", pillow("RGB", "JPEG", restart_marker_rows=1))
kind("jpeg_low_quality", pillow("RGB", "JPEG", quality=3))


def own_jpeg(sampling, **options):
    def make(rng, width, height):
        return write.jpeg(drawing(rng, width, height, len(sampling)), sampling, **options)
    return make


for _name, _luma in (("440", (1, 2)), ("411", (4, 1)), ("410", (4, 2)), ("441", (1, 4)),
                     ("420", (2, 2)), ("422", (2, 1)), ("311", (3, 1))):
    kind(f"jpeg_own_{_name}", own_jpeg([_luma, (1, 1), (1, 1)], jfif=True))
kind("jpeg_own_odd_factors", own_jpeg([(2, 2), (2, 1), (1, 2)], jfif=True))
kind("jpeg_own_luma_below_chroma", own_jpeg([(1, 1), (2, 2), (1, 1)], jfif=True))
kind("jpeg_own_grey_22", own_jpeg([(2, 2)]))
kind("jpeg_own_restart", own_jpeg([(2, 1), (1, 1), (1, 1)], restart=2, jfif=True))
kind("jpeg_own_separate_scans", own_jpeg([(2, 2), (1, 1), (1, 1)], separate=True, jfif=True))
kind("jpeg_own_no_marker", own_jpeg([(1, 1)] * 3))
kind("jpeg_own_rgb_ids", own_jpeg([(1, 1)] * 3, ids=[82, 71, 66]))
kind("jpeg_own_rgb_adobe", own_jpeg([(1, 1)] * 3, adobe=0))
kind("jpeg_own_ycc_adobe", own_jpeg([(2, 1), (1, 1), (1, 1)], adobe=1))
kind("jpeg_own_cmyk_plain", own_jpeg([(1, 1)] * 4))
kind("jpeg_own_cmyk_adobe", own_jpeg([(1, 1)] * 4, adobe=0))
kind("jpeg_own_ycck", own_jpeg([(2, 2), (1, 1), (1, 1), (2, 2)], adobe=2))
kind("jpeg_own_ycck_444", own_jpeg([(1, 1)] * 4, adobe=2))
kind("jpeg_own_coarse", own_jpeg([(2, 2), (1, 1), (1, 1)], quantum=200, jfif=True))


def jpeg_exif(orientation, **options):
    def make(rng, width, height):
        return write.jpeg(drawing(rng, width, height, 1), [(1, 1)],
                          exif_block=write.exif(orientation, **options))
    return make


for _orientation in range(1, 9):
    kind(f"jpeg_exif_{_orientation}",
         jpeg_exif(_orientation, order="<>"[_orientation % 2], entries_before=_orientation % 3))
kind("jpeg_exif_0", jpeg_exif(0))
kind("jpeg_exif_9", jpeg_exif(9))
kind("jpeg_exif_long", jpeg_exif(6, kind=4))
kind("jpeg_exif_damaged", lambda rng, width, height: write.jpeg(
    drawing(rng, width, height, 1), [(1, 1)], exif_block=b"II*\0\xff\xff\xff\xff"))


def jpeg_second_app1(rng, width, height):
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x/>"
    block = b"Exif\0\0" + write.exif(8)
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", 2 + len(part)) + part
                        for part in (xmp, block))
    return write.jpeg(drawing(rng, width, height, 3), [(1, 1)] * 3, jfif=True, segments=segments)


kind("jpeg_exif_after_xmp", jpeg_second_app1)
kind("jpeg_trailing_bytes",
     lambda rng, w, h: write.jpeg(drawing(rng, w, h, 3), [(1, 1)] * 3) + b"\0\1\2 more")
kind("jpeg_comment", own_jpeg([(1, 1)], segments=b"\xff\xfe\0\x06text\xff\xff\xff"))

# --------------------------------------------------------------------------------------------- PNG


def png(depth, colour_type, interlaced=False, chunks=(), late=(), opaque=False, **options):
    def make(rng, width, height):
        channels = write.PNG_CHANNELS[colour_type]
        top = (1 << depth) - 1
        if colour_type == 3:
            samples = indices(rng, width, height, 1 << depth)[:, :, None]
            table = [(b"PLTE", colours(rng, 1 << depth).astype(np.uint8).tobytes())]
        else:
            samples = drawing(rng, width, height, channels, top)
            table = []
        if colour_type >= 4:
            samples = with_alpha(samples, top)
        made = [(name, data(rng, samples) if callable(data) else data) for name, data in chunks]
        before = [pair for pair in made if pair[0] != b"tRNS"]
        after = [pair for pair in made if pair[0] == b"tRNS"]
        return write.png(samples, depth, colour_type, rng, interlaced=interlaced,
                         chunks=before + table + after, late=late, **options)
    return make


for _type, _depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)),
                       (6, (8, 16))):
    for _depth in _depths:
        kind(f"png_type{_type}_{_depth}", png(_depth, _type))
        kind(f"png_type{_type}_{_depth}_interlaced", png(_depth, _type, interlaced=True))


def grey_key(rng, samples):
    return struct.pack(">H", int(samples[0, 0, 0]))


def rgb_key(rng, samples):
    return struct.pack(">HHH", *samples[0, 0].tolist())


for _depth in (1, 2, 4, 8, 16):
    kind(f"png_type0_{_depth}_trns", png(_depth, 0, chunks=[(b"tRNS", grey_key)]))
for _depth in (8, 16):
    kind(f"png_type2_{_depth}_trns", png(_depth, 2, chunks=[(b"tRNS", rgb_key)]))
for _depth in (1, 2, 4, 8):
    kind(f"png_type3_{_depth}_trns",
         png(_depth, 3, chunks=[(b"tRNS", lambda rng, s: rng.bytes(2))]))
kind("png_type3_8_trns_one", png(8, 3, chunks=[(b"tRNS", b"\xff\xff\0")]))
kind("png_gamma", png(8, 2, chunks=[(b"gAMA", struct.pack(">I", 100000))]))
kind("png_gamma_16", png(16, 6, chunks=[(b"gAMA", struct.pack(">I", 220000))]))
kind("png_srgb_bkgd", png(8, 6, chunks=[(b"sRGB", b"\0"), (b"bKGD", b"\0\xff\0\x80\0\0")]))
kind("png_sbit", png(8, 2, chunks=[(b"sBIT", b"\5\6\5")]))
kind("png_many_idat", png(8, 2, idat=37))
kind("png_exif_6", png(8, 2, chunks=[(b"eXIf", write.exif(6))]))
kind("png_exif_3_late", png(8, 0, late=[(b"eXIf", write.exif(3, order=">"))]))
kind("png_text", png(8, 0, chunks=[(b"tEXt", b"Title\0words")], late=[(b"tEXt", b"A\0b")]))
kind("png_unknown_chunk", png(8, 2, chunks=[(b"prVt", b"1234")]))


def png_short_palette(depth, count, extra=()):
    def make(rng, width, height):
        samples = indices(rng, width, height, 1 << depth)[:, :, None]
        table = colours(rng, count).astype(np.uint8).tobytes()
        return write.png(samples, depth, 3, rng, chunks=[(b"PLTE", table), *extra])
    return make


kind("png_type3_8_short_palette", png_short_palette(8, 100))
kind("png_type3_4_short_palette", png_short_palette(4, 5))


def png_animated(rng, width, height):
    samples = drawing(rng, width, height, 3)
    control = struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 10, 0, 0)
    return write.png(samples, 8, 2, rng, chunks=[(b"acTL", struct.pack(">II", 1, 0)),
                                                 (b"fcTL", control)])


kind("png_animated", png_animated)
kind("png_rgb_with_palette",
     png(8, 2, chunks=[(b"PLTE", bytes(range(12)))]))

# -------------------------------------------------------------------------------------------- WebP

kind("webp_lossy", pillow("RGB", "WEBP", quality=75))
kind("webp_lossy_low", pillow("RGB", "WEBP", quality=5))
kind("webp_lossy_alpha", pillow("RGBA", "WEBP", quality=70))
kind("webp_lossless", pillow("RGB", "WEBP", lossless=True))
kind("webp_lossless_alpha", pillow("RGBA", "WEBP", lossless=True))
kind("webp_lossless_exact", pillow("RGBA", "WEBP", lossless=True, exact=True))
kind("webp_exif_5", pillow("RGB", "WEBP", lossless=True, exif=write.exif(5)))
kind("webp_exif_prefixed", pillow("RGB", "WEBP", exif=b"Exif\0\0" + write.exif(7, order=">")))


def webp_animated(mode):
    def make(rng, width, height):
        frames = [Image.fromarray(drawing(rng, width, height, 4).astype(np.uint8), "RGBA")
                  .convert(mode) for _ in range(2)]
        out = io.BytesIO()
        frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=50,
                       lossless=True, background=(255, 0, 0, 255))
        return out.getvalue()
    return make


kind("webp_animated", webp_animated("RGB"))
kind("webp_animated_alpha", webp_animated("RGBA"))

# --------------------------------------------------------------------------------------------- GIF


def gif(count=256, screen=(0, 0), **options):
    """screen: how much larger than the frame."""
    def make(rng, width, height):
        chosen = {key: value(rng) if callable(value) else value for key, value in options.items()}
        frame = {"indices": indices(rng, width, height, count)}
        for key in ("left", "top", "transparent", "interlaced", "bits", "dispose", "before",
                    "block"):
            if key in chosen:
                frame[key] = chosen.pop(key)
        if "local" in chosen:
            frame["palette"] = chosen.pop("local")
        return write.gif([frame], screen=(width + screen[0], height + screen[1]), **chosen)
    return make


GREYS = np.repeat(np.arange(256)[:, None], 3, axis=1)

kind("gif_87a", gif(palette=lambda rng: colours(rng, 256), version=b"GIF87a"))
kind("gif_89a", gif(palette=lambda rng: colours(rng, 256)))
kind("gif_2_colours", gif(2, palette=lambda rng: colours(rng, 2), bits=2))
kind("gif_16_colours", gif(16, palette=lambda rng: colours(rng, 16), bits=4))
kind("gif_transparent", gif(palette=lambda rng: colours(rng, 256), transparent=7))
kind("gif_interlaced", gif(palette=lambda rng: colours(rng, 256), interlaced=True))
kind("gif_small_blocks", gif(palette=lambda rng: colours(rng, 256), block=3))
kind("gif_offset", gif(palette=lambda rng: colours(rng, 256), screen=(9, 6), left=4, top=3))
kind("gif_offset_transparent", gif(palette=lambda rng: colours(rng, 256), screen=(9, 6), left=4,
                                   top=3, transparent=200))
kind("gif_offset_interlaced", gif(palette=lambda rng: colours(rng, 256), screen=(5, 11), left=5,
                                  top=6, interlaced=True, background=3))
kind("gif_beyond_screen", gif(palette=lambda rng: colours(rng, 256), screen=(-1, -1), left=2))
kind("gif_local_palette", gif(local=lambda rng: colours(rng, 256)))
kind("gif_both_palettes", gif(palette=lambda rng: colours(rng, 4),
                              local=lambda rng: colours(rng, 256)))
kind("gif_no_palette", gif())
kind("gif_grey_palette", gif(palette=GREYS))
kind("gif_grey_palette_transparent", gif(palette=GREYS, transparent=9, screen=(3, 3)))
kind("gif_grey_local", gif(palette=lambda rng: colours(rng, 256), local=GREYS))
kind("gif_short_grey_palette", gif(4, palette=GREYS[:4], bits=2))
kind("gif_index_beyond_palette", gif(palette=lambda rng: colours(rng, 8)))
kind("gif_dispose", gif(palette=lambda rng: colours(rng, 256), dispose=2, screen=(3, 3)))
kind("gif_comment", gif(palette=lambda rng: colours(rng, 256), before=b"!\xfe\4text\0"))
kind("gif_two_controls", gif(palette=lambda rng: colours(rng, 256), transparent=5, screen=(4, 4),
                             before=b"!\xf9\4\0\0\0\0\0"))


def gif_animated(rng, width, height):
    frames = [{"indices": indices(rng, width, height, 256), "transparent": 1, "dispose": 1},
              {"indices": indices(rng, width, height, 256), "transparent": 1}]
    return write.gif(frames, screen=(width, height), palette=colours(rng, 256))


kind("gif_animated", gif_animated)

# --------------------------------------------------------------------------------------------- BMP


def bmp_indexed(bits, count=None, palette=None, top_down=False, **options):
    def make(rng, width, height):
        table = palette if palette is not None else colours(rng, count or 1 << bits)
        rows = [write.pack_bits(row, bits)
                for row in indices(rng, width, height, min(1 << bits, len(table)))]
        return write.bmp(write.bmp_rows(rows, top_down), bits, (width, height), palette=table,
                         top_down=top_down, **options)
    return make


for _bits in (1, 4, 8):
    kind(f"bmp_{_bits}", bmp_indexed(_bits))
    kind(f"bmp_{_bits}_os2", bmp_indexed(_bits, header=12))
    kind(f"bmp_{_bits}_top_down", bmp_indexed(_bits, top_down=True))
kind("bmp_8_few_colours", bmp_indexed(8, count=19))
kind("bmp_8_grey", bmp_indexed(8, palette=GREYS))
kind("bmp_8_grey_few", bmp_indexed(8, palette=GREYS[:50]))
kind("bmp_8_black_white", bmp_indexed(8, palette=GREYS[[0, 255]]))
kind("bmp_4_grey", bmp_indexed(4, palette=GREYS[:16]))
kind("bmp_1_black_white", bmp_indexed(1, palette=GREYS[[0, 255]]))
kind("bmp_1_white_black", bmp_indexed(1, palette=GREYS[[255, 0]]))
kind("bmp_1_one_black", bmp_indexed(1, palette=GREYS[[0]]))
kind("bmp_8_gap", bmp_indexed(8, gap=10))
kind("bmp_8_no_offset", bmp_indexed(8, no_offset=True))
kind("bmp_4_v4", bmp_indexed(4, header=108))
kind("bmp_8_os2_v2", bmp_indexed(8, header=64))


def bmp_direct(bits, top_down=False, **options):
    def make(rng, width, height):
        samples = drawing(rng, width, height, bits // 8)
        if bits == 16:
            samples = rng.integers(0, 256, samples.shape)
        rows = [row.astype(np.uint8).tobytes() for row in samples]
        return write.bmp(write.bmp_rows(rows, top_down), bits, (width, height), top_down=top_down,
                         **options)
    return make


for _bits in (16, 24, 32):
    kind(f"bmp_{_bits}", bmp_direct(_bits))
    kind(f"bmp_{_bits}_top_down", bmp_direct(_bits, top_down=True))
kind("bmp_24_os2", bmp_direct(24, header=12))
kind("bmp_24_v5", bmp_direct(24, header=124))
kind("bmp_24_colours_given", bmp_direct(24, colours=3))
kind("bmp_16_565", bmp_direct(16, compression=3, masks=(0xF800, 0x7E0, 0x1F)))
kind("bmp_16_555", bmp_direct(16, compression=3, masks=(0x7C00, 0x3E0, 0x1F)))
kind("bmp_24_masks", bmp_direct(24, compression=3, masks=(0xFF0000, 0xFF00, 0xFF)))
for _name, _masks in (("bgrx", (0xFF0000, 0xFF00, 0xFF, 0)),
                      ("xbgr", (0xFF000000, 0xFF0000, 0xFF00, 0)),
                      ("bgxr", (0xFF000000, 0xFF00, 0xFF, 0)),
                      ("abgr", (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
                      ("rgba", (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
                      ("bgra", (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
                      ("bgar", (0xFF000000, 0xFF00, 0xFF, 0xFF0000)),
                      ("none", (0, 0, 0, 0)),
                      ("odd", (0xFF00, 0xFF0000, 0xFF, 0))):
    kind(f"bmp_32_{_name}", bmp_direct(32, compression=3, masks=_masks, header=108))
kind("bmp_32_masks_40", bmp_direct(32, compression=3, masks=(0xFF0000, 0xFF00, 0xFF)))
kind("bmp_32_masks_52", bmp_direct(32, compression=3, header=52, masks=(0xFF0000, 0xFF00, 0xFF)))
kind("bmp_32_masks_56", bmp_direct(32, compression=3, header=56,
                                   masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000)))


def bmp_runs(bits, top_down=False, palette=None, end=True):
    def make(rng, width, height):
        table = palette if palette is not None else colours(rng, 1 << bits)
        picture = indices(rng, width, height, len(table))
        data = write.bmp_rle(picture, rng, bits == 4, end)
        return write.bmp(data, bits, (width, height), palette=table, top_down=top_down,
                         compression=2 if bits == 4 else 1)
    return make


for _bits in (4, 8):
    kind(f"bmp_rle{_bits}", bmp_runs(_bits))
    kind(f"bmp_rle{_bits}_top_down", bmp_runs(_bits, top_down=True))
    kind(f"bmp_rle{_bits}_no_end", bmp_runs(_bits, end=False))
kind("bmp_rle8_grey", bmp_runs(8, palette=GREYS))
kind("bmp_rle4_grey", bmp_runs(4, palette=GREYS[:16]))
kind("bmp_rle8_black_white", bmp_runs(8, palette=GREYS[[0, 255]]))

# -------------------------------------------------------------------------------------------- TIFF


def tiff(channels, bits, photometric, **options):
    def make(rng, width, height):
        chosen = {key: value(rng) if callable(value) else value for key, value in options.items()}
        sample_format = chosen.get("sample_format", 1)
        top = min((1 << bits) - 1, 255 * 40) if bits > 8 else (1 << bits) - 1
        samples = drawing(rng, width, height, channels, top)
        if chosen.pop("alpha", False):
            samples = with_alpha(samples, top)
        if bits == 16 and channels > 1:
            samples = samples * 65535 // top
        if bits > 8 and channels == 1:
            samples = samples // 20 - (60 if sample_format != 1 else 0)
        if sample_format == 3:
            samples = samples.astype(np.float32) * np.float32(0.7)
        else:
            samples = samples.astype(f"{'u' if sample_format == 1 else 'i'}{max(bits, 8) // 8}")
        return write.tiff(samples, bits, photometric, **chosen)
    return make


def colour_map(count):
    return lambda rng: rng.integers(0, 65536, (count, 3))


for _order, _end in (("<", "le"), (">", "be")):
    kind(f"tiff_1_{_end}", tiff(1, 1, 1, order=_order))
    kind(f"tiff_1_white_{_end}", tiff(1, 1, 0, order=_order))
    for _bits in (2, 4, 8):
        kind(f"tiff_grey{_bits}_{_end}", tiff(1, _bits, 1, order=_order))
        kind(f"tiff_grey{_bits}_white_{_end}", tiff(1, _bits, 0, order=_order))
    for _bits in (1, 2, 4, 8):
        kind(f"tiff_palette{_bits}_{_end}",
             tiff(1, _bits, 3, order=_order, palette=colour_map(1 << _bits)))
    kind(f"tiff_grey16_{_end}", tiff(1, 16, 1, order=_order))
    kind(f"tiff_grey16_white_{_end}", tiff(1, 16, 0, order=_order))
    kind(f"tiff_grey16_signed_{_end}", tiff(1, 16, 1, order=_order, sample_format=2))
    kind(f"tiff_grey8_signed_{_end}", tiff(1, 8, 1, order=_order, sample_format=2))
    kind(f"tiff_grey32_{_end}", tiff(1, 32, 1, order=_order))
    kind(f"tiff_grey32_signed_{_end}", tiff(1, 32, 1, order=_order, sample_format=2))
    kind(f"tiff_float_{_end}", tiff(1, 32, 1, order=_order, sample_format=3))
    kind(f"tiff_float_white_{_end}", tiff(1, 32, 0, order=_order, sample_format=3))
    kind(f"tiff_rgb_{_end}", tiff(3, 8, 2, order=_order))
    kind(f"tiff_rgb16_{_end}", tiff(3, 16, 2, order=_order))
    kind(f"tiff_rgba16_{_end}", tiff(4, 16, 2, order=_order, extra=(2,), alpha=True))
    kind(f"tiff_rgba16_pre_{_end}", tiff(4, 16, 2, order=_order, extra=(1,), alpha=True))
    kind(f"tiff_rgbx16_{_end}", tiff(4, 16, 2, order=_order, extra=(0,)))
    kind(f"tiff_rgba16_bare_{_end}", tiff(4, 16, 2, order=_order, alpha=True))
    kind(f"tiff_cmyk16_{_end}", tiff(4, 16, 5, order=_order))
    kind(f"tiff_grey16_lzw_{_end}", tiff(1, 16, 1, order=_order, compression=5))
    kind(f"tiff_grey16_signed_lzw_{_end}",
         tiff(1, 16, 1, order=_order, compression=5, sample_format=2))
    kind(f"tiff_grey32_signed_lzw_{_end}",
         tiff(1, 32, 1, order=_order, compression=5, sample_format=2))
    kind(f"tiff_float_deflate_{_end}",
         tiff(1, 32, 1, order=_order, compression=8, sample_format=3))
    kind(f"tiff_rgb16_deflate_{_end}", tiff(3, 16, 2, order=_order, compression=8))
    kind(f"tiff_rgba16_lzw_{_end}", tiff(4, 16, 2, order=_order, compression=5, extra=(2,)))
    kind(f"tiff_cmyk16_lzw_{_end}", tiff(4, 16, 5, order=_order, compression=5))
    kind(f"tiff_big_{_end}", tiff(3, 8, 2, order=_order, big=True))
kind("tiff_rgba", tiff(4, 8, 2, extra=(2,), alpha=True))
kind("tiff_rgba_pre", tiff(4, 8, 2, extra=(1,), alpha=True))
kind("tiff_rgba_pre_lzw", tiff(4, 8, 2, extra=(1,), alpha=True, compression=5))
kind("tiff_rgba_pre_planar_lzw",
     tiff(4, 8, 2, extra=(1,), alpha=True, compression=5, planar=True))
kind("tiff_rgba_bare_planar_lzw", tiff(4, 8, 2, alpha=True, compression=5, planar=True))
kind("tiff_rgba_planar_lzw", tiff(4, 8, 2, extra=(2,), alpha=True, compression=5, planar=True))
kind("tiff_rgbx_planar_lzw", tiff(4, 8, 2, extra=(0,), compression=5, planar=True))
kind("tiff_rgbx_planar", tiff(4, 8, 2, extra=(0,), planar=True))
kind("tiff_rgba_bare", tiff(4, 8, 2, alpha=True))
kind("tiff_rgba_corel", tiff(4, 8, 2, extra=(999,), alpha=True))
kind("tiff_rgbx", tiff(4, 8, 2, extra=(0,)))
kind("tiff_rgbxx", tiff(5, 8, 2, extra=(0, 0)))
kind("tiff_rgbxxx", tiff(6, 8, 2, extra=(0, 0, 0)))
kind("tiff_rgbax", tiff(5, 8, 2, extra=(2, 0)))
kind("tiff_rgbaxx", tiff(6, 8, 2, extra=(2, 0, 0)))
kind("tiff_rgbax_pre", tiff(5, 8, 2, extra=(1, 0)))
kind("tiff_rgbaxx_pre_lzw", tiff(6, 8, 2, extra=(1, 0, 0), compression=5))
kind("tiff_rgbxa", tiff(5, 8, 2, extra=(0, 2)))
kind("tiff_rgbxx_unnamed", tiff(5, 8, 2))
kind("tiff_la", tiff(2, 8, 1, extra=(2,), alpha=True))
kind("tiff_la_pre", tiff(2, 8, 1, extra=(1,), alpha=True))
kind("tiff_la_pre_lzw", tiff(2, 8, 1, extra=(1,), alpha=True, compression=5))
kind("tiff_la_lzw", tiff(2, 8, 1, extra=(2,), alpha=True, compression=5))
kind("tiff_la_planar_lzw", tiff(2, 8, 1, extra=(2,), alpha=True, compression=5, planar=True))
kind("tiff_lx", tiff(2, 8, 1, extra=(0,)))
kind("tiff_lx_white", tiff(2, 8, 0, extra=(0,)))
kind("tiff_la_bare", tiff(2, 8, 1))
kind("tiff_px", tiff(2, 8, 3, extra=(0,), palette=colour_map(256)))
kind("tiff_pa", tiff(2, 8, 3, extra=(2,), palette=colour_map(256)))
kind("tiff_pa_lzw", tiff(2, 8, 3, extra=(2,), palette=colour_map(256), compression=5))
kind("tiff_cmyk", tiff(4, 8, 5))
kind("tiff_cmykx", tiff(5, 8, 5, extra=(0,)))
kind("tiff_cmykxx", tiff(6, 8, 5, extra=(0, 0)))
kind("tiff_cmyk_planar_lzw", tiff(4, 8, 5, compression=5, planar=True))
kind("tiff_cmyk_unnamed", tiff(5, 8, 5))
kind("tiff_rgb_planar", tiff(3, 8, 2, planar=True))
kind("tiff_rgb_planar_strips", tiff(3, 8, 2, planar=True, rows=5))
kind("tiff_rgb16_planar", tiff(3, 16, 2, planar=True))
kind("tiff_rgb16_planar_lzw", tiff(3, 16, 2, planar=True, compression=5))
kind("tiff_rgba16_planar_deflate",
     tiff(4, 16, 2, planar=True, compression=8, extra=(2,), alpha=True))
kind("tiff_rgb_strips", tiff(3, 8, 2, rows=7))
kind("tiff_rgb_tiles", tiff(3, 8, 2, tile=(16, 16)))
kind("tiff_rgb_tiles_lzw", tiff(3, 8, 2, tile=(16, 32), compression=5))
kind("tiff_rgb_tiles_planar_lzw", tiff(3, 8, 2, tile=(32, 16), compression=5, planar=True))
kind("tiff_grey_tiles", tiff(1, 8, 1, tile=(16, 16)))
kind("tiff_1_tiles_lzw", tiff(1, 1, 1, tile=(16, 16), compression=5))
kind("tiff_palette4_tiles", tiff(1, 4, 3, tile=(16, 16), palette=colour_map(16), compression=8))
kind("tiff_grey16_tiles_deflate", tiff(1, 16, 1, tile=(16, 16), compression=8))
for _name, _compression in (("lzw", 5), ("deflate", 8), ("old_deflate", 32946),
                            ("packbits", 32773)):
    kind(f"tiff_rgb_{_name}", tiff(3, 8, 2, compression=_compression, rows=9))
    kind(f"tiff_grey_{_name}", tiff(1, 8, 1, compression=_compression))
    kind(f"tiff_1_{_name}", tiff(1, 1, 0, compression=_compression, rows=4))
    kind(f"tiff_palette4_{_name}",
         tiff(1, 4, 3, compression=_compression, palette=colour_map(16)))
kind("tiff_rgb_lzw_predictor", tiff(3, 8, 2, compression=5, predictor=2))
kind("tiff_rgb16_deflate_predictor", tiff(3, 16, 2, compression=8, predictor=2, order=">"))
kind("tiff_1_fill_order", tiff(1, 1, 1, fill_order=2))
kind("tiff_grey8_fill_order", tiff(1, 8, 1, fill_order=2))
kind("tiff_grey4_white_fill_order", tiff(1, 4, 0, fill_order=2))
kind("tiff_grey16_fill_order", tiff(1, 16, 1, fill_order=2))
kind("tiff_rgb_fill_order", tiff(3, 8, 2, fill_order=2))
kind("tiff_palette8_fill_order", tiff(1, 8, 3, fill_order=2, palette=colour_map(256)))
kind("tiff_1_fill_order_lzw", tiff(1, 1, 1, fill_order=2, compression=5))
kind("tiff_grey_fill_order_packbits", tiff(1, 8, 1, fill_order=2, compression=32773))
for _orientation in range(1, 9):
    kind(f"tiff_orientation_{_orientation}", tiff(1, 8, 1, orientation=_orientation))
kind("tiff_orientation_6_lzw", tiff(3, 8, 2, orientation=6, compression=5))
kind("tiff_orientation_0", tiff(1, 8, 1, orientation=0))
kind("tiff_ycbcr", tiff(3, 8, 6, tags=[(530, "H", [1, 1])]))
kind("tiff_ycbcr_lzw", tiff(3, 8, 6, compression=5, tags=[(530, "H", [1, 1])]))
kind("tiff_ycbcr_grey", tiff(1, 8, 6))
kind("tiff_jpeg_rgb", pillow("RGB", "TIFF", compression="jpeg", quality=90))
kind("tiff_jpeg_grey", pillow("L", "TIFF", compression="jpeg"))
kind("tiff_jpeg_cmyk", pillow("CMYK", "TIFF", compression="jpeg"))
kind("tiff_group3", pillow("1", "TIFF", compression="group3"))
kind("tiff_group4", pillow("1", "TIFF", compression="group4"))
kind("tiff_ccitt", pillow("1", "TIFF", compression="tiff_ccitt"))
kind("tiff_lzma", pillow("RGB", "TIFF", compression="lzma"))
kind("tiff_zstd", pillow("RGB", "TIFF", compression="zstd"))
kind("tiff_lab", tiff(3, 8, 8))
kind("tiff_grey12", tiff(1, 12, 1))
kind("tiff_rgb_float", tiff(3, 32, 2, sample_format=3))
kind("tiff_grey64", tiff(1, 64, 1))


def tiff_two_pages(rng, width, height):
    pages = [Image.fromarray(drawing(rng, width, height, 3).astype(np.uint8)) for _ in range(2)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    return out.getvalue()


kind("tiff_two_pages", tiff_two_pages)
