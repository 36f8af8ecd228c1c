"""Strips and tiles of TIFF: unpacked, and put together to rows of raw samples.

The lossless compressions are byte streams, whatever the samples are: zlib and Pillow's libtiff unpack them to bytes;
bits, byte order, predictors, planes and tiles are then undone here, in one way for every number and type of samples.
"""

__all__ = ["BIT_DEPTHS", "COMPRESSIONS", "SegmentReader"]

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tifffile
from PIL import TiffImagePlugin

# The one table of what can be read here: compressions, and bits per sample by SampleFormat.
COMPRESSIONS = {1: "NONE", 5: "LZW", 8: "ADOBE_DEFLATE", 32773: "PACKBITS", 32946: "DEFLATE", 34925: "LZMA",
                50000: "ZSTD"}  # fmt: skip
BIT_DEPTHS = {1: (*range(1, 17), 24, 32, 64), 2: (8, 16, 32, 64), 3: (16, 32, 64)}  # unsigned, signed, float
_PREDICTED = (5, 8, 32946, 34925, 50000)  # compressions with predictors; libtiff ignores the tag with others
# Bytes that one byte can unpack to at most, where there is a limit; a segment that claims more is torn or a bomb.
_MAX_RATIOS = {1: 1, 5: 4096, 8: 1040, 32773: 64, 32946: 1040}
_BATCH_BYTES = 2**23  # unpacked at once: bounds the memory, and one call of Pillow serves many small strips
_STRIP_BYTES = 2**20  # stored strips are cut into pieces of about this size, since some hold the whole picture
_REVERSED_BITS = bytes(int(f"{i:08b}"[::-1], 2) for i in range(256))


class SegmentReader:
    """The raw samples of one page, read row by row.

    Attributes:
        dtype: of the samples, in native byte order; of the next larger type for 1 to 15 and 24 bits.
        batch_rows: rows that are read best at once, since they share segments.
    """

    def __init__(self, page: Any) -> None:
        """Take the layout from a tifffile page or frame, whose bits and compression are those of the tables."""
        key = self._key = page.keyframe
        self._file, self._page = page.parent.filehandle, page
        self._bits, self._compression = int(key.bitspersample), int(key.compression)
        self._predictor = int(key.predictor) if self._compression in _PREDICTED else 1
        self._planes = key.samplesperpixel if key.planarconfig == 2 else 1
        self._samples = key.samplesperpixel // self._planes  # in one pixel of a segment
        kind = {1: "u", 2: "i", 3: "f"}[_sample_format(key)]
        self.dtype = np.dtype(f"{kind}{next(size for size in (1, 2, 4, 8) if 8 * size >= self._bits)}")
        self._width = key.tilewidth if key.is_tiled else key.imagewidth
        self._row_bytes = -(-self._width * self._samples * self._bits // 8)
        self._height = key.tilelength if key.is_tiled else min(key.rowsperstrip, key.imagelength)
        self._across = -(-key.imagewidth // self._width)
        down = -(-key.imagelength // self._height)
        self._offsets, self._counts = list(page.dataoffsets), list(page.databytecounts)
        if len(self._offsets) < self._planes * down * self._across or len(self._counts) < len(self._offsets):
            raise ValueError("the file is truncated: strips or tiles are missing")
        if self._compression == 1 and not key.is_tiled:
            self._cut_strips(down)
        self._down = -(-key.imagelength // self._height)
        self.batch_rows = max(self._height, _BATCH_BYTES // (self._row_bytes * self._across * self._planes))
        self.segment_bytes = self._height * self._row_bytes

    def _cut_strips(self, down: int) -> None:
        """Cut stored strips into pieces of a few rows, which can be read alone."""
        rows, total = self._height, self._key.imagelength
        height = max(1, min(rows, _STRIP_BYTES // max(1, self._row_bytes)))
        offsets, counts = [], []
        for number in range(self._planes * down):
            first = number % down * rows
            for row in range(0, min(rows, total - first), height):
                start, size = row * self._row_bytes, min(height, min(rows, total - first) - row) * self._row_bytes
                offset, count = self._offsets[number], self._counts[number]
                offsets.append(offset + start if offset else 0)
                counts.append(max(0, min(size, count - start)))
        if rows % height and down > 1:  # pieces of unlike heights would shift all later rows
            return
        self._offsets, self._counts, self._height = offsets, counts, height

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows `start` to `stop` as (rows, W, samples), all planes of the page together.

        Raises:
            ValueError: a strip or tile is truncated or damaged.
        """
        total, width = self._key.imagelength, self._key.imagewidth
        out = np.empty((stop - start, width, self._planes * self._samples), self.dtype)
        for numbers in self._batches(start, stop):
            heights = [self._height] * len(numbers)
            if not self._key.is_tiled:
                heights = [min(self._height, total - n // self._across % self._down * self._height) for n in numbers]
            for number, block in zip(numbers, self._decode(numbers, heights), strict=True):
                plane, place = divmod(number, self._down * self._across)
                top, left = place // self._across * self._height, place % self._across * self._width
                first, last = max(start, top), min(stop, top + len(block), total)
                channels = slice(plane * self._samples, (plane + 1) * self._samples)
                part = block[first - top : last - top, : width - left]
                out[first - start : last - start, left : left + self._width, channels] = part
        return out

    def _batches(self, start: int, stop: int) -> Iterator[list[int]]:
        """Yield the numbers of the segments that hold some rows, of at most `_BATCH_BYTES` at once."""
        first, last = start // self._height, -(-stop // self._height)
        size = max(1, _BATCH_BYTES // max(1, self.segment_bytes))
        for plane in range(self._planes):
            base = plane * self._down * self._across
            numbers = list(range(base + first * self._across, base + last * self._across))
            yield from (numbers[i : i + size] for i in range(0, len(numbers), size))

    def _decode(self, numbers: Sequence[int], heights: Sequence[int]) -> list[np.ndarray]:
        """Return segments as (height, width, samples)."""
        blocks: dict[int, np.ndarray] = {}
        for height in set(heights):
            group = [n for n, one in zip(numbers, heights, strict=True) if one == height]
            stored = [n for n in group if self._offsets[n] or self._counts[n]]
            if len(stored) < len(group):  # sparse, as GDAL writes what has no data
                empty = np.full((height, self._width, self._samples), self._key.nodata, self.dtype)
                blocks |= {n: empty for n in group if n not in stored}
            if stored:
                packed = [self._read(n) for n in stored]
                samples = self._to_samples(self._unpack(packed, height * self._row_bytes), height)
                blocks |= zip(stored, samples, strict=True)
        return [blocks[n] for n in numbers]

    def _read(self, number: int) -> bytes:
        with self._file.lock:
            self._file.seek(self._offsets[number])
            data: bytes = self._file.read(self._counts[number])
        if len(data) < self._counts[number]:
            raise ValueError("the file is truncated")
        return data.translate(_REVERSED_BITS) if self._key.fillorder == 2 else data

    def _unpack(self, packed: Sequence[bytes], size: int) -> np.ndarray:
        """Unpack segments of equal size to (n, size) bytes."""
        ratio = _MAX_RATIOS.get(self._compression)
        if ratio and any(len(data) * ratio < size for data in packed):
            raise ValueError("the file is truncated")
        if self._compression in (8, 32946):
            return np.stack([_inflate(data, size) for data in packed])
        if self._compression != 1:
            return _unpack_by_libtiff(packed, size, self._compression)
        return np.stack([np.frombuffer(data, np.uint8, size) for data in packed])

    def _to_samples(self, raw: np.ndarray, height: int) -> np.ndarray:
        """Convert bytes (n, size) to samples (n, height, width, channels)."""
        shape = (len(raw), height, self._width, self._samples)
        rows = raw.reshape(len(raw) * height, self._row_bytes)
        if self._predictor == 3:
            return _undo_float_predictor(rows, self._samples, self.dtype).reshape(shape)
        order, bits = self._key.parent.byteorder, self._bits
        if bits == 24:
            wide = rows.reshape(-1, 3).astype(np.uint32)
            low, high = (0, 2) if order == "<" else (2, 0)
            samples = wide[:, low] | wide[:, 1] << 8 | wide[:, high] << 16
        elif bits == 8 * self.dtype.itemsize:
            samples = np.ascontiguousarray(rows).view(self.dtype.newbyteorder(order)).astype(self.dtype, copy=False)
        else:
            samples = _unpack_bits(rows, self._width * self._samples, bits, self.dtype)
        samples = samples.reshape(shape)
        if self._predictor == 2:
            whole = samples.view(f"u{self.dtype.itemsize}")
            samples = np.add.accumulate(whole, axis=2, dtype=whole.dtype).view(self.dtype)
        return samples


def _sample_format(page: tifffile.TiffPage) -> int:
    form = int(page.sampleformat or 1)
    return 1 if form == 4 else form  # of no stated kind


def _unpack_bits(rows: np.ndarray, count: int, bits: int, dtype: np.dtype) -> np.ndarray:
    """Unpack (n, bytes) to (n, count) integers of `bits`, high bits first; each row begins with a byte."""
    out = np.empty((len(rows), count), dtype)
    step = max(1, _BATCH_BYTES // (8 * rows.shape[1]))
    for start in range(0, len(rows), step):
        planes = np.unpackbits(rows[start : start + step], axis=1)[:, : count * bits].reshape(-1, count, bits)
        part = np.zeros(planes.shape[:2], dtype)
        for i in range(bits):
            part = (part << 1) | planes[..., i]
        out[start : start + step] = part
    return out


def _undo_float_predictor(rows: np.ndarray, samples: int, dtype: np.dtype) -> np.ndarray:
    """Undo predictor 3 (Adobe Photoshop TIFF technical note 3): byte planes of a row, each byte as a difference."""
    count, size = rows.shape[1] // dtype.itemsize, dtype.itemsize
    differences = rows.reshape(len(rows), -1, samples)
    planes = np.add.accumulate(differences, axis=1, dtype=np.uint8).reshape(len(rows), size, count)
    values = np.ascontiguousarray(planes.swapaxes(1, 2)).view(dtype.newbyteorder(">"))[..., 0]
    return values.astype(dtype)


def _inflate(data: bytes, size: int) -> np.ndarray:
    """Unpack deflate; libtiff is faster, but prints a line about each damaged file."""
    try:
        raw = zlib.decompressobj().decompress(data, size)
    except zlib.error:
        raise ValueError("the file is truncated or damaged") from None
    if len(raw) < size:
        raise ValueError("the file is truncated")
    return np.frombuffer(raw, np.uint8)


def _unpack_by_libtiff(packed: Sequence[bytes], size: int, compression: int) -> np.ndarray:
    """Unpack byte streams of equal size to (n, size): as a gray TIFF of one strip per row, which Pillow decodes."""
    count, at = len(packed), 8 + 2 + 9 * 12 + 4
    arrays = 8 * count if count > 1 else 0
    offsets = np.cumsum([at + arrays, *(len(data) for data in packed[:-1])])
    entries = {
        256: (1, size), 257: (1, count), 258: (1, 8), 259: (1, compression), 262: (1, 1),
        273: (count, at if count > 1 else offsets[0]), 277: (1, 1), 278: (1, 1),
        279: (count, at + 4 * count if count > 1 else len(packed[0])),
    }  # fmt: skip
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    head += b"".join(struct.pack("<HHII", tag, 4, n, value) for tag, (n, value) in entries.items()) + bytes(4)
    if count > 1:
        head += struct.pack(f"<{count}I", *offsets) + struct.pack(f"<{count}I", *map(len, packed))
    try:
        return np.asarray(TiffImagePlugin.TiffImageFile(io.BytesIO(b"".join((head, *packed)))))
    except (OSError, SyntaxError):
        raise ValueError("the file is truncated or damaged") from None
