"""The measurements of a picture for a data check: size, mode, perceptual hash, thumbnail and traits."""

__all__ = ["Measurement", "measure", "measure_all", "measure_pixels", "traits_of"]

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from translate.data.loading.file_kind import to_rgb8, used_range
from translate.images.io import decode_picture
from translate.images.picture import Picture, UnknownScale, ValueRange, flatten_alpha, to_gray
from translate.utils.concurrency import map_in_threads
from translate.utils.errors import UserError
from translate.utils.files import read_bytes
from translate.utils.progress import track

_THUMBNAIL_PX = 32
_HASH_SIDE = 8  # low frequencies per axis in the hash
_TRAITS_WIDTH_PX = 128  # of every picture, so that detail can be compared
_UNIFORM_RANGE = 2  # of 255: pixels of one colour differ by no more after JPEG compression


@dataclass(slots=True)
class Measurement:
    """One picture; the thumbnail is (32, 32, 3) uint8; traits are (n, 6), n = 2 for halves of a combined picture."""

    path: Path
    problem: str = ""  # why it cannot be read; else all other fields are set
    length: int = 0  # of the file, bytes
    digest: bytes = b""  # of the file, 16 bytes
    size: tuple[int, int] = (0, 0)  # height and width, px, upright
    mode: str = ""  # channels and depth, such as "RGB 8 bit"
    uniform: bool = False  # of one colour
    ends: tuple[float, float] | None = None  # least and largest number, of 16 bits or on no usual scale
    hash: int = 0  # 64 bits of the low frequencies
    thumbnail: np.ndarray = field(default_factory=lambda: np.zeros((_THUMBNAIL_PX, _THUMBNAIL_PX, 3), np.uint8))
    traits: np.ndarray = field(default_factory=lambda: np.zeros((1, 6)))

    @property
    def reason(self) -> str:
        """The problem without the name of the file."""
        return self.problem.rpartition("cannot be read as an image ")[2]


def measure(path: Path, *, halves: bool = False, values: ValueRange | None = None) -> Measurement:
    """Read and measure a picture file.

    Args:
        path: of the file.
        halves: whether to measure the traits of two pictures side by side.
        values: black and white of floats and wide integers; None: 0 and 1, or the full scale.
    """
    try:
        data = read_bytes(path)
        picture = decode_picture(data, str(path), values)
    except OSError as error:
        return Measurement(path, problem=f"{path}: cannot be read as an image ({error.strerror or error})")
    except UserError as error:
        ends = error.__cause__.ends if isinstance(error.__cause__, UnknownScale) else None
        return Measurement(path, problem=str(error), ends=ends)
    return _measure_picture(path, len(data), hashlib.blake2b(data, digest_size=16).digest(), picture, halves)


def measure_pixels(path: Path, pixels: np.ndarray) -> Measurement:
    """Measure one picture, (H, W, 3) uint8, of the array in the file `path`."""
    digest = hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()
    picture = Picture(pixels, gray=not np.ptp(pixels, axis=2).any())
    return _measure_picture(path, pixels.nbytes, digest, picture, False)


def measure_all(
    files: Sequence[Path], title: str, *, halves: bool = False, values: ValueRange | None = None, progress: bool = False
) -> list[Measurement]:
    """Measure files as `measure` does, on all cores, in order, with `progress` under a bar."""
    measurements = map_in_threads(functools.partial(measure, halves=halves, values=values), files)
    return list(track(measurements, f"Reading {title}", len(files), progress))


def _measure_picture(path: Path, length: int, digest: bytes, picture: Picture, halves: bool) -> Measurement:
    rgb = to_rgb8(flatten_alpha(picture) if picture.channels in (1, 3) else picture.pixels)
    thumbnail = cv2.resize(rgb, (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    parts = np.hsplit(rgb[:, : rgb.shape[1] // 2 * 2], 2) if halves and rgb.shape[1] > 1 else [rgb]
    height, width = picture.pixels.shape[:2]
    uniform = bool(np.ptp(rgb, axis=(0, 1)).max() <= _UNIFORM_RANGE)
    traits = np.stack([traits_of(_resize_for_traits(part)) for part in parts])
    return Measurement(
        path, "", length, digest, (height, width), mode_of(picture), uniform, used_range(picture.pixels),
        _hash(thumbnail), thumbnail, traits,
    )  # fmt: skip


def mode_of(picture: Picture) -> str:
    """Return the channels and depth of a picture file in words."""
    channels = picture.channels
    kind = {1: "gray", 3: "RGB"}.get(channels, f"{channels} bands") + (" + alpha" if picture.alpha is not None else "")
    dtype = picture.numbers.dtype if picture.numbers else picture.pixels.dtype
    return f"{kind} {'float ' if dtype.kind == 'f' else ''}{8 * dtype.itemsize} bit"


def traits_of(picture: np.ndarray) -> np.ndarray:
    """Return brightness, contrast, detail, shares of white and half-tones, and colour of (H, W, C) uint8: 0 to 1."""
    rows = np.ascontiguousarray(picture[::4])
    planes = np.moveaxis(rows, 2, 0)
    luma = to_gray(rows) if len(planes) == 3 else planes[0]
    detail = np.abs(np.diff(luma.astype(np.int16), axis=1)).mean() / 32
    colour = np.subtract(functools.reduce(np.maximum, planes), functools.reduce(np.minimum, planes)).mean() / 128
    half_tones = ((luma > 60) & (luma < 220)).mean()
    return np.array([luma.mean() / 255, luma.std() / 128, detail, (luma > 245).mean(), half_tones, colour])


def _resize_for_traits(part: np.ndarray) -> np.ndarray:
    height = max(1, round(part.shape[0] * _TRAITS_WIDTH_PX / part.shape[1]))
    return cv2.resize(part, (_TRAITS_WIDTH_PX, min(height, 4 * _TRAITS_WIDTH_PX)), interpolation=cv2.INTER_AREA)


def _hash(thumbnail: np.ndarray) -> int:
    """Hash by the signs of low frequencies about their median, as pHash does (Zauner, 2010, section 3.2)."""
    frequencies = cv2.dct(cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(np.float32))
    low = frequencies[1 : _HASH_SIDE + 1, 1 : _HASH_SIDE + 1]
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")
