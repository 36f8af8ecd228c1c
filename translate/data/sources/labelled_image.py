"""Single pictures and their labels: files, and rows of arrays."""

__all__ = ["UNLABELLED", "LabelledFile", "LabelledImage", "LabelledRow", "shape_of"]

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from translate.images.io import read_rgb8, upright_size

UNLABELLED = -1


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One picture of a set."""

    name: str  # unique in its split
    label: int  # class number, or UNLABELLED
    file: Path

    @property
    def stem(self) -> str:
        """The name without folder and suffix."""
        return Path(self.name).stem

    def read(self) -> np.ndarray:
        """Return the picture, (H, W, 3) uint8 RGB; raise UserError if it cannot be read."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class LabelledFile(LabelledImage):
    """A picture file."""

    def read(self) -> np.ndarray:
        return read_rgb8(self.file)


@dataclass(frozen=True, slots=True)
class LabelledRow(LabelledImage):
    """One picture, (H, W) or (H, W, 3) uint8, of the array in `file`."""

    pixels: np.ndarray = field(repr=False, compare=False)

    def read(self) -> np.ndarray:
        return self.pixels if self.pixels.ndim == 3 else np.repeat(self.pixels[..., None], 3, axis=2)


def shape_of(source: LabelledImage) -> tuple[int, int] | None:
    """Return (height, width) in px without decoding, or None if the header does not state them."""
    if isinstance(source, LabelledRow):
        return source.pixels.shape[0], source.pixels.shape[1]
    size = upright_size(source.file)
    return size and (size[1], size[0])
