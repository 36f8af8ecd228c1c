"""The channels and depth that all files of a domain are read with."""

__all__ = [
    "FileKind",
    "MixedChannels",
    "UsedRange",
    "stack_pictures",
    "to_rgb8",
    "to_unit_range",
    "kind_of_files",
    "range_notes",
    "used_range_note",
]

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from translate.data.loading.transforms import fit
from translate.images.io import read_picture
from translate.images.picture import FULL_SCALE, ValueRange, flatten_alpha, is_colourless, to_depth, to_gray
from translate.utils.concurrency import map_in_threads
from translate.utils.errors import UserError
from translate.utils.sequences import spread

if TYPE_CHECKING:
    from torch import Tensor

_KIND_SAMPLE = 16  # files decoded to find the kind of all
_WIDE_BITS = 14  # 16-bit files whose values need no more bits use a quarter of their range at most
_SIGNED_ZERO = 2**15  # some microscopes add it to all values
_DEPTHS = tuple(FULL_SCALE)  # ascending


class MixedChannels(UserError):
    """The pictures of one domain differ in channels, so no network can take them all."""


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """The form in which all files of a domain are read."""

    channels: int = 3  # 1 where all probed files are gray, 3 for RGB, or the number of bands
    dtype: np.dtype = _DEPTHS[0]  # uint8, uint16 or float32: the deepest of the probed files
    values: ValueRange | None = None  # black and white in floats and wide integers; None: 0 and 1, or the full scale
    example: Path = Path()  # a file with this number of channels
    note: str = ""  # what the user should know about the range of the values

    @property
    def bands(self) -> bool:
        """Whether the channels are bands instead of colours."""
        return self.channels not in (1, 3)

    @property
    def settings(self) -> tuple[object, ...]:
        """What the kind adds to a cache's fingerprint: nothing for RGB in 8 bits."""
        settings = (self.channels, str(self.dtype), self.values)
        return () if settings == (3, "uint8", None) else settings

    def read(self, path: Path) -> np.ndarray:
        """Return a picture as (H, W, channels) of `dtype`, on white where it is transparent.

        Raises:
            MixedChannels: the picture has other channels than its domain.
            UserError: the file cannot be read.
        """
        picture = read_picture(path, self.values)
        if picture.channels != self.channels and (self.bands or picture.channels not in (1, 3)):
            raise _mixed_channels(self.example, self.channels, path, picture.channels)
        pixels = to_depth(flatten_alpha(picture), self.dtype)
        return to_gray(pixels)[..., None] if self.channels == 1 else pixels

    def read_and_fit(self, path: Path, side: int, *, square: bool) -> np.ndarray | str:
        """Read a picture and resize it with `fit`, or return why it cannot be read."""
        try:
            return fit(self.read(path), side, square=square)
        except MixedChannels:
            raise
        except UserError as error:
            return str(error)

    def read_rgb8(self, path: Path) -> np.ndarray:
        """Read a picture for display: (H, W, 3) uint8."""
        return to_rgb8(self.read(path))


def kind_of_files(paths: Sequence[Path], values: ValueRange | None = None) -> FileKind:
    """Find the kind of files from a sample, in which unreadable files are skipped; raise MixedChannels."""
    probes = _probe(paths, values)
    if not probes:
        return FileKind(values=values)
    first = probes[0]
    for other in probes:
        if other.channels != first.channels and not {other.channels, first.channels} <= {1, 3}:
            raise _mixed_channels(first.path, first.channels, other.path, other.channels)
    colours = 1 if all(one.colourless for one in probes) else 3
    return FileKind(
        channels=colours if first.channels in (1, 3) else first.channels,
        dtype=max((one.dtype for one in probes), key=_DEPTHS.index),
        values=values,
        example=first.path,
        note=used_range_note([one.ends for one in probes]),
    )


def range_notes(paths: Sequence[Path]) -> list[str]:
    """Return a note if files to be read without a range of values use a small part of 16 bits."""
    note = used_range_note([one.ends for one in _probe(paths)], by_option=False)
    return [note] if note else []


def _probe(paths: Sequence[Path], values: ValueRange | None = None) -> "list[_Probe]":
    """Decode a sample of the files; leave out those that cannot be read."""

    def probe(path: Path) -> _Probe | None:
        try:
            picture = read_picture(path, values)
        except UserError:
            return None
        colourless = is_colourless(to_rgb8(picture.pixels))
        return _Probe(path, picture.channels, picture.pixels.dtype, colourless, used_range(picture.pixels))

    return [result for result in map_in_threads(probe, spread(paths, _KIND_SAMPLE)) if result]


class _Probe(NamedTuple):
    path: Path
    channels: int
    dtype: np.dtype
    colourless: bool
    ends: tuple[int, int] | None = None  # least and largest number, of 16 bits


def used_range(pixels: np.ndarray) -> tuple[int, int] | None:
    """Return the least and the largest number of 16-bit pixels; None for others."""
    return (int(pixels.min()), int(pixels.max())) if pixels.dtype == np.uint16 else None


class UsedRange:
    """The range that pictures use of 16 bits, of any number of pictures, from any thread."""

    def __init__(self) -> None:
        self._lock, self._ends = threading.Lock(), list[tuple[int, int]]()

    def add(self, pixels: np.ndarray) -> None:
        """Add a picture; only those of 16 bits count."""
        if ends := used_range(pixels):
            with self._lock:
                lows, highs = zip(*self._ends, ends, strict=True)
                self._ends = [(min(lows), max(highs))]

    def notes(self) -> list[str]:
        """Return a note if the pictures of 16 bits use a small part of their range."""
        note = used_range_note(self._ends)
        return [note] if note else []


def used_range_note(ends: Sequence[tuple[float, float] | None], *, by_option: bool = True) -> str:
    """Return a line if 16-bit pictures use a small part of their range, such as 12 bits; "" if they do not.

    Args:
        ends: least and largest number of each picture; None if it is not of 16 bits.
        by_option: whether --value-range may be given.
    """
    known = [one for one in ends if one]
    if not known or len(known) < len(ends):
        return ""
    low, high = int(min(one[0] for one in known)), int(max(one[1] for one in known))
    base = _SIGNED_ZERO if low >= _SIGNED_ZERO else 0
    bits = max(8, (high - base).bit_length())
    if bits > _WIDE_BITS or high == low:
        return ""
    top = base + 2**bits - 1
    remedy = f"say --value-range {base},{top}" if by_option else f"rescale {base} to {top} to the full range"
    return f"the 16-bit pictures use {low} to {high} of 0 to 65535; if all are of {bits} bits, {remedy}"


def _mixed_channels(one: Path, channels: int, other: Path, others: int) -> MixedChannels:
    counts = f"{one} has {channels} channel{'s' * (channels > 1)}, but {other} has {others}"
    return MixedChannels(f"{counts}; keep pictures of one kind alone in their folder")


def to_rgb8(planes: np.ndarray) -> np.ndarray:
    """Convert (H, W, C) of any depth to (H, W, 3) uint8 for display: the first three channels, or else the first."""
    three = planes[..., :3] if planes.shape[2] > 2 else planes[..., :1].repeat(3, axis=2)
    return to_depth(np.ascontiguousarray(three), np.uint8)


def to_unit_range(planes: np.ndarray) -> "Tensor":
    """Convert pixels of any depth to a tensor of the same shape: uint8 stays, others become float32 in [-1, 1]."""
    import torch

    if planes.dtype == np.uint8:
        return torch.from_numpy(planes)
    return torch.from_numpy(to_depth(planes, np.float32)).mul(2).sub_(1)


def stack_pictures(pictures: Sequence[np.ndarray]) -> "Tensor":
    """Stack pictures (H, W, C) of one size and depth to (n, C, H, W), uint8 or float32 in [-1, 1]."""
    return to_unit_range(np.stack(pictures)).permute(0, 3, 1, 2)
