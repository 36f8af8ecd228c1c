"""Uncompressed BMP of every header, depth and set of colour masks, which OpenCV and Pillow read in part or wrongly."""

__all__ = ["decode", "is_bmp"]

import struct

import numpy as np

_BITFIELDS = (3, 6)  # compression: colour masks, and masks with alpha
_OS2_HEADER_BYTES = 12  # sizes are of 16 bits, and palettes of 3 bytes a colour
_SHORTEST_FULL_HEADER_BYTES = 40
_MASKS_IN_HEADER_BYTES = 52  # headers from this size on hold the masks, from 56 bytes on that of alpha
_DEFAULT_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0), 24: (0xFF0000, 0xFF00, 0xFF, 0)}


def is_bmp(data: bytes) -> bool:
    """Whether a file's content begins as a BMP."""
    return data[:2] == b"BM" and len(data) > 26


def decode(data: bytes) -> np.ndarray | None:
    """Decode to (H, W, 3), or (H, W, 4) with alpha, of uint8; None for run lengths, which Pillow decodes.

    Raises:
        ValueError: the file is truncated, or of an unknown kind.
    """
    # 1. header
    start, size = struct.unpack_from("<II", data, 10)
    masks, compression, used = None, 0, 0
    if size == _OS2_HEADER_BYTES:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    elif size < _SHORTEST_FULL_HEADER_BYTES:  # of OS/2 2, cut off
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
    else:
        width, height, _, bits, compression, _, _, _, used = struct.unpack_from("<iiHHIIiiI", data.ljust(64, b"\0"), 18)
    if compression not in (0, *_BITFIELDS) or (compression and size == 64):  # of OS/2: Huffman codes, run lengths
        return None
    if compression:
        alpha = size >= _MASKS_IN_HEADER_BYTES + 4 or compression == 6
        masks = struct.unpack_from("<IIII" if alpha else "<III", data, 54) + (() if alpha else (0,))
    # 2. rows, whose length is a multiple of 4 bytes
    if bits not in (1, 2, 4, 8, 16, 24, 32) or width <= 0 or not height:
        raise ValueError(f"BMP of {bits} bits and {width} x {height} px is not supported")
    if start < 14 + size:
        raise ValueError("its pixels begin inside its header")
    stride, rows = -(-width * bits // 32) * 4, abs(height)
    if start + stride * rows > len(data) + stride - -(-width * bits // 8):
        raise ValueError("the file is truncated")
    raw = np.frombuffer(data[start : start + stride * rows].ljust(stride * rows, b"\0"), np.uint8)
    raw = raw.reshape(rows, stride)[:: 1 if height < 0 else -1]
    # 3. colours
    if bits <= 8:
        return _from_palette(raw, data, size, bits, width, used, start)
    if bits == 24:
        return np.ascontiguousarray(raw[:, : 3 * width].reshape(rows, width, 3)[..., ::-1])
    words = np.ascontiguousarray(raw[:, : width * bits // 8]).view(f"<u{bits // 8}")
    return _by_masks(words.astype(np.uint32), masks or _DEFAULT_MASKS[bits])


def _from_palette(raw: np.ndarray, data: bytes, size: int, bits: int, width: int, used: int, start: int) -> np.ndarray:
    entry = 3 if size == _OS2_HEADER_BYTES else 4
    place = 14 + size
    count = min(used or 2**bits, 2**bits, max(0, (start - place) // entry))
    colours = np.zeros((2**bits, 3), np.uint8)
    stored = np.frombuffer(data, np.uint8, count * entry, place).reshape(count, entry)
    colours[:count] = stored[:, 2::-1]
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    indices = (raw[..., None] >> shifts & (2**bits - 1)).reshape(len(raw), -1)[:, :width]
    return colours[indices]


def _by_masks(words: np.ndarray, masks: tuple[int, ...]) -> np.ndarray:
    """Scale the bits under each mask to 0..255, rounded down as Pillow does."""
    channels = []
    for mask in masks[: 4 if masks[3] else 3]:
        shift = (mask & -mask).bit_length() - 1 if mask else 0
        largest = mask >> shift
        values = (words & np.uint32(mask)) >> np.uint32(shift)
        channels.append((values.astype(np.uint64) * 255 // max(largest, 1)).astype(np.uint8))
    return np.dstack(channels)
