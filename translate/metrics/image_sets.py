"""Sets of pictures with their features, and two simple baselines."""

__all__ = ["DescribedSet", "PixelStatistics", "array_thumbnails", "average_in_pairs", "mirror_thumbnails", "shrink"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from translate.images.tensors import from_uint8, to_uint8
from translate.metrics.diversity import THUMBNAIL_SIDE_PX, thumbnail_spread, thumbnails
from translate.metrics.lattice import phase_maps

SMALL_SIDE_PX = 64  # enough for thumbnails and classifiers, while a large set fits into memory


@dataclass(frozen=True)
class DescribedSet:
    """A set of N pictures with its features."""

    small: np.ndarray  # (N, h, w, 3) uint8, of at most 64 px
    thumbnails: Tensor  # (N, 768) float32, the pixels at 16 x 16 px
    features: dict[str, Tensor]  # (N, d) each, by name
    phases: Tensor  # (4 N, 8, 8), see `phase_maps`

    @classmethod
    def of(cls, pictures: np.ndarray, describers: dict[str, Callable[[Tensor], Tensor]]) -> "DescribedSet":
        """Compute the set of (N, H, W, 3) uint8 by feature networks of (B, 3, H, W) in [-1, 1]."""
        small = shrink(pictures)
        features = {name: torch.cat([f(x) for x in tensor_batches(pictures)]) for name, f in describers.items()}
        phases = torch.cat([phase_maps(x) for x in tensor_batches(pictures)])
        return cls(small, array_thumbnails(small), features, phases)

    def spread(self) -> float:
        """Compute `pairwise_spread` of the set."""
        return thumbnail_spread(self.thumbnails)


class PixelStatistics:
    """Mean and standard deviation of each pixel over a set, accumulated picture by picture."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, np.zeros(()), np.zeros(())

    def add(self, picture: np.ndarray) -> None:
        """Add a picture, (H, W, 3) uint8, of the same size as the others."""
        self.count += 1
        self.total = self.total + picture
        self.squares = self.squares + np.square(picture, dtype=np.float64)

    def noisy_means(self, count: int, *, gray: bool, seed: int) -> np.ndarray:
        """Draw pixels from their means and deviations with `gray` or RGB noise: (count, H, W, 3) uint8."""
        mean = self.total / self.count
        deviation = np.sqrt(np.maximum(self.squares / self.count - mean**2, 0))
        shape = (count, *mean.shape[:2], 1 if gray else 3)
        noise = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
        return np.clip(np.rint(mean + noise * deviation), 0, 255).astype(np.uint8)


def average_in_pairs(pictures: np.ndarray) -> np.ndarray:
    """Average each of (N, H, W, 3) uint8 with the previous one."""
    return ((pictures.astype(np.uint16) + np.roll(pictures, 1, axis=0)) // 2).astype(np.uint8)


def array_thumbnails(pictures: np.ndarray) -> Tensor:
    """Compute the `thumbnails` of (N, H, W, 3) uint8: (N, 768) float32 in [-1, 1]."""
    return torch.cat([thumbnails(x) for x in tensor_batches(pictures)])


def mirror_thumbnails(rows: Tensor) -> Tensor:
    """Mirror thumbnails (N, 768) left to right."""
    return rows.view(len(rows), 3, THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX).flip(-1).flatten(1)


def shrink(pictures: np.ndarray) -> np.ndarray:
    """Shrink (N, H, W, 3) uint8 larger than 64 px to 64 x 64 px."""
    if max(pictures.shape[1:3]) <= SMALL_SIDE_PX:
        return pictures
    size = (SMALL_SIDE_PX, SMALL_SIDE_PX)
    small = torch.cat([to_uint8(F.interpolate(x, size, mode="area")) for x in tensor_batches(pictures)])
    return small.permute(0, 2, 3, 1).contiguous().numpy()


def tensor_batches(pictures: np.ndarray) -> Iterator[Tensor]:
    """Convert (N, H, W, 3) uint8 to batches of at most 32, (B, 3, H, W) float32 in [-1, 1]."""
    for part in torch.from_numpy(pictures).split(32):
        yield from_uint8(part.permute(0, 3, 1, 2))
