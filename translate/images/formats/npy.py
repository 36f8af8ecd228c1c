"""NumPy's .npy files as pictures: (H, W) or (H, W, C), with any number of channels of any numeric type."""

__all__ = ["encode", "is_npy", "read"]

import io
import math

import numpy as np
from numpy.lib import format as npy_format


def is_npy(data: bytes) -> bool:
    """Whether a file's content begins with the magic bytes of .npy."""
    return data.startswith(npy_format.MAGIC_PREFIX)


def read(data: bytes) -> np.ndarray:
    """Check the header of a file's content, then decode it to (H, W) or (H, W, C). No pickle is loaded.

    Raises:
        ValueError: the file holds objects, is truncated, or does not have the shape of a picture.
    """
    # the header
    stream = io.BytesIO(data)
    version = npy_format.read_magic(stream)
    read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    # its checks
    if dtype.hasobject:
        raise ValueError("it holds pickled objects, which are not loaded; save an array of plain numbers")
    if len(shape) not in (2, 3) or not math.prod(shape):
        raise ValueError(f"its shape {shape} is none of a picture; save (height, width) or (height, width, channels)")
    if len(shape) == 3 and shape[0] <= 16 and shape[2] >= 32:  # few channels, many columns
        raise ValueError(f"its shape {shape} has the channels first; save them last, with np.moveaxis(x, 0, -1)")
    if stream.tell() + math.prod(shape) * dtype.itemsize > len(data):
        raise ValueError(f"the file is truncated: its header describes {shape} {dtype}")
    return np.load(io.BytesIO(data), allow_pickle=False)


def encode(array: np.ndarray) -> bytes:
    """Encode an array as a .npy file."""
    out = io.BytesIO()
    np.save(out, np.ascontiguousarray(array), allow_pickle=False)
    return out.getvalue()
