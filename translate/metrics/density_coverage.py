"""Density and coverage: fidelity and diversity of samples by their nearest real pictures.

Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", equations (5) and (6)
(https://arxiv.org/abs/2002.09797). Each real picture is the centre of a ball up to its k-th nearest real neighbour.
Only values of the same features and set sizes can be compared.
"""

__all__ = ["DensityCoverage", "density_coverage"]

from dataclasses import dataclass

import torch
from torch import Tensor

from translate.metrics.diversity import CHUNK_ROWS, euclidean_distances
from translate.utils.errors import UserError


@dataclass(frozen=True)
class DensityCoverage:
    """Density and coverage of samples.

    Attributes:
        density: mean number of real balls around a sample, over k: about 1 for samples like real pictures, less for
            unlikely ones, more for samples crowded around typical pictures.
        coverage: share of the real balls that contain a sample, 0 to 1: low after a mode collapse.
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
        k: number of nearest neighbours in a ball; 5 in the paper.

    Raises:
        UserError: at most `k` real pictures, or no samples.
    """
    if len(real) <= k or not len(samples):
        sizes = f"{len(real)}, {len(samples)}"
        raise UserError(f"density and coverage need {k + 1} real pictures and a sample, not {sizes}")
    # k + 1, as the nearest neighbour of a picture is the picture itself
    radii = torch.cat(
        [euclidean_distances(rows, real).kthvalue(k + 1, dim=1).values for rows in real.split(CHUNK_ROWS)]
    )
    count, covered = 0, torch.zeros(len(real), dtype=torch.bool, device=real.device)
    for rows in samples.split(CHUNK_ROWS):
        inside = euclidean_distances(rows, real) < radii
        count += int(inside.sum())
        covered |= inside.any(dim=0)
    return DensityCoverage(count / (k * len(samples)), float(covered.float().mean()))
