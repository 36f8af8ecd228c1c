"""Means and variances that change slowly over a map: those of neighbourhoods, blended into each other."""

__all__ = ["LocalMoments"]

from collections.abc import Callable, Iterable
from itertools import product

import torch
from torch import Tensor

from translate.inference.tiling.regions import Moments, Part, Region, cut


class LocalMoments:
    """What `Moments` is for a whole map, for the neighbourhood of each place.

    A map is divided into cells of about one size. Each is pooled with its neighbours, weighted 1 2 1 both ways, and
    between the centres of cells, means and variances are interpolated. That is kernelized instance normalization (Ho et
    al., 2022, section 3.2) with an interpolation in the place of its steps between patches.
    """

    def __init__(self, height: int, width: int, cell: float) -> None:
        """Divide a map of height x width px into cells of about `cell` px."""
        self.rows, self.columns = _edges(height, cell), _edges(width, cell)
        self.cells = [[Moments() for _ in self.columns[1:]] for _ in self.rows[1:]]
        self._pooled: tuple[Tensor, Tensor] | None = None

    def measure(self, x: Tensor, region: Region) -> list[tuple[Moments, list[Part]]]:
        """Return what `take` needs of a region, (1, C, h, w): the parts of each cell."""
        found = []
        for i, j in product(range(len(self.rows) - 1), range(len(self.columns) - 1)):
            shared = Region(
                max(region.top, self.rows[i]), min(region.bottom, self.rows[i + 1]),
                max(region.left, self.columns[j]), min(region.right, self.columns[j + 1]),
            )  # fmt: skip
            if shared.top < shared.bottom and shared.left < shared.right:
                found.append((self.cells[i][j], self.cells[i][j].measure(cut(x, region, shared), shared)))
        return found

    def take(self, parts: Iterable[tuple[Moments, list[Part]]]) -> None:
        """Put parts to the others of their cells."""
        for cell, found in parts:
            cell.take(found)

    def normalise(
        self, x: Tensor, region: Region, eps: float, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """Do as `Moments.normalise`, with the mean and variance of each place."""
        self._pooled = self._pooled or self._pool()
        down = _between(self.rows, region.top, region.bottom).to(x.device)
        along = _between(self.columns, region.left, region.right).to(x.device)
        with torch.autocast(x.device.type, enabled=False):
            mean, variance = ((down @ m @ along.T)[None] for m in self._pooled)
            y = (x.float() - mean) * (variance + eps).rsqrt()
        if weight is not None and bias is not None:
            y = y * weight[..., None, None] + bias[..., None, None]
        return y.to(x.dtype)

    def _pool(self) -> tuple[Tensor, Tensor]:
        """Return the means and variances of all cells with their neighbours, (C, rows, columns) float32."""

        def of_all(value: Callable[[Moments], Tensor]) -> Tensor:
            return torch.stack([torch.stack([value(cell) for cell in row], -1) for row in self.cells], -2)

        count, mean = of_all(lambda m: torch.full_like(m.mean, m.count)), of_all(lambda m: m.mean)
        down, along = (_near(len(edges) - 1).to(mean) for edges in (self.rows, self.columns))
        weights = down @ count @ along

        def pooled(values: Tensor) -> Tensor:
            return down @ (values * count) @ along / weights

        middle = pooled(mean)
        squares = pooled(of_all(lambda m: m.variance) + mean.square())
        return middle.float(), (squares - middle.square()).clamp(min=0).float()


def _edges(size: int, cell: float) -> list[int]:
    """Divide `size` px into parts of about `cell` px; return where they begin and end."""
    count = max(1, round(size / cell))
    return [round(size * i / count) for i in range(count + 1)]


def _near(count: int) -> Tensor:
    """Return the weights with which cells enter each other, (count, count)."""
    apart = (torch.arange(count)[:, None] - torch.arange(count)).abs()
    return (2 - apart).clamp(min=0)


def _between(edges: list[int], low: int, high: int) -> Tensor:
    """Return the weights of cells at the pixels `low` to `high`: linear between the centres; (high - low, cells)."""
    if len(edges) == 2:
        return torch.ones(high - low, 1)
    ends = torch.tensor(edges)
    centres = (ends[:-1] + ends[1:]) / 2
    at = (torch.arange(low, high) + 0.5).clamp(centres[0], centres[-1])
    right = torch.searchsorted(centres, at).clamp(min=1)[:, None]
    share = (at[:, None] - centres[right - 1]) / (centres[right] - centres[right - 1])
    weights = torch.zeros(high - low, len(centres))
    return weights.scatter_(1, right, share).scatter_(1, right - 1, 1 - share)
