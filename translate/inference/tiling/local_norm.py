"""Local norm statistics: means and variances of neighbourhoods, interpolated over a feature map."""

__all__ = ["LocalMoments"]

from collections.abc import Callable, Iterable
from itertools import product

import torch
from torch import Tensor

from translate.inference.tiling.regions import Moments, Region, crop
from translate.networks.norms.moments import PartialMoments


class LocalMoments:
    """Mean and variance around each pixel of a map; has the methods of `Moments`.

    The map is divided into cells of about the same size. Each cell is pooled with its neighbours by the weights 1 2 1
    in both directions, and means and variances are interpolated linearly between the centres of cells: kernelized
    instance normalization (Ho et al., 2022, section 3.2), with interpolation instead of steps between patches.
    """

    def __init__(self, height: int, width: int, cell: float) -> None:
        """Divide a map of height x width px into cells of about `cell` px."""
        self.rows, self.columns = cell_edges(height, cell), cell_edges(width, cell)
        self.cells = [[Moments() for _ in self.columns[1:]] for _ in self.rows[1:]]
        self._pooled: tuple[Tensor, Tensor] | None = None

    def partial(self, x: Tensor, region: Region) -> list[tuple[Moments, list[PartialMoments]]]:
        """Compute the moments of a region, (1, C, h, w), in each cell, for `merge`; thread-safe."""
        parts = []
        for i, j in product(range(len(self.rows) - 1), range(len(self.columns) - 1)):
            cell = self.cells[i][j]
            overlap = Region(
                max(region.top, self.rows[i]), min(region.bottom, self.rows[i + 1]),
                max(region.left, self.columns[j]), min(region.right, self.columns[j + 1]),
            )  # fmt: skip
            if min(overlap.size) > 0:
                parts.append((cell, cell.partial(crop(x, region, overlap), overlap)))
        return parts

    def merge(self, parts: Iterable[tuple[Moments, list[PartialMoments]]]) -> None:
        """Add partial moments to their cells."""
        for cell, cell_parts in parts:
            cell.merge(cell_parts)

    def normalise(
        self, x: Tensor, region: Region, eps: float, weight: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        """Normalise as `Moments.normalise`, by the mean and variance around each pixel."""
        self._pooled = self._pooled or self._pool()
        vertical = interpolation_weights(self.rows, region.top, region.bottom).to(x.device)
        horizontal = interpolation_weights(self.columns, region.left, region.right).to(x.device)
        with torch.autocast(x.device.type, enabled=False):
            mean, variance = ((vertical @ m @ horizontal.T)[None] for m in self._pooled)
            y = (x.float() - mean) * (variance + eps).rsqrt()
        if weight is not None and bias is not None:
            y = y * weight[..., None, None] + bias[..., None, None]
        return y.to(x.dtype)

    def _pool(self) -> tuple[Tensor, Tensor]:
        """Return the means and variances of all cells pooled with their neighbours, (C, rows, columns) float32."""

        def stack(value: Callable[[Moments], Tensor]) -> Tensor:
            return torch.stack([torch.stack([value(cell) for cell in row], -1) for row in self.cells], -2)

        count, mean = stack(lambda m: torch.full_like(m.mean, m.count)), stack(lambda m: m.mean)
        vertical, horizontal = (pooling_weights(len(edges) - 1).to(mean) for edges in (self.rows, self.columns))
        total = vertical @ count @ horizontal

        def pool(values: Tensor) -> Tensor:
            return vertical @ (values * count) @ horizontal / total

        pooled_mean = pool(mean)
        mean_square = pool(stack(lambda m: m.variance) + mean.square())
        return pooled_mean.float(), (mean_square - pooled_mean.square()).clamp(min=0).float()


def cell_edges(size: int, cell: float) -> list[int]:
    """Divide `size` px into cells of about `cell` px; return their edges, one more than cells."""
    count = max(1, round(size / cell))
    return [round(size * i / count) for i in range(count + 1)]


def pooling_weights(count: int) -> Tensor:
    """Return the weights of cells in the pool of each cell, (count, count): 2 for itself, 1 for a neighbour."""
    distance = (torch.arange(count)[:, None] - torch.arange(count)).abs()
    return (2 - distance).clamp(min=0)


def interpolation_weights(edges: list[int], low: int, high: int) -> Tensor:
    """Return the weights of cells at the pixels `low` to `high`, linear between cell centres: (high - low, cells)."""
    if len(edges) == 2:
        return torch.ones(high - low, 1)
    ends = torch.tensor(edges)
    centres = (ends[:-1] + ends[1:]) / 2
    at = (torch.arange(low, high) + 0.5).clamp(centres[0], centres[-1])
    right = torch.searchsorted(centres, at).clamp(min=1)[:, None]
    share = (at[:, None] - centres[right - 1]) / (centres[right] - centres[right - 1])
    weights = torch.zeros(high - low, len(centres))
    return weights.scatter_(1, right, share).scatter_(1, right - 1, 1 - share)
