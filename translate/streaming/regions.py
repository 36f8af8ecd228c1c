"""Regions of maps, and the moments of a map that is seen region by region."""

__all__ = ["LEAST", "Moments", "Region", "cut", "tiles"]

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

LEAST = 16  # px; a tile of a small map is at least so large


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


class Moments:
    """Mean and variance of each channel over everything that was added; the parts are put together in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = torch.zeros(())

    def add(self, x: Tensor) -> None:
        """Take in (1, C, h, w)."""
        variance, mean = (m.double() for m in torch.var_mean(x.float(), (2, 3), correction=0))
        count = x.shape[2] * x.shape[3]
        squares = variance * count
        total, away = self.count + count, mean - self.mean
        self.squares = self.squares + squares + away.square() * (self.count * count / total)
        self.mean = self.mean + away * (count / total)
        self.count = total

    def normalise(self, x: Tensor, eps: float) -> Tensor:
        """Return (x - mean) / sqrt(variance + eps), in the type of x."""
        scale = (self.squares / self.count + eps).rsqrt()
        shift = -self.mean * scale
        return (x * scale.float()[..., None, None] + shift.float()[..., None, None]).to(x.dtype)
