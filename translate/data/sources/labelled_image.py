"""Single pictures and their labels, wherever they lie: files, and rows of arrays."""

__all__ = ["UNLABELLED", "FileSource", "RowSource", "LabelledImage", "shape_of"]

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from translate.images.headers import upright_size
from translate.images.io import read_rgb8

UNLABELLED = -1  # the label of pictures that have none


class LabelledImage(Protocol):
    """One picture of a set.

    Attributes:
        name: Of the picture, no other's in its part (train or test).
        label: Number of its class; UNLABELLED where it has none.
        file: That it is in.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> int: ...
    @property
    def file(self) -> Path: ...

    def read(self) -> np.ndarray:
        """Return the picture, (H, W, 3) uint8 RGB.

        Raises:
            UserError: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A picture file."""

    name: str
    label: int
    file: Path

    def read(self) -> np.ndarray:
        return read_rgb8(self.file)


@dataclass(frozen=True, slots=True)
class RowSource:
    """One of the pictures in an array, (H, W) or (H, W, 3) uint8, that was read from `file`."""

    name: str
    label: int
    file: Path
    pixels: np.ndarray = field(repr=False, compare=False)

    def read(self) -> np.ndarray:
        return self.pixels if self.pixels.ndim == 3 else np.repeat(self.pixels[..., None], 3, axis=2)


def shape_of(source: LabelledImage) -> tuple[int, int] | None:
    """Return (height, width) in px without decoding; None where the file does not tell."""
    if isinstance(source, RowSource):
        return source.pixels.shape[0], source.pixels.shape[1]
    size = upright_size(source.file)
    return size and (size[1], size[0])
