"""Picture files of all combinations of depth, planes, photometric, alpha, compression, tiles and byte order.

They are written here, byte by byte, so that what is right is known without any decoder.
"""

__all__ = ["Case", "bombs", "cases"]

import io
import itertools
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

REVERSED = bytes(int(f"{i:08b}"[::-1], 2) for i in range(256))


@dataclass(frozen=True)
class Case:
    """A file, and the picture that is in it.

    Attributes:
        light: (H, W, C) of 1 or 3 colours, or bands, 0 to 1.
        alpha: (H, W), 0 to 1; None: opaque.
        tolerance: how far from the truth a decoder may be, of 1.
    """

    name: str
    suffix: str
    data: bytes
    light: np.ndarray
    alpha: np.ndarray | None = None
    tolerance: float = 0.0


class Chance(random.Random):
    """The random choices of a file."""

    large_share = 0.0  # of files that are large enough to see what memory they take


def cases(count: int, seed: int = 0, large_share: float = 0.0) -> Iterator[Case]:
    """Yield files: TIFF, PNG, BMP, GIF and JPEG in turn, of random combinations."""
    chance = Chance(seed)
    chance.large_share = large_share
    kinds = itertools.cycle((tiff, tiff, png, tiff, bmp, tiff, gif, tiff, jpeg))
    for kind, _ in zip(kinds, range(count), strict=False):
        yield kind(chance)


def noise(chance: Chance, *shape: int) -> np.ndarray:
    """Return uniform numbers in [0, 1), smooth enough for JPEG."""
    rng = np.random.default_rng(chance.randrange(2**32))
    small = rng.random((-(-shape[0] // 8) + 1, -(-shape[1] // 8) + 1, *shape[2:]))
    return small.repeat(8, axis=0).repeat(8, axis=1)[: shape[0], : shape[1]] * 0.9 + 0.1 * rng.random(shape)


def size(chance: Chance) -> tuple[int, int]:
    """Return height and width, px."""
    if chance.random() < chance.large_share:
        return chance.randint(700, 1500), chance.randint(700, 1500)
    return chance.randint(1, 70), chance.randint(1, 90)


# ---- TIFF


def tiff(chance: Chance) -> Case:
    """Make a TIFF of one of all combinations."""
    height, width = size(chance)
    photometric = chance.choice(("black", "white", "rgb", "rgb", "palette", "cmyk", "bands"))
    form = chance.choice(("u", "u", "u", "f")) if photometric in ("black", "white", "rgb", "bands") else "u"
    bits = chance.choice((16, 32, 64) if form == "f" else (1, 2, 4, 6, 8, 8, 8, 10, 12, 14, 16, 16))
    bits = {"palette": min(bits, 8), "cmyk": 8 if bits <= 8 else 16}.get(photometric, bits)
    colours = {"rgb": 3, "cmyk": 4, "bands": chance.choice((2, 4, 5, 7))}.get(photometric, 1)
    alpha = chance.choice(("", "", "associated", "unassociated")) if photometric not in ("palette", "bands") else ""
    alpha = alpha if bits >= 8 and photometric != "cmyk" else ""
    predictors = (1, 1, 2, 3) if form == "f" else (1, 2) if bits in (8, 16) and photometric != "palette" else (1,)
    layout = Layout(
        bits=bits, form=form, predictor=chance.choice(predictors), planar=chance.random() < 0.5,
        compression=chance.choice(("none", "deflate", "lzw", "packbits")), order=chance.choice("<>"),
        tile=chance.choice((None, None, (16, 16), (32, 48))), rows=chance.choice((1, 3, 8, 1000)),
        reversed_bits=chance.random() < 0.1,
    )  # fmt: skip
    if layout.compression in ("none", "packbits"):  # which have no predictor
        layout.predictor = 1
    light, opacity = noise(chance, height, width, colours), noise(chance, height, width, 1) * 0.9 + 0.1
    orientation, mask = chance.choice((1,) * 8 + (3, 6, 8)), chance.random() < 0.1 and not alpha
    data, light, opacity = _tiff_file(layout, photometric, light, opacity if alpha else None, alpha, orientation, mask)
    name = f"{photometric} {alpha} {layout} {'mask' * mask} orientation {orientation}"
    turn = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]
    tolerance = 1e-6 if form == "f" else 1e-9
    if alpha == "associated":  # one step of what was multiplied by alpha, of 0.1 at least
        tolerance = {8: 16 / 255, 10: 16 / 1023, 12: 16 / 4095}.get(bits, 5e-3 if form == "f" else 2e-3)
    tolerance = {"cmyk": 1.5 / 255}.get(photometric, tolerance)
    opacity = None if opacity is None else np.rot90(opacity[..., 0], turn)
    return Case(name, ".tif", data, np.rot90(light, turn), opacity, max(tolerance, 2e-3 * (form == "f" and bits == 16)))


@dataclass
class Layout:
    """How the numbers of a TIFF are stored."""

    bits: int
    form: str
    predictor: int
    planar: bool
    compression: str
    order: str
    tile: tuple[int, int] | None
    rows: int
    reversed_bits: bool

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(f"{self.form}{next(n for n in (1, 2, 4, 8) if 8 * n >= self.bits)}")


def _tiff_file(layout, photometric, light, opacity, alpha, orientation, mask):
    """Return the file, and light and opacity as they are in it after rounding."""
    full = 2**layout.bits - 1 if layout.form == "u" else 1
    stored, tags = _stored(layout, light, full), {}
    if photometric == "palette":
        stored = (light * full).astype(np.uint8)
        colours = np.random.default_rng(full).integers(0, 256, (2**layout.bits, 3))
        light = colours[stored[..., 0]] / 255
        wide = 1 if layout.rows == 3 else 257  # some maps are of 8 bits
        tags[320] = (3, [int(n) for n in (colours * wide).T.ravel()])
    else:
        light = stored.astype(np.float64) / full
    if photometric == "cmyk":
        light = (1 - light[..., :3]) * (1 - light[..., 3:])
    if photometric == "white":
        light = 1 - light
    if alpha:
        a = _stored(layout, opacity, full)
        opacity = a.astype(np.float64) / full
        if alpha == "associated":
            stored = _stored(layout, light * opacity, full)
            if photometric == "white":
                stored = (full - stored.astype(np.float64)).astype(stored.dtype)
        stored = np.dstack((stored, a))
        tags[338] = (3, [1 if alpha == "associated" else 2])
    elif photometric == "bands":
        tags[338] = (3, [0] * (stored.shape[2] - 1))
    number = {"white": 0, "black": 1, "bands": 1, "rgb": 2, "palette": 3, "cmyk": 5}[photometric]
    tags |= {262: (3, [number]), 274: (3, [orientation])}
    pages = [_page(layout, stored, tags)]
    if mask:
        clear = np.random.default_rng(0).random(light.shape[:2])[..., None] > 0.5
        one_bit = Layout(1, "u", 1, False, "deflate", layout.order, None, 1000, False)
        pages.append(_page(one_bit, clear.astype(np.uint8), {254: (4, [4]), 262: (3, [4])}))
        if layout.form != "f" or layout.bits != 16:
            opacity = clear.astype(np.float64)
    return _join(layout.order, pages), light, opacity


def _stored(layout: Layout, unit: np.ndarray, full: int) -> np.ndarray:
    return (np.rint(unit * full) if layout.form == "u" else unit).astype(layout.dtype)


def _page(layout: Layout, stored: np.ndarray, tags: dict) -> tuple[dict, list[bytes]]:
    """Return the tags and the segments of a page."""
    height, width, channels = stored.shape
    tile = layout.tile or (min(layout.rows, height), width)
    planes = [stored[..., i : i + 1] for i in range(channels)] if layout.planar and channels > 1 else [stored]
    segments = []
    for plane in planes:
        for top, left in itertools.product(range(0, height, tile[0]), range(0, width, tile[1])):
            part = plane[top : top + tile[0], left : left + tile[1]]
            if layout.tile:
                missing = ((0, tile[0] - part.shape[0]), (0, tile[1] - part.shape[1]), (0, 0))
                part = np.pad(part, missing, mode="edge")
            data = _packed(layout, part)
            segments.append(data.translate(REVERSED) if layout.reversed_bits else data)
    form = {"u": 1, "i": 2, "f": 3}[layout.form]
    places = {322: (3, [tile[1]]), 323: (3, [tile[0]])} if layout.tile else {278: (4, [tile[0]])}
    number = {"none": 1, "lzw": 5, "deflate": 8, "packbits": 32773}[layout.compression]
    tags = {
        256: (4, [width]), 257: (4, [height]), 258: (3, [layout.bits] * channels), 259: (3, [number]),
        277: (3, [channels]), 284: (3, [2 if len(planes) > 1 else 1]), 317: (3, [layout.predictor]),
        339: (3, [form] * channels), **places, **tags,
    }  # fmt: skip
    if layout.reversed_bits:
        tags[266] = (3, [2])
    return tags, segments


def _packed(layout: Layout, part: np.ndarray) -> bytes:
    """Apply the predictor, the byte order and the compression to a segment."""
    rows, columns, channels = part.shape
    if layout.predictor == 2:
        whole = part.view(f"u{part.itemsize}").copy()
        whole[:, 1:] -= part.view(f"u{part.itemsize}")[:, :-1]
        part = whole
    if layout.predictor == 3:
        big = part.astype(part.dtype.newbyteorder(">")).reshape(rows, columns * channels, 1).view(np.uint8)
        planes = np.ascontiguousarray(big.swapaxes(1, 2)).reshape(rows, -1, channels)
        raw = planes.copy()
        raw[:, 1:] -= planes[:, :-1]
        data = raw.tobytes()
    elif layout.bits == 8 * part.itemsize:
        data = part.astype(part.dtype.newbyteorder(layout.order)).tobytes()
    else:
        values = part.reshape(rows, columns * channels, 1).astype(np.uint16)
        bits = values >> np.arange(layout.bits - 1, -1, -1, dtype=np.uint16) & 1
        data = np.packbits(bits.astype(np.uint8).reshape(rows, -1), axis=1).tobytes()
    return {"none": bytes, "deflate": zlib.compress, "lzw": _lzw, "packbits": _packbits}[layout.compression](data)


def _lzw(data: bytes) -> bytes:
    """Encode with codes of 9 bits alone: the table is cleared before it needs more."""
    codes = [256]
    for start in range(0, len(data), 250):
        codes += [*data[start : start + 250], 256]
    bits = np.array([*codes, 257], np.uint16)[:, None] >> np.arange(8, -1, -1, dtype=np.uint16) & 1
    return np.packbits(bits.astype(np.uint8).ravel()).tobytes()


def _packbits(data: bytes) -> bytes:
    parts = (data[i : i + 128] for i in range(0, len(data), 128))
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


def _join(order: str, pages: list[tuple[dict, list[bytes]]]) -> bytes:
    """Write pages to a TIFF."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0))
    link = 4
    for tags, segments in pages:
        offsets = []
        for segment in segments:
            out += bytes(len(out) % 2)
            offsets.append(len(out))
            out += segment
        tiled = 322 in tags
        full = {**tags, (324 if tiled else 273): (4, offsets), (325 if tiled else 279): (4, [len(s) for s in segments])}
        entries = b""
        for code, (kind, values) in sorted(full.items()):
            packed = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
            if len(packed) > 4:
                out += bytes(len(out) % 2)
                place = len(out)
                out += packed
                packed = struct.pack(order + "I", place)
            entries += struct.pack(order + "HHI", code, kind, len(values)) + packed.ljust(4, b"\0")
        out += bytes(len(out) % 2)
        struct.pack_into(order + "I", out, link, len(out))
        out += struct.pack(order + "H", len(full)) + entries
        link = len(out)
        out += bytes(4)
    return bytes(out)


# ---- PNG


def png(chance: Chance) -> Case:
    """Make a PNG: all colour types and depths, transparency keys, long text."""
    height, width = size(chance)
    kind, bits = chance.choice(
        [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (4, 16),
         (6, 8), (6, 16)]
    )  # fmt: skip
    channels, full = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind], 2**bits - 1
    stored = np.rint(noise(chance, height, width, channels) * full).astype(np.uint16)
    light, alpha, chunks = stored / full, None, []
    if kind in (4, 6):
        light, alpha = light[..., :-1], light[..., -1]
    if kind == 3:
        colours = np.random.default_rng(bits).integers(0, 256, (2**bits, 3), dtype=np.uint8)
        light = colours[stored[..., 0]] / 255
        chunks.append((b"PLTE", colours.tobytes()))
    if kind in (0, 2, 3) and chance.random() < 0.3:
        key = stored[0, 0]
        alpha = 1.0 - (stored == key).all(axis=2)
        opaque = bytes(0 if i == key[0] else 255 for i in range(full + 1)) if kind == 3 else b""
        chunks.append((b"tRNS", opaque or b"".join(int(n).to_bytes(2, "big") for n in key)))
    if chance.random() < 0.2:
        chunks.append((b"zTXt", b"note\0\0" + zlib.compress(b"long " * chance.choice((10, 10**6)))))
    if chance.random() < 0.2:
        chunks.append((b"tEXt", b"note\0" + b"text " * 20_000))
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in stored]
    else:
        planes = stored.reshape(height, -1, 1) >> np.arange(bits - 1, -1, -1, dtype=np.uint16) & 1
        rows = [np.packbits(row.astype(np.uint8).ravel()).tobytes() for row in planes]
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)), *chunks]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in (*parts, (b"IDAT", body), (b"IEND", b"")))
    text = " ".join(name.decode() for name, _ in chunks)
    return Case(f"type {kind} {bits} bits {text}", ".png", data, light, alpha, 1e-9)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


# ---- BMP, GIF, JPEG


def bmp(chance: Chance) -> Case:
    """Make a BMP: all headers and depths, masks of any bits, either order of rows."""
    height, width = size(chance)
    header, bits = chance.choice((12, 40, 52, 56, 108, 124)), chance.choice((1, 4, 8, 16, 24, 32))
    if header == 12 and bits in (16, 32):
        header = 40
    masks = None
    if bits in (16, 32) and chance.random() < 0.7:
        masks = chance.choice(MASKS[bits] if header < 56 else MASKS[bits] + MASKS_WITH_ALPHA[bits])
    light, alpha, tables = noise(chance, height, width, 3), None, b""
    if bits <= 8:
        colours = np.random.default_rng(bits).integers(0, 256, (2**bits, 3), dtype=np.uint8)
        index = (light[..., 0] * (2**bits - 1)).astype(np.uint8)
        light = colours[index] / 255
        tables = (colours[:, ::-1] if header == 12 else np.pad(colours[:, ::-1], ((0, 0), (0, 1)))).tobytes()
        planes = index[..., None] >> np.arange(bits - 1, -1, -1, dtype=np.uint8) & 1
        rows = [np.packbits(row.ravel()).tobytes() for row in planes]
    elif bits == 24:
        stored = np.rint(light * 255).astype(np.uint8)
        light, rows = stored / 255, [row[:, ::-1].tobytes() for row in stored]
    else:
        used = masks or ((0x7C00, 0x3E0, 0x1F) if bits == 16 else (0xFF0000, 0xFF00, 0xFF))
        unit = np.dstack((light, noise(chance, height, width, 1)))[..., : len(used)]
        words, found = np.zeros((height, width), np.uint64), []
        for i, mask in enumerate(used):
            shift = (mask & -mask).bit_length() - 1
            values = np.rint(unit[..., i] * (mask >> shift)).astype(np.uint64)
            words |= values << np.uint64(shift)
            found.append(values / (mask >> shift))
        light, alpha = np.dstack(found[:3]), found[3] if len(found) == 4 else None
        rows = [row.astype(f"<u{bits // 8}").tobytes() for row in words]
    stride = -(-width * bits // 32) * 4
    down = header != 12 and chance.random() < 0.3
    body = b"".join(row.ljust(stride, b"\0") for row in (rows if down else rows[::-1]))
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, -height if down else height, 1, bits, 3 * bool(masks),
                           len(body), 3780, 3780, 0, 0)  # fmt: skip
        packed = struct.pack("<IIII", *(*(masks or (0, 0, 0)), 0)[:4])
        info = (info + packed)[: max(header, 52 if masks else 40)].ljust(header, b"\0")
    start = 14 + len(info) + len(tables)
    data = struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + info + tables + body
    return Case(f"header {header} {bits} bits masks {masks} down {down}", ".bmp", data, light, alpha, 1.01 / 255)


MASKS = {16: [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F), (0xF00, 0xF0, 0xF), (0x1F, 0x7E0, 0xF800)],
         32: [(0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000), (0x3FF00000, 0xFFC00, 0x3FF),
              (0xFF000000, 0xFF0000, 0xFF00)]}  # fmt: skip
MASKS_WITH_ALPHA = {16: [(0xF00, 0xF0, 0xF, 0xF000), (0x7C00, 0x3E0, 0x1F, 0x8000)],
                    32: [(0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF, 0xFF00, 0xFF0000, 0xFF000000)]}  # fmt: skip


def gif(chance: Chance) -> Case:
    """Make a GIF of one or more frames, with or without a transparent colour."""
    height, width = size(chance)
    colours = np.random.default_rng(0).integers(0, 256, (256, 3), dtype=np.uint8)
    index = (noise(chance, height, width, 1)[..., 0] * 255).astype(np.uint8)
    image = Image.fromarray(index, "P")
    image.putpalette(colours.tobytes())
    clear = int(index[0, 0]) if chance.random() < 0.4 else None
    options = {} if clear is None else {"transparency": clear}
    frames = chance.choice((0, 0, 2))
    if frames:
        options |= {"save_all": True, "append_images": [image.rotate(180)] * frames, "disposal": chance.choice((1, 2))}
    out = io.BytesIO()
    image.save(out, "GIF", interlace=chance.choice((0, 1)), optimize=False, **options)
    alpha = None if clear is None else (index != clear).astype(np.float64)
    return Case(f"clear {clear} {frames} more frames", ".gif", out.getvalue(), colours[index] / 255, alpha, 1e-9)


def jpeg(chance: Chance) -> Case:
    """Make a JPEG: gray, RGB or CMYK, of all samplings, with padding and short segments as some cameras leave them."""
    height, width = (side + 8 for side in size(chance))
    mode = chance.choice(("L", "RGB", "RGB", "CMYK"))
    smooth = np.add.outer(np.linspace(0, 0.5, height), np.linspace(0, 0.5, width))
    light = np.dstack([smooth, 1 - smooth, 0.5 + 0 * smooth])[..., : 1 if mode == "L" else 3]
    pixels = np.rint(light * 255).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if mode == "L" else pixels)
    image = image.convert("CMYK") if mode == "CMYK" else image
    damage = chance.choice(("", "", "padding", "short", "trailer"))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=98, subsampling=chance.choice((0, 1, 2)), progressive=chance.random() < 0.3)
    data = out.getvalue()
    first = 4 + int.from_bytes(data[4:6], "big")
    if damage == "padding":
        data = data[:first] + bytes(7) + data[first:]
    elif damage == "short":  # an APP13 whose length leaves out its last bytes
        data = data[:first] + b"\xff\xed\0\x08" + b"Photo " + b"shop" + data[first:]
    elif damage == "trailer":
        data += b"a film follows \xff\xda" * 5
    return Case(f"{mode} {damage}", ".jpg", data, pixels / 255, None, 0.06)


# ---- tiny files with huge pictures


def bombs() -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of small files whose headers claim huge pictures or chunks."""
    for side in (65535, 16000, 5000):
        screen = struct.pack("<6sHHBBB", b"GIF89a", side, side, 0x80, 0, 0) + bytes(6)
        frame = struct.pack("<BHHHHB", 0x2C, 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\x00;"
        yield f"{side}.gif", screen + b"!\xf9\x04\x08\0\0\0\0" + frame
        head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
        yield f"{side}.png", b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)
        out = io.BytesIO()
        Image.new("RGB", (16, 16)).save(out, "JPEG")
        data = bytearray(out.getvalue())
        place = data.find(b"\xff\xc0")
        data[place + 5 : place + 9] = struct.pack(">HH", min(side, 65500), min(side, 65500))
        yield f"{side}.jpg", bytes(data)
        for bits, compression in ((24, 0), (8, 1)):
            info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, bits, compression, 0, 0, 0, 0, 0)
            yield f"{side} {bits}.bmp", struct.pack("<2sIHHI", b"BM", 60, 0, 0, 54) + info + bytes(6)
        layout = Layout(8, "u", 1, False, "deflate", "<", None, 1000, False)
        tags, segments = _page(layout, np.zeros((4, 4, 3), np.uint8), {262: (3, [2])})
        tags[256] = tags[257] = tags[278] = (4, [side])
        yield f"{side}.tif", _join("<", [(tags, segments)])
        yield f"{side}.tga", struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, side, side, 24, 0) + bytes(20)
        yield f"{side}.ppm", b"P6\n%d %d\n255\n" % (side, side) + bytes(30)
    chunks = _chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
    yield "chunk.png", b"\x89PNG\r\n\x1a\n" + chunks + struct.pack(">I", 2**30) + b"IDAT" + bytes(8)
