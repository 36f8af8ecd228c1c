"""The novelty of a picture: its distance to a set of pictures in a feature space, and the p-value of that distance.

The distance is Mahalanobis' under a covariance of a few principal components and one variance for all other directions:
probabilistic PCA (Tipping and Bishop, 1999, https://doi.org/10.1111/1467-9868.00196), which a few dozen pictures
determine in any number of dimensions. The p-value is conformal (Vovk, Gammerman and Shafer, 2005, section 2.2): of
pictures that come from where the set comes from, a share of p has a p-value of at most p, whatever their distribution.
"""

__all__ = ["Gaussian", "held_out_distances", "p_values"]

from dataclasses import dataclass

import torch
from torch import Tensor

MAX_COMPONENTS = 32  # principal components; more told shoes no better from handbags
ROWS_PER_COMPONENT = 4  # a component that fewer rows determine is chance
FOLDS = 10
MIN_VARIANCE = 1e-6  # of a direction, so that equal pictures do not divide by 0


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution of d features with K principal components."""

    mean: Tensor  # (d,)
    basis: Tensor  # (K, d), orthonormal rows
    variances: Tensor  # (K,), along the basis
    rest: Tensor  # (), the variance along every other direction

    @classmethod
    def fit(cls, rows: Tensor) -> "Gaussian":
        """Fit n >= 2 rows (n, d) by maximum likelihood (Tipping and Bishop, equations 7 and 8)."""
        count, dimensions = rows.shape
        kept = max(0, min(MAX_COMPONENTS, count // ROWS_PER_COMPONENT, dimensions - 1))
        mean = rows.mean(dim=0)
        _, singular, basis = torch.linalg.svd(rows - mean, full_matrices=False)
        variances = singular.square() / (count - 1)
        rest = variances[kept:].sum() / (dimensions - kept)
        return cls(mean, basis[:kept], variances[:kept].clamp_min(MIN_VARIANCE), rest.clamp_min(MIN_VARIANCE))

    def distances(self, rows: Tensor) -> Tensor:
        """Compute the squared Mahalanobis distances of (n, d) to the mean, divided by d: (n,), about 1 for members."""
        centred = rows - self.mean
        along = centred @ self.basis.T
        beyond = (centred.square().sum(dim=1) - along.square().sum(dim=1)).clamp_min(0)
        return ((along.square() / self.variances).sum(dim=1) + beyond / self.rest) / rows.shape[1]


def held_out_distances(rows: Tensor) -> Tensor:
    """Compute the distance of each of n rows (n, d) to a Gaussian of rows without it, in ten parts: (n,)."""
    fold = torch.arange(len(rows)) % min(FOLDS, len(rows))
    result = rows.new_empty(len(rows))
    for number in fold.unique():
        held_out = fold == number
        result[held_out] = Gaussian.fit(rows[~held_out]).distances(rows[held_out])
    return result


def p_values(distances: Tensor, held_out: Tensor) -> Tensor:
    """Compute (1 + the number of n held-out distances that are as large) / (n + 1) for distances (m,): (m,).

    >>> p_values(torch.tensor([2.5, 9.0]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([0.5000, 0.2500])
    """
    larger = (held_out[None] >= distances[:, None]).sum(dim=1)
    return (1 + larger) / (len(held_out) + 1)
