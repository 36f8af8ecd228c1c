"""How far pictures are apart: the spread of a set, and each picture's nearest in another."""

__all__ = ["nearest_neighbours", "pairwise_spread", "thumbnails", "thumbnail_spread"]

import torch
import torch.nn.functional as F
from torch import Tensor

THUMBNAIL_SIDE_PX = 16  # px: what is finer is grain, by which two pictures of one face would count as different
CHUNK_ROWS = 1024  # rows of distances at a time


def pairwise_spread(pictures: Tensor) -> float:
    """Mean distance between two pictures of a set; near 0 when a generator draws one picture again and again.

    Args:
        pictures: (n, C, H, W) in [-1, 1], n of 2 or more.

    Returns:
        The root mean square difference of small copies, 16 x 16 px, averaged over all pairs: 0 to 2.
    """
    return thumbnail_spread(thumbnails(pictures))


def thumbnail_spread(copies: Tensor) -> float:
    """Return the `pairwise_spread` of pictures, given what `small_copies` makes of them, (n, d)."""
    assert len(copies) >= 2
    return float(torch.pdist(copies).mean() / copies.shape[1] ** 0.5)


def thumbnails(pictures: Tensor, side: int = THUMBNAIL_SIDE_PX) -> Tensor:
    """Shrink (n, C, H, W) to `side` px, each small pixel the mean of its area: (n, C * side * side) float32."""
    return F.adaptive_avg_pool2d(pictures.detach().float(), side).flatten(1)


def nearest_neighbours(samples: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """Find for each sample the nearest in a bank, by the Euclidean distance.

    Args:
        samples: (N, d).
        bank: (M, d), M of 1 or more.

    Returns:
        The distances (N,) and the places in the bank (N,) int64.
    """
    found = [euclidean_distances(rows, bank).min(dim=1) for rows in samples.split(CHUNK_ROWS)]
    return torch.cat([each.values for each in found]), torch.cat([each.indices for each in found])


def euclidean_distances(one: Tensor, other: Tensor) -> Tensor:
    """Euclidean distances between (N, d) and (M, d): (N, M). Exact: equal rows are 0 apart, not nearly."""
    return torch.cdist(one, other, compute_mode="donot_use_mm_for_euclid_dist")
