"""Density and coverage of samples: are they where real pictures are, and is no kind of real picture left out?

Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models", equations (5) and (6)
(https://arxiv.org/abs/2002.09797). Each real picture has a ball that just reaches its k-th nearest real neighbour.
"""

__all__ = ["DEFAULT_NEIGHBOURS", "DensityCoverage", "density_coverage"]

from dataclasses import dataclass

import torch
from torch import Tensor

from translate.metrics.diversity import CHUNK_ROWS, euclidean_distances
from translate.utils.errors import UserError

DEFAULT_NEIGHBOURS = 5  # the paper's choice


@dataclass(frozen=True)
class DensityCoverage:
    """How samples lie among real pictures.

    Attributes:
        density: real balls that hold a sample, on average, over k: about 1 for samples like real pictures, less for
            odd ones, more where all samples crowd into the usual.
        coverage: share of the real balls that hold a sample, 0 to 1: low after a collapse.
    """

    density: float
    coverage: float


def density_coverage(samples: Tensor, real: Tensor, k: int = DEFAULT_NEIGHBOURS) -> DensityCoverage:
    """Measure density and coverage by features.

    Args:
        samples: (N, d), N of 1 or more; as many as there are real pictures, for numbers that compare.
        real: (M, d).
        k: neighbours that a real picture's ball reaches.

    Raises:
        UserError: there are not more than `k` real pictures, or no samples.
    """
    if len(real) <= k or not len(samples):
        raise UserError(
            f"density and coverage need {k + 1} real pictures and a sample, not {len(real)}, {len(samples)}"
        )
    # the nearest to a picture is the picture itself
    radii = torch.cat(
        [euclidean_distances(rows, real).kthvalue(k + 1, dim=1).values for rows in real.split(CHUNK_ROWS)]
    )
    inside, met = 0, torch.zeros(len(real), dtype=torch.bool, device=real.device)
    for rows in samples.split(CHUNK_ROWS):
        within = euclidean_distances(rows, real) < radii
        inside += int(within.sum())
        met |= within.any(dim=0)
    return DensityCoverage(inside / (k * len(samples)), float(met.float().mean()))
