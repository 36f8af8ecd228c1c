"""IDX files for tests, written by the format's own description."""

import gzip
import struct

import numpy as np

TYPES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D}


def write_idx(path, array):
    """Write `array` as an IDX file, packed if the name ends in .gz."""
    kind = array.dtype.str[1:]
    header = bytes([0, 0, TYPES[kind], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    data = header + array.astype(f">{kind}").tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def write_mnist(folder, train=30, test=10, suffix="", side=28, classes=3):
    """Write the four files of a small MNIST; picture i is a square of gray level 40 + i."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        pixels = np.zeros((count, side, side), np.uint8)
        pixels[:, 8:20, 8:20] = 40 + np.arange(count)[:, None, None] % 200
        write_idx(folder / f"{part}-images-idx3-ubyte{suffix}", pixels)
        write_idx(folder / f"{part}-labels-idx1-ubyte{suffix}", (np.arange(count) % classes).astype(np.uint8))
    return folder
