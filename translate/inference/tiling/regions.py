"""Regions of feature maps, and the mean and variance of a map, merged from its regions."""

__all__ = ["Moments", "Region", "crop", "tiles"]

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from translate.networks.norms.moments import MergedMoments, PartialMoments, partial_moments


class Region(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right` of a map; `bottom` and `right` are excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, px."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices of the rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def clip(self, height: int, width: int) -> "Region":
        """Return the part inside a map of height x width px."""
        return Region(max(self.top, 0), min(self.bottom, height), max(self.left, 0), min(self.right, width))

    def shift(self, down: int, right: int) -> "Region":
        """Move the region by `down` and `right` px."""
        return Region(self.top + down, self.bottom + down, self.left + right, self.right + right)

    def map_edges(self, low: Callable[[int], int], high: Callable[[int], int]) -> "Region":
        """Apply `low` to the top and left edge, and `high` to the bottom and right edge."""
        return Region(low(self.top), high(self.bottom), low(self.left), high(self.right))

    def scale(self, factor: int) -> "Region":
        """Return the same region of a map `factor` times as large."""
        return Region(*(factor * edge for edge in self))


def crop(x: Tensor, have: Region, want: Region) -> Tensor:
    """Crop the region `want` from x, which covers the region `have`."""
    return x[(..., *want.shift(-have.top, -have.left).slices)]


def tiles(height: int, width: int, side: int) -> Iterator[Region]:
    """Cover a map of height x width px with squares, row by row."""
    side = max(side, 16)  # px; smaller tiles of a deep map would be nearly all overhead
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield Region(top, min(top + side, height), left, min(left + side, width))


class Moments(MergedMoments):
    """Mean and variance of each channel of a map, merged from its regions."""

    def partial(self, x: Tensor, region: Region) -> list[PartialMoments]:
        """Compute the moments of a region, (1, C, h, w), for `merge`; thread-safe."""
        return partial_moments(x)

    def normalise(
        self, x: Tensor, region: Region, eps: float, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """Return (x - mean) / sqrt(variance + eps), times `weight` and plus `bias` if given, in the type of x."""
        if not x.is_contiguous():  # batch_norm is ten times slower on a view of a larger map
            x = x.contiguous(memory_format=torch.channels_last)
        return F.batch_norm(x, self.mean.float(), self.variance.float(), weight, bias, training=False, eps=eps)
