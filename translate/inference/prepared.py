"""A picture on its way into a model: what it is, and what the networks are shown of it."""

__all__ = ["Conditioning", "PreparedImage"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from translate.images.picture import Picture
from translate.inference.inpainting import NamedHole

Conditioning = (
    tuple[Picture, str] | NamedHole
)  # strokes or a hole that belong to a picture, and what an error may call them


@dataclass(frozen=True, kw_only=True)
class PreparedImage:
    """A picture, and what a model is shown of it.

    Attributes:
        picture: of any kind.
        name: what errors call it.
        shown: (1, C, h, w), uint8 or float32 in [-1, 1]; None: a hole is filled in windows.
        hint: strokes, (1, 4, h, w).
        hole: (H, W) bool.
    """

    picture: Picture
    name: str
    shown: Tensor | None = None
    hint: Tensor | None = None
    hole: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that the model sees, px; of a picture with a hole, its own."""
        height, width = self.picture.pixels.shape[:2] if self.shown is None else self.shown.shape[2:]
        return height, width

    @property
    def kind(self) -> tuple[Any, ...]:
        """What pictures that travel together have in common."""
        return (*self.size, self.picture.pixels.dtype)
