"""Regions of feature maps, and the mean and variance of a map, merged from its regions."""

__all__ = ["Moments", "PartialMoments", "Region", "crop", "tiles"]

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

FLOAT32_SUM_PX = 4096  # longer sums in float32 lose digits, so sums of strips of this many pixels are merged in float64
VARIANCE_EPS = 1e-12  # keeps `native_batch_norm`, which returns 1 / sqrt(variance + eps), finite on a flat strip


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


PartialMoments = tuple[int, Tensor, Tensor]  # number of pixels, and the mean and variance of each channel


class Moments:
    """Mean and variance of each channel of a map, merged in float64 from its regions."""

    def __init__(self) -> None:
        self.count = 0  # pixels so far
        self.mean = self.squares = torch.zeros(())  # (C,) float64; `squares` sums squared differences from the mean

    def partial(self, x: Tensor, region: Region) -> list[PartialMoments]:
        """Compute the moments of a region, (1, C, h, w), for `merge`; thread-safe."""
        rows = max(1, FLOAT32_SUM_PX // x.shape[3])
        strips = x.split(rows, dim=2) if x.device.type == "cpu" else (x,)
        return [(strip.shape[2] * strip.shape[3], *mean_and_variance(strip)) for strip in strips]

    def merge(self, parts: Iterable[PartialMoments]) -> None:
        """Add partial moments (Chan et al., 1979, equations 2.1)."""
        for count, mean, variance in parts:
            total, delta = self.count + count, mean.double() - self.mean
            self.squares = self.squares + variance.double() * count + delta.square() * (self.count * count / total)
            self.mean = self.mean + delta * (count / total)
            self.count = total

    @property
    def variance(self) -> Tensor:
        """Variance of each channel, (C,) float64."""
        return self.squares / self.count

    def normalise(
        self, x: Tensor, region: Region, eps: float, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """Return (x - mean) / sqrt(variance + eps), times `weight` and plus `bias` if given, in the type of x."""
        if not x.is_contiguous():  # batch_norm is ten times slower on a view of a larger map
            x = x.contiguous(memory_format=torch.channels_last)
        return F.batch_norm(x, self.mean.float(), self.variance.float(), weight, bias, training=False, eps=eps)


def mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and variance of each channel of (1, C, h, w): (C,) float32 each."""
    if x.device.type != "cpu":
        variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        return mean, variance
    # Twenty times as fast on a CPU as PyTorch 2.13's var_mean, but sums in float32, so tiles are split into strips.
    ones = x.new_ones(x.shape[1], dtype=torch.float32)
    _, mean, rstd = torch.native_batch_norm(x, ones, None, None, None, True, 0.0, VARIANCE_EPS)
    return mean, (rstd.pow(-2) - VARIANCE_EPS).clamp_(min=0)
