"""Density and coverage: whether samples lie among real pictures, and whether they leave out no kind of real picture.

Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", equations (5) and (6)
(https://arxiv.org/abs/2002.09797). Each real picture has a ball that just reaches its k-th nearest real neighbour.
Values by other features, or of sets of other sizes, cannot be compared.
"""

__all__ = ["DensityCoverage", "density_coverage"]

from dataclasses import dataclass

import torch
from torch import Tensor

from translate.metrics.diversity import CHUNK_ROWS, euclidean_distances
from translate.utils.errors import UserError


@dataclass(frozen=True)
class DensityCoverage:
    """How samples lie among real pictures.

    Attributes:
        density: mean number of real balls that hold a sample, over k: about 1 for samples like real pictures, less for
            unlikely ones, more where samples crowd around typical pictures.
        coverage: share of the real balls that hold a sample, 0 to 1: low after a mode collapse.
    """

    density: float
    coverage: float


def density_coverage(samples: Tensor, real: Tensor, k: int = 5) -> DensityCoverage:
    """Compute density and coverage from features.

    >>> density_coverage(torch.tensor([[0.1], [0.2]]), torch.tensor([[0.0], [1.0], [8.0], [9.0]]), k=1)
    DensityCoverage(density=2.0, coverage=0.5)

    Args:
        samples: (N, d), N of 1 or more; equal to M if values are to be compared.
        real: (M, d).
        k: the neighbour that a real picture's ball reaches; 5 in the paper.

    Raises:
        UserError: there are not more than `k` real pictures, or no samples.
    """
    if len(real) <= k or not len(samples):
        sizes = f"{len(real)}, {len(samples)}"
        raise UserError(f"density and coverage need {k + 1} real pictures and a sample, not {sizes}")
    # a picture's nearest neighbour is the picture itself, hence k + 1
    radii = torch.cat(
        [euclidean_distances(rows, real).kthvalue(k + 1, dim=1).values for rows in real.split(CHUNK_ROWS)]
    )
    count, covered = 0, torch.zeros(len(real), dtype=torch.bool, device=real.device)
    for rows in samples.split(CHUNK_ROWS):
        inside = euclidean_distances(rows, real) < radii
        count += int(inside.sum())
        covered |= inside.any(dim=0)
    return DensityCoverage(count / (k * len(samples)), float(covered.float().mean()))
