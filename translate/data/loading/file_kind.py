"""What the files of a domain hold, how many channels and how deep, and each of them read as just that."""

__all__ = ["FileKind", "MixedChannels", "as_probe", "as_shown", "as_unit", "kind_of_files"]

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from translate.images.colourless import colourless
from translate.images.io import read_picture
from translate.images.picture import FULL_SCALE, ValueRange, on_white, to_depth, to_gray
from translate.utils.errors import UserError
from translate.utils.sequences import spread

_LOOKED_AT = 16  # files decoded to see what they hold
_DEPTHS = tuple(FULL_SCALE)  # ascending


class MixedChannels(UserError):
    """A domain holds pictures that cannot be seen by one network."""


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """What all files of a domain are read as.

    Attributes:
        channels: 1 where all that were looked at are gray, 3 of RGB, or the number of bands.
        dtype: uint8, uint16 or float32: the deepest that was found.
        values: what is black and white in floats and wide integers; None: 0 and 1, or the full scale.
        example: a file that has so many channels.
    """

    channels: int = 3
    dtype: np.dtype = _DEPTHS[0]
    values: ValueRange | None = None
    example: Path = Path()

    @property
    def bands(self) -> bool:
        """Whether the channels are no colours."""
        return self.channels not in (1, 3)

    @property
    def settings(self) -> tuple[object, ...]:
        """What sets a cache of such files apart from one of RGB in 8 bits."""
        said = (self.channels, str(self.dtype), self.values)
        return () if said == (3, "uint8", None) else said

    def read(self, path: Path) -> np.ndarray:
        """Return a picture as (H, W, channels) of `dtype`, white shining through where it is transparent.

        Raises:
            MixedChannels: it has other channels than the others of its domain.
            UserError: it cannot be read.
        """
        picture = read_picture(path, self.values)
        if picture.channels != self.channels and (self.bands or picture.channels not in (1, 3)):
            raise _mixed(self.example, self.channels, path, picture.channels)
        pixels = to_depth(on_white(picture), self.dtype)
        return to_gray(pixels)[..., None] if self.channels == 1 else pixels

    def shown(self, path: Path) -> np.ndarray:
        """Return a picture as `read` does, in 8 bits and as far as it can be looked at: (H, W, 3)."""
        return as_shown(self.read(path))


def kind_of_files(paths: Sequence[Path], values: ValueRange | None = None) -> FileKind:
    """Decode some files, and return what all are to be read as; what cannot be read is reported later.

    Raises:
        MixedChannels: names two files whose channels do not go together.
    """

    def look(path: Path) -> _Look | None:
        try:
            picture = read_picture(path, values)
        except UserError:
            return None
        return _Look(path, picture.channels, picture.pixels.dtype, colourless(as_shown(picture.pixels)))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [one for one in pool.map(look, spread(paths, _LOOKED_AT)) if one]
    if not found:
        return FileKind(values=values)
    first = found[0]
    for other in found:
        if other.channels != first.channels and not {other.channels, first.channels} <= {1, 3}:
            raise _mixed(first.path, first.channels, other.path, other.channels)
    plain = 1 if all(one.colourless for one in found) else 3
    return FileKind(
        channels=plain if first.channels in (1, 3) else first.channels,
        dtype=max((one.dtype for one in found), key=_DEPTHS.index),
        values=values,
        example=first.path,
    )


class _Look(NamedTuple):
    path: Path
    channels: int
    dtype: np.dtype
    colourless: bool


def _mixed(one: Path, channels: int, other: Path, others: int) -> MixedChannels:
    counts = f"{one} has {channels} channel{'s' * (channels > 1)}, but {other} has {others}"
    return MixedChannels(f"{counts}; keep pictures of one kind alone in their folder")


def as_shown(planes: np.ndarray) -> np.ndarray:
    """Return (H, W, C) of any depth as (H, W, 3) uint8 to look at: the first three channels, or else the first."""
    three = planes[..., :3] if planes.shape[2] > 2 else planes[..., :1].repeat(3, axis=2)
    return to_depth(np.ascontiguousarray(three), np.uint8)


def as_unit(planes: np.ndarray) -> Tensor:
    """Return pixels of any depth as a tensor of the same shape: uint8 as it is, all else float32 in [-1, 1]."""
    if planes.dtype == np.uint8:
        return torch.from_numpy(planes)
    return torch.from_numpy(to_depth(planes, np.float32)).mul(2).sub_(1)


def as_probe(pictures: Sequence[np.ndarray]) -> Tensor:
    """Return pictures (H, W, C) of one size and depth as (n, C, H, W), uint8 or float32 in [-1, 1]."""
    return as_unit(np.stack(pictures)).permute(0, 3, 1, 2)
