# SPDX-License-Identifier: MIT
"""Writers of picture files for make_pictures.py and compare_pictures.py.

Pillow writes few of the variants that it reads. These write the others: every colour type and depth
of PNG, JPEG of any sampling and colour space, GIF with all its flags, BMP of every header, TIFF of
every layout. They are simple, not small: no writer looks for the best compression.
"""
import struct
import zlib

import numpy as np

# ------------------------------------------------------------------------------------------- bits


class BitWriter:
    """Bits into bytes; `lowest_first` as GIF wants them, else as TIFF and JPEG do."""

    def __init__(self, lowest_first=False):
        self.lowest_first = lowest_first
        self.bytes = bytearray()
        self.value = self.count = 0

    def put(self, value, count):
        if self.lowest_first:
            self.value |= value << self.count
            self.count += count
            while self.count >= 8:
                self.bytes.append(self.value & 255)
                self.value >>= 8
                self.count -= 8
            return
        self.value = self.value << count | value
        self.count += count
        while self.count >= 8:
            self.count -= 8
            self.bytes.append(self.value >> self.count & 255)
            self.value &= (1 << self.count) - 1

    def finish(self, fill=0):
        if self.count:
            missing = 8 - self.count
            self.put(fill * ((1 << missing) - 1), missing)
        return bytes(self.bytes)


def pack_bits(row, depth):
    """Samples of 1, 2 or 4 bits, the first in the highest bits; 8 and 16 (big-endian) as bytes."""
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    if depth == 16:
        return row.astype(">u2").tobytes()
    out = BitWriter()
    for sample in row:
        out.put(int(sample), depth)
    return out.finish()


def lzw(data, code_bits, lowest_first, early):
    """LZW as in GIF (lowest_first) and TIFF (early: codes grow one entry before they have to)."""
    out = BitWriter(lowest_first)
    clear, end = 1 << code_bits, (1 << code_bits) + 1
    table, width = {}, code_bits + 1

    def reset():
        nonlocal table, width
        table = {bytes([i]): i for i in range(clear)}
        width = code_bits + 1

    reset()
    out.put(clear, width)
    prefix = b""
    following = end + 1
    for byte in data:
        word = prefix + bytes([byte])
        if word in table:
            prefix = word
            continue
        out.put(table[prefix], width)
        table[word] = following
        following += 1
        if following + early > (1 << width) and width < 12:
            width += 1
        if following >= 4094:
            out.put(clear, width)
            reset()
            following = end + 1
        prefix = bytes([byte])
    if prefix:
        out.put(table[prefix], width)
        following += 1
        if following + early > (1 << width) and width < 12:
            width += 1
    out.put(end, width)
    return out.finish()


def packbits(data):
    """Runs and literals, one row at a time."""
    out = bytearray()
    at = 0
    while at < len(data):
        run = 1
        while at + run < len(data) and run < 128 and data[at + run] == data[at]:
            run += 1
        if run > 1:
            out += bytes([257 - run, data[at]])
            at += run
            continue
        start = at
        while at < len(data) and at - start < 128 and (
                at + 1 >= len(data) or data[at + 1] != data[at]):
            at += 1
        if at == start:
            at += 1
        out += bytes([at - start - 1]) + data[start:at]
    return bytes(out)


def exif(orientation, order="<", kind=3, entries_before=0):
    """A TIFF structure whose first directory holds the orientation."""
    mark = b"II" if order == "<" else b"MM"
    fields = [struct.pack(order + "HHI4s", 0x0100 + i, 3, 1, bytes(4))
              for i in range(entries_before)]
    value = struct.pack(order + ("HH" if kind == 3 else "I"),
                        *((orientation, 0) if kind == 3 else (orientation,)))
    fields.append(struct.pack(order + "HHI", 0x0112, kind, 1) + value)
    return (mark + struct.pack(order + "HI", 42, 8) + struct.pack(order + "H", len(fields)) +
            b"".join(fields) + bytes(4))


# -------------------------------------------------------------------------------------------- PNG

PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


def png_chunk(name, data):
    return (struct.pack(">I", len(data)) + name + data +
            struct.pack(">I", zlib.crc32(name + data)))


def png_filter(kind, row, above, step):
    left = bytes(step) + row[:-step] if len(row) >= step else bytes(len(row))
    corner = bytes(step) + above[:-step] if len(row) >= step else bytes(len(row))
    out = bytearray()
    for now, a, b, c in zip(row, left, above, corner):
        p = a + b - c
        distances = abs(p - a), abs(p - b), abs(p - c)
        paeth = (a, b, c)[distances.index(min(distances))]
        out.append(now - (0, a, b, (a + b) // 2, paeth)[kind] & 255)
    return bytes([kind]) + bytes(out)


def png_rows(samples, depth, rng):
    """samples: [height][width * channels per pixel flattened]; each row with a random filter."""
    height, width, channels = samples.shape
    step = max(1, channels * depth // 8)
    above = bytes((width * channels * depth + 7) // 8)
    out = b""
    for y in range(height):
        row = pack_bits(samples[y].reshape(-1), depth)
        out += png_filter(int(rng.integers(5)), row, above, step)
        above = row
    return out


def png(samples, depth, colour_type, rng, *, interlaced=False, chunks=(), late=(), idat=1 << 30):
    """samples: [height][width][channels]. `chunks` stand before the pixels, `late` after them."""
    height, width, _ = samples.shape
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        rows = b"".join(png_rows(part, depth, rng) for part in parts if part.size)
    else:
        rows = png_rows(samples, depth, rng)
    data = zlib.compress(rows, 9)
    out = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(
        ">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced)))
    for name, content in chunks:
        out += png_chunk(name, content)
    for at in range(0, len(data), idat):
        out += png_chunk(b"IDAT", data[at:at + idat])
    for name, content in late:
        out += png_chunk(name, content)
    return out + png_chunk(b"IEND", b"")


# ------------------------------------------------------------------------------------------- JPEG

ZIGZAG = sorted(range(64), key=lambda i: (
    i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))


def huffman_lengths(count):
    """A table in which all symbols have 8 bits, or 9 where there are too many: simple, valid."""
    lengths = [0] * 16
    short = min(count, 128)
    lengths[7] = short
    lengths[8] = count - short
    return lengths


DC_SYMBOLS = list(range(12))
AC_SYMBOLS = [0x00, 0xF0] + [run << 4 | size for run in range(16) for size in range(1, 11)]


def huffman_codes(symbols):
    codes, code = {}, 0
    lengths = huffman_lengths(len(symbols))
    at = 0
    for bits, count in enumerate(lengths, 1):
        for _ in range(count):
            codes[symbols[at]] = code, bits
            code += 1
            at += 1
        code <<= 1
    return codes


DC_CODES, AC_CODES = huffman_codes(DC_SYMBOLS), huffman_codes(AC_SYMBOLS)
COSINES = np.array([[np.cos((2 * x + 1) * u * np.pi / 16) * (np.sqrt(.125) if u == 0 else .5)
                     for x in range(8)] for u in range(8)])


def put_magnitude(out, value, size):
    out.put(value if value >= 0 else value + (1 << size) - 1, size)


def put_block(out, block, previous):
    """Quantised coefficients in zigzag order; gives the DC."""
    difference = int(block[0]) - previous
    size = abs(difference).bit_length()
    out.put(*DC_CODES[size])
    put_magnitude(out, difference, size)
    run = 0
    last = max([i for i in range(1, 64) if block[i]], default=0)
    for i in range(1, last + 1):
        value = int(block[i])
        if value == 0:
            run += 1
            continue
        while run > 15:
            out.put(*AC_CODES[0xF0])
            run -= 16
        size = abs(value).bit_length()
        out.put(*AC_CODES[run << 4 | size])
        put_magnitude(out, value, size)
        run = 0
    if last < 63:
        out.put(*AC_CODES[0])
    return int(block[0])


def jpeg_blocks(plane, quantum, across, down):
    """Coefficients of a plane, its size filled up to across x down blocks."""
    filled = np.pad(plane, ((0, down * 8 - plane.shape[0]), (0, across * 8 - plane.shape[1])),
                    mode="edge").astype(float) - 128
    blocks = np.empty((down, across, 64), int)
    for y in range(down):
        for x in range(across):
            part = COSINES @ filled[8 * y:8 * y + 8, 8 * x:8 * x + 8] @ COSINES.T
            blocks[y, x] = np.clip(np.rint(part.reshape(64)[ZIGZAG] / quantum), -1023, 1023)
    return blocks


def jpeg(planes, sampling, *, quantum=12, restart=0, adobe=None, jfif=False, exif_block=None,
         ids=None, segments=b"", separate=False):
    """Baseline JPEG. planes: [height][width][components] in the file's own colour space; sampling:
    (h, v) a component; adobe: the transform of an Adobe marker; separate: a scan a component."""
    height, width, count = planes.shape
    ids = ids or list(range(1, count + 1))
    h_max, v_max = max(h for h, _ in sampling), max(v for _, v in sampling)
    mcus_x, mcus_y = -(-width // (8 * h_max)), -(-height // (8 * v_max))
    out = b"\xff\xd8"
    if jfif:
        out += b"\xff\xe0" + struct.pack(">H5sHBHHBB", 16, b"JFIF\0", 0x102, 0, 1, 1, 0, 0)
    if exif_block is not None:
        out += b"\xff\xe1" + struct.pack(">H", 8 + len(exif_block)) + b"Exif\0\0" + exif_block
    if adobe is not None:
        out += b"\xff\xee" + struct.pack(">H5sHHHB", 14, b"Adobe", 100, 0, 0, adobe)
    out += segments
    out += b"\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([quantum] * 64)
    out += b"\xff\xc0" + struct.pack(">HBHHB", 8 + 3 * count, 8, height, width, count)
    out += b"".join(bytes([i, h << 4 | v, 0]) for i, (h, v) in zip(ids, sampling))
    for kind, symbols in ((0, DC_SYMBOLS), (0x10, AC_SYMBOLS)):
        out += b"\xff\xc4" + struct.pack(">HB", 19 + len(symbols), kind)
        out += bytes(huffman_lengths(len(symbols))) + bytes(symbols)
    if restart:
        out += b"\xff\xdd" + struct.pack(">HH", 4, restart)
    components = []
    for index, (h, v) in enumerate(sampling):
        small = planes[::v_max // v, ::h_max // h, index]
        components.append(jpeg_blocks(small, quantum, mcus_x * h, mcus_y * v))
    scans = [[i] for i in range(count)] if separate else [list(range(count))]
    for scan in scans:
        out += b"\xff\xda" + struct.pack(">HB", 6 + 2 * len(scan), len(scan))
        out += b"".join(bytes([ids[i], 0]) for i in scan) + b"\0\x3f\0"
        if separate:
            h, v = sampling[scan[0]]
            across = -(-(-(-width * h // h_max)) // 8)
            down = -(-(-(-height * v // v_max)) // 8)
            units = [[(scan[0], y, x)] for y in range(down) for x in range(across)]
        else:
            units = [[(i, my * v + y, mx * h + x) for i, (h, v) in enumerate(sampling)
                      for y in range(v) for x in range(h)]
                     for my in range(mcus_y) for mx in range(mcus_x)]
        out += jpeg_scan(components, units, restart, count)
    return out + b"\xff\xd9"


def jpeg_scan(components, units, restart, count):
    out, bits, previous = b"", BitWriter(), [0] * count
    for number, unit in enumerate(units):
        if restart and number and number % restart == 0:
            out += bits.finish(1).replace(b"\xff", b"\xff\0")
            out += bytes([0xff, 0xd0 + (number // restart - 1) % 8])
            bits, previous = BitWriter(), [0] * count
        for i, y, x in unit:
            previous[i] = put_block(bits, components[i][y, x], previous[i])
    return out + bits.finish(1).replace(b"\xff", b"\xff\0")


# -------------------------------------------------------------------------------------------- GIF


def sub_blocks(data, size=255):
    return b"".join(bytes([len(part)]) + part for part in
                    (data[i:i + size] for i in range(0, len(data), size))) + b"\0"


def gif_palette(palette):
    """Bytes and the size field; palette: [2^n][3]."""
    return palette.astype(np.uint8).tobytes(), int(len(palette)).bit_length() - 2


def gif(frames, *, screen, palette=None, version=b"GIF89a", background=0):
    """frames: dicts of indices [h][w], left, top, palette, transparent, interlaced, bits, dispose.
    """
    out = version + struct.pack("<HH", *screen)
    if palette is None:
        out += bytes([0x70, background, 0])
    else:
        data, field = gif_palette(palette)
        out += bytes([0xf0 | field, background, 0]) + data
    for frame in frames:
        indices = frame["indices"]
        height, width = indices.shape
        transparent = frame.get("transparent")
        if version == b"GIF89a" and (transparent is not None or "dispose" in frame):
            out += b"!\xf9\x04" + bytes([frame.get("dispose", 0) << 2 | (transparent is not None)])
            out += struct.pack("<H", 4) + bytes([transparent or 0]) + b"\0"
        out += frame.get("before", b"")
        flags = 0x40 if frame.get("interlaced") else 0
        local = b""
        if frame.get("palette") is not None:
            local, field = gif_palette(frame["palette"])
            flags |= 0x80 | field
        out += b"," + struct.pack("<HHHHB", frame.get("left", 0), frame.get("top", 0), width,
                                  height, flags) + local
        if frame.get("interlaced"):
            indices = np.concatenate([indices[0::8], indices[4::8], indices[2::4], indices[1::2]])
        bits = frame.get("bits", 8)
        out += bytes([bits]) + sub_blocks(lzw(indices.tobytes(), bits, True, 0),
                                          frame.get("block", 255))
    return out + b";"


# -------------------------------------------------------------------------------------------- BMP


def bmp_rows(rows, top_down):
    padded = [row + bytes(-len(row) % 4) for row in rows]
    return b"".join(padded if top_down else padded[::-1])


def bmp(pixels, bits, size, *, header=40, palette=None, top_down=False, compression=0, masks=(),
        colours=None, gap=0, no_offset=False):
    """pixels: the bytes after the palette; palette: [n][3] R, G, B."""
    width, height = size
    entry = 3 if header == 12 else 4
    table = b""
    if palette is not None:
        table = b"".join(bytes([b, g, r]) + bytes(entry - 3) for r, g, b in palette.tolist())
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        used = len(palette) if colours is None and palette is not None else colours or 0
        info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits,
                           compression, len(pixels), 2835, 2835, used, 0)
        info += struct.pack(f"<{len(masks)}I", *masks)
        info = info.ljust(header, b"\0")
    offset = 14 + len(info) + len(table) + gap
    return (b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, 0 if no_offset else offset) +
            info + table + bytes(gap) + pixels)


def bmp_rle(indices, rng, is_rle4, end=True):
    """Runs, literals, and skips chosen at random; indices: [height][width], lowest row first."""
    out = bytearray()
    height, width = indices.shape
    for y in range(height):
        row, x = indices[y].tolist(), 0
        while x < width:
            n = min(int(rng.integers(1, 12)), width - x)
            part = row[x:x + n]
            kind = rng.integers(3)
            if kind == 0 and n >= 3:  # as they are
                if is_rle4:
                    padded = part + [0] * (n % 2)
                    data = bytes(padded[i] << 4 | padded[i + 1] for i in range(0, len(padded), 2))
                else:
                    data = bytes(part)
                out += bytes([0, n]) + data + bytes(len(data) % 2)
            elif kind == 1 and x + n < width:  # left at index 0
                out += bytes([0, 2, n, 0])
            else:  # the first one or two, repeated
                if is_rle4:
                    out += bytes([n, part[0] << 4 | part[min(1, n - 1)]])
                else:
                    out += bytes([n, part[0]])
            x += n
        out += b"\0\0" if y + 1 < height or not end else b""
    return bytes(out) + (b"\0\1" if end else b"")


# ------------------------------------------------------------------------------------------- TIFF

TIFF_TYPES = {"B": 1, "H": 3, "I": 4, "Q": 16}


def tiff_directory(order, fields, big):
    """The first directory at offset 8 (16), its long values after it; gives the bytes so far."""
    count_format, field_format, inline = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    start = 16 if big else 8
    size = struct.calcsize(order + count_format) + len(fields) * (20 if big else 12) + inline
    out, extra = struct.pack(order + count_format, len(fields)), b""
    for tag, kind, values in sorted(fields):
        data = struct.pack(order + f"{len(values)}{kind}", *values)
        out += struct.pack(order + field_format, tag, TIFF_TYPES[kind], len(values))
        if len(data) <= inline:
            out += data.ljust(inline, b"\0")
        else:
            out += struct.pack(order + ("Q" if big else "I"), start + size + len(extra))
            extra += data + bytes(len(data) % 2)
    return out + bytes(inline) + extra


def tiff_encode(block, compression, row_bytes, fill_order):
    if compression == 5:
        block = lzw(block, 8, False, 1)
    elif compression in (8, 32946):
        block = zlib.compress(block)
    elif compression == 32773:
        block = b"".join(packbits(block[i:i + row_bytes]) for i in range(0, len(block), row_bytes))
    if fill_order == 2:
        block = bytes(int(f"{byte:08b}"[::-1], 2) for byte in block)
    return block


def tiff(samples, bits, photometric, *, order="<", compression=1, sample_format=None, extra=(),
         rows=None, tile=None, planar=False, predictor=1, fill_order=1, orientation=None,
         palette=None, big=False, tags=()):
    """samples: [height][width][channels], an integer or a float array. rows: of a strip."""
    height, width, channels = samples.shape
    planes = [samples[:, :, i:i + 1] for i in range(channels)] if planar else [samples]
    rows = rows or height
    blocks = []
    for plane in planes:
        if tile:
            across, down = -(-width // tile[0]), -(-height // tile[1])
            filled = np.pad(plane, ((0, down * tile[1] - height), (0, across * tile[0] - width),
                                    (0, 0)), mode="edge")
            parts = [filled[y * tile[1]:(y + 1) * tile[1], x * tile[0]:(x + 1) * tile[0]]
                     for y in range(down) for x in range(across)]
        else:
            parts = [plane[y:y + rows] for y in range(0, height, rows)]
        for part in parts:
            if predictor == 2:
                part = np.concatenate([part[:, :1], part[:, 1:] - part[:, :-1]], axis=1)
            packed = [tiff_row(row.reshape(-1), bits, order) for row in part]
            blocks.append(tiff_encode(b"".join(packed), compression, len(packed[0]), fill_order))
    fields = [(256, "I", [width]), (257, "I", [height]), (258, "H", [bits] * channels),
              (259, "H", [compression]), (262, "H", [photometric]), (277, "H", [channels])]
    if extra:
        fields.append((338, "H", list(extra)))
    if sample_format:
        fields.append((339, "H", [sample_format] * channels))
    if planar:
        fields.append((284, "H", [2]))
    if predictor != 1:
        fields.append((317, "H", [predictor]))
    if fill_order != 1:
        fields.append((266, "H", [fill_order]))
    if orientation is not None:
        fields.append((274, "H", [orientation]))
    if palette is not None:
        fields.append((320, "H", palette.T.reshape(-1).tolist()))
    offsets, counts = (324, 325) if tile else (273, 279)
    if tile:
        fields += [(322, "I", [tile[0]]), (323, "I", [tile[1]])]
    else:
        fields.append((278, "I", [rows]))
    fields += list(tags)
    sizes = [len(block) for block in blocks]
    fields.append((counts, "I", sizes))
    head = (b"II" if order == "<" else b"MM") + (
        struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    length = len(head) + len(tiff_directory(order, fields + [(offsets, "I", sizes)], big))
    places = [length + sum(sizes[:i]) for i in range(len(sizes))]
    return head + tiff_directory(order, fields + [(offsets, "I", places)], big) + b"".join(blocks)


def tiff_row(row, bits, order):
    if bits < 8:
        return pack_bits(row, bits)
    kind = {"f": "f", "i": "i", "u": "u"}[row.dtype.kind]
    return row.astype(f"{order}{kind}{bits // 8}").tobytes()
