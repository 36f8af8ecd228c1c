"""Regions of maps, and the moments of a map that is seen region by region."""

__all__ = ["LEAST", "Moments", "Part", "Region", "cut", "tiles"]

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST = 16  # px; a tile of a small map is at least so large
_TINY = 1e-12  # variance; at none at all, the library gives 0 for 1 / 0
_STRIP = 4096  # px; so many are summed in float32 before float64 takes over


class Region(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right` of a map, the last ones not included."""

    top: int
    bottom: int
    left: int
    right: int

    def clipped(self, height: int, width: int) -> "Region":
        """Return what of it lies inside a map."""
        return Region(max(self.top, 0), min(self.bottom, height), max(self.left, 0), min(self.right, width))

    def moved(self, down: int, right: int) -> "Region":
        """Return it at another place."""
        return Region(self.top + down, self.bottom + down, self.left + right, self.right + right)

    def mapped(self, low: Callable[[int], int], high: Callable[[int], int]) -> "Region":
        """Return it with functions applied to where it begins and where it ends."""
        return Region(low(self.top), high(self.bottom), low(self.left), high(self.right))


def cut(x: Tensor, have: Region, want: Region) -> Tensor:
    """Return the region `want` of x, which is the region `have`."""
    rows = slice(want.top - have.top, want.bottom - have.top)
    return x[..., rows, want.left - have.left : want.right - have.left]


def tiles(height: int, width: int, side: int) -> Iterator[Region]:
    """Cover a map with squares, row by row."""
    side = max(side, LEAST)
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield Region(top, min(top + side, height), left, min(left + side, width))


Part = tuple[int, Tensor, Tensor]  # pixels, and the mean and variance of each channel


class Moments:
    """Mean and variance of each channel over everything that was taken in; the parts are put together in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = torch.zeros(())

    def measure(self, x: Tensor, region: Region) -> list[Part]:
        """Return what `take` needs of a region, (1, C, h, w); may be called in any thread."""
        rows = max(1, _STRIP // x.shape[3])
        strips = x.split(rows, dim=2) if x.device.type == "cpu" else (x,)
        return [(strip.shape[2] * strip.shape[3], *_mean_and_variance(strip)) for strip in strips]

    def take(self, parts: Iterable[Part]) -> None:
        """Put parts to the others (Chan et al., 1979, equations 2.1)."""
        for count, mean, variance in parts:
            total, away = self.count + count, mean.double() - self.mean
            self.squares = self.squares + variance.double() * count + away.square() * (self.count * count / total)
            self.mean = self.mean + away * (count / total)
            self.count = total

    @property
    def variance(self) -> Tensor:
        """Of each channel, (C,) float64."""
        return self.squares / self.count

    def normalise(
        self, x: Tensor, region: Region, eps: float, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """Return (x - mean) / sqrt(variance + eps), times `weight` and plus `bias` if given, in the type of x."""
        if not x.is_contiguous():  # a part of a larger map takes ten times as long
            x = x.contiguous(memory_format=torch.channels_last)
        return F.batch_norm(x, self.mean.float(), self.variance.float(), weight, bias, training=False, eps=eps)


def _mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return those of each channel of (1, C, h, w), (C,) float32."""
    if x.device.type != "cpu":
        variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        return mean, variance
    # Twenty times as fast here as PyTorch 2.13's var_mean; it sums in float32, which is why tiles come in strips.
    ones = x.new_ones(x.shape[1], dtype=torch.float32)
    _, mean, scale = torch.native_batch_norm(x, ones, None, None, None, True, 0.0, _TINY)
    return mean, (scale.pow(-2) - _TINY).clamp_(min=0)
