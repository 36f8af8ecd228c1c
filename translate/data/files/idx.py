"""IDX files, the format of MNIST: a header of sizes, then the bare numbers; plain or compressed with gzip."""

__all__ = ["is_idx", "labels_beside", "read_idx", "find_test_part"]

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from translate.utils.errors import UserError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}  # by the third magic byte
_MAX_GZIP_RATIO = 1100  # gzip compresses no further, so a header that announces more bytes is wrong
_NAME = re.compile(r"[-.]idx[1-4]-ubyte")
_TEST_WORDS = ("t10k", "test")  # in the names of MNIST, and of EMNIST and others


def is_idx(path: Path) -> bool:
    """Whether `path` is an existing IDX file, by its name or by its first bytes."""
    if not path.is_file():
        return False
    if _NAME.search(path.name):
        return True
    try:
        with _open(path) as stream:
            return _is_magic(stream.read(4))
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return False


def read_idx(path: Path) -> np.ndarray:
    """Read an IDX file as an array; raise UserError if it cannot be read, is no IDX file, or is cut off."""
    try:
        with _open(path) as stream:
            return _read(path, stream)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read as an IDX file ({error}); fetch it again") from error


def labels_beside(images: Path) -> Path | None:
    """Return the labels of an IDX file of pictures: train-labels-idx1-ubyte beside train-images-idx3-ubyte."""
    if "images" not in images.name:
        return None
    return _plain_or_packed(images.with_name(re.sub("idx[34]", "idx1", images.name.replace("images", "labels"))))


def find_test_part(train: Path) -> Path | None:
    """Return the test part of an IDX file: t10k-images-idx3-ubyte beside train-images-idx3-ubyte."""
    if "train" not in train.name:
        return None
    files = (_plain_or_packed(train.with_name(train.name.replace("train", word))) for word in _TEST_WORDS)
    return next(filter(None, files), None)


def _plain_or_packed(path: Path) -> Path | None:
    """Return `path`, or the same with or without .gz, whichever exists."""
    other = path.with_suffix("") if path.suffix == ".gz" else path.with_name(f"{path.name}.gz")
    return next((file for file in (path, other) if file.is_file()), None)


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")


def _is_magic(first: bytes) -> bool:
    return len(first) == 4 and first[:2] == b"\0\0" and first[2] in _TYPES and 1 <= first[3] <= 4


def _read(path: Path, stream: BinaryIO) -> np.ndarray:
    magic = stream.read(4)
    if not _is_magic(magic):
        raise UserError(f"{path} is no IDX file: it starts with {magic.hex() or 'nothing'}")
    header = stream.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise UserError(f"{path} is cut off in its header; fetch it again")
    shape, dtype = tuple(np.frombuffer(header, ">u4").tolist()), np.dtype(_TYPES[magic[2]])
    length = math.prod(shape) * dtype.itemsize
    if length > _MAX_GZIP_RATIO * path.stat().st_size:
        raise UserError(f"{path} is cut off: its header announces {length:,} bytes; fetch it again")
    data = stream.read(length)  # bounded, as a packed file might unpack to any size
    if len(data) < length:
        raise UserError(f"{path} is cut off: {len(data):,} of {length:,} bytes are there; fetch it again")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
