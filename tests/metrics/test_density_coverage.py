import numpy as np
import pytest
import torch

from translate.metrics.density_coverage import density_coverage
from translate.utils.errors import UserError


def cloud(count, seed, shift=0.0):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)) + shift


def by_definition(samples, real, k):
    """Equations (5) and (6) of the paper, picture by picture."""
    density, covered = 0, 0
    for i, centre in enumerate(real):
        others = sorted(np.linalg.norm(centre - other) for j, other in enumerate(real) if j != i)
        inside = [np.linalg.norm(sample - centre) < others[k - 1] for sample in samples]
        density += sum(inside)
        covered += any(inside)
    return density / (k * len(samples)), covered / len(real)


@pytest.mark.parametrize(("k", "shift"), [(5, 0.0), (5, 0.7), (2, 0.3)])
def test_matches_the_definition(k, shift):
    samples, real = cloud(40, 1, shift), cloud(50, 2)
    found = density_coverage(samples, real, k)
    density, coverage = by_definition(samples.numpy(), real.numpy(), k)
    assert found.density == pytest.approx(density) and found.coverage == pytest.approx(coverage)


def test_like_sets_are_near_1_a_collapse_covers_nothing_and_strangers_are_nowhere():
    real = cloud(400, 0)
    same, far = density_coverage(cloud(400, 1), real), density_coverage(cloud(400, 1, 20.0), real)
    collapsed = density_coverage(cloud(1, 2).expand(400, -1), real)
    assert same.density == pytest.approx(1, abs=0.15) and same.coverage > 0.9
    assert collapsed.coverage < 0.1
    assert far.density == far.coverage == 0


@pytest.mark.parametrize("sizes", [(3, 5), (0, 20)])
def test_too_few_pictures(sizes):
    with pytest.raises(UserError, match="need 6 real pictures and a sample"):
        density_coverage(cloud(sizes[0], 0), cloud(sizes[1], 1))
