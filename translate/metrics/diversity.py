"""Diversity of a set of pictures: the mean pairwise distance of thumbnails; and nearest neighbours in another set."""

__all__ = ["euclidean_distances", "nearest_neighbours", "pairwise_spread", "thumbnail_spread", "thumbnails"]

import torch
import torch.nn.functional as F
from torch import Tensor

THUMBNAIL_SIDE_PX = 16  # coarse enough that grain does not separate two pictures of one object
CHUNK_ROWS = 1024  # of a distance matrix at a time, to limit memory


def pairwise_spread(pictures: Tensor) -> float:
    """Compute the mean pairwise distance of n >= 2 pictures (n, C, H, W) in [-1, 1]; near 0 after a mode collapse.

    The distance is the root mean square difference of thumbnails, 16 x 16 px, averaged over all pairs: 0 to 2. Only
    sets of one domain can be compared.

    >>> pairwise_spread(torch.stack([torch.ones(3, 32, 32), torch.zeros(3, 32, 32)]))
    1.0
    """
    return thumbnail_spread(thumbnails(pictures))


def thumbnail_spread(rows: Tensor) -> float:
    """Compute `pairwise_spread` from `thumbnails` (n, d)."""
    assert len(rows) >= 2
    return float(torch.pdist(rows).mean() / rows.shape[1] ** 0.5)


def thumbnails(pictures: Tensor) -> Tensor:
    """Shrink (n, C, H, W) to the area means of 16 x 16 px, flattened: (n, C * 256) float32, detached."""
    return F.adaptive_avg_pool2d(pictures.detach().float(), THUMBNAIL_SIDE_PX).flatten(1)


def nearest_neighbours(samples: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest row of `bank`, (M, d), for samples (N, d): Euclidean distances (N,) and indices (N,) int64."""
    nearest = [euclidean_distances(rows, bank).min(dim=1) for rows in samples.split(CHUNK_ROWS)]
    return torch.cat([each.values for each in nearest]), torch.cat([each.indices for each in nearest])


def euclidean_distances(one: Tensor, other: Tensor) -> Tensor:
    """Compute the distances (N, M) between (N, d) and (M, d), exactly 0 for equal rows."""
    return torch.cdist(one, other, compute_mode="donot_use_mm_for_euclid_dist")
