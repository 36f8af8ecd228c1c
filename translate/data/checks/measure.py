"""What a data check keeps of a picture: its kind, what it looks like in 64 bits and in 32 x 32 px, and a few traits."""

__all__ = ["Measurement", "measure", "measure_all", "measure_pixels"]

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from translate.data.checks.pair_checks import traits
from translate.images.io import picture_of_bytes
from translate.images.picture import Picture, on_white, to_depth
from translate.utils.errors import UserError

_SIDE, _HASHED, _SHOWN = 32, 8, 128  # px: of a thumbnail, which is transformed; kept of that; of traits
_EVEN = 2  # of 255: all pixels this near to each other are one colour
_AHEAD = 64


@dataclass(slots=True)
class Measurement:
    """One picture.

    Attributes:
        path: of its file.
        problem: why it cannot be read; "" else, and then the others are set.
        length: of the file, bytes.
        digest: of the file's content, 16 bytes.
        size: height and width, px, upright.
        mode: channels and depth in words, such as "RGB 8 bit".
        even: it is one colour.
        hash: of what it looks like, 64 bits, by its low frequencies.
        thumbnail: (32, 32, 3) uint8.
        traits: (n, 6), of the picture, or of the two halves of a combined one; see `checks.traits`.
    """

    path: Path
    problem: str = ""
    length: int = 0
    digest: bytes = b""
    size: tuple[int, int] = (0, 0)
    mode: str = ""
    even: bool = False
    hash: int = 0
    thumbnail: np.ndarray = field(default_factory=lambda: np.zeros((_SIDE, _SIDE, 3), np.uint8))
    traits: np.ndarray = field(default_factory=lambda: np.zeros((1, 6)))


def measure(path: Path, *, halves: bool = False) -> Measurement:
    """Read and measure a picture file; one that cannot be read is told as its `problem`.

    Args:
        path: of the file.
        halves: whether it is two pictures side by side.
    """
    try:
        data = path.read_bytes()
        picture = picture_of_bytes(data, str(path))
    except OSError as error:
        return Measurement(path, problem=f"{path}: {error.strerror or error}")
    except UserError as error:
        return Measurement(path, problem=str(error))
    return _measured(path, len(data), hashlib.blake2b(data, digest_size=16).digest(), picture, halves)


def measure_pixels(path: Path, pixels: np.ndarray) -> Measurement:
    """Measure a picture (H, W, 3) uint8 of the many that lie in the file `path`."""
    digest = hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()
    return _measured(path, pixels.nbytes, digest, Picture(pixels, gray=not np.ptp(pixels, axis=2).any()), False)


def measure_all(
    files: Sequence[Path],
    track: Callable[[Iterable[Measurement]], Iterable[Measurement]] = iter,
    *,
    halves: bool = False,
) -> list[Measurement]:
    """Measure files on all cores, in order.

    Args:
        files: to measure.
        track: passes measurements on and shows progress.
        halves: as for `measure`.
    """
    return list(track(_in_order(files, halves)))


def _in_order(files: Sequence[Path], halves: bool) -> Iterator[Measurement]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), _AHEAD):
            yield from pool.map(lambda path: measure(path, halves=halves), files[start : start + _AHEAD])


def _measured(path: Path, size: int, digest: bytes, picture: Picture, halves: bool) -> Measurement:
    shown = _shown(picture)
    small = cv2.resize(shown, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    parts = np.hsplit(shown[:, : shown.shape[1] // 2 * 2], 2) if halves and shown.shape[1] > 1 else [shown]
    height, width = picture.pixels.shape[:2]
    return Measurement(
        path, "", size, digest, (height, width), mode_of(picture), bool(np.ptp(shown, axis=(0, 1)).max() <= _EVEN),
        _hash(small), small, np.stack([traits(_at_scale(part)) for part in parts]),
    )  # fmt: skip


def mode_of(picture: Picture) -> str:
    """Return channels and depth of a file in words."""
    channels = picture.channels
    kind = {1: "gray", 3: "RGB"}.get(channels, f"{channels} bands") + (" + alpha" if picture.alpha is not None else "")
    dtype = picture.numbers.dtype if picture.numbers else picture.pixels.dtype
    return f"{kind} {'float ' if dtype.kind == 'f' else ''}{8 * dtype.itemsize} bit"


def _shown(picture: Picture) -> np.ndarray:
    """Return it as (H, W, 3) uint8: of bands the first three, or the first."""
    pixels = to_depth(on_white(picture) if picture.channels in (1, 3) else picture.pixels, np.uint8)
    if pixels.shape[2] == 3:
        return np.ascontiguousarray(pixels)
    return np.ascontiguousarray(pixels[..., :3] if pixels.shape[2] > 3 else pixels[..., :1].repeat(3, axis=2))


def _at_scale(part: np.ndarray) -> np.ndarray:
    """Bring a picture to one width, so that detail can be compared."""
    height = max(1, round(part.shape[0] * _SHOWN / part.shape[1]))
    return cv2.resize(part, (_SHOWN, min(height, 4 * _SHOWN)), interpolation=cv2.INTER_AREA)


def _hash(small: np.ndarray) -> int:
    """Hash by the signs of low frequencies about their median, as pHash does (Zauner, 2010, section 3.2)."""
    low = cv2.dct(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32))[1 : _HASHED + 1, 1 : _HASHED + 1]
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")
