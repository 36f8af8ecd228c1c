import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis

from translate.metrics.novelty import Gaussian, held_out_distances, p_values


def rows(count, dimensions, seed=0):
    g = torch.Generator().manual_seed(seed)
    mix = torch.randn(dimensions, dimensions, generator=torch.Generator().manual_seed(99)) / dimensions**0.5
    return torch.randn(count, dimensions, generator=g) @ mix + 3


def test_the_distance_is_that_of_scipy_under_the_covariance_of_probabilistic_pca():
    x, new = rows(60, 12).double(), rows(5, 12, seed=1).double()
    fit = Gaussian.fit(x)
    kept = len(fit.basis)
    assert 0 < kept < 12
    values, vectors = np.linalg.eigh(np.cov(x.numpy().T))
    values[: 12 - kept] = values[: 12 - kept].mean()  # the smallest share their mean
    inverse = np.linalg.inv(vectors @ np.diag(values) @ vectors.T)
    expected = [mahalanobis(row, x.numpy().mean(0), inverse) ** 2 / 12 for row in new.numpy()]
    np.testing.assert_allclose(fit.distances(new).numpy(), expected, rtol=1e-6)


def test_rows_of_equal_pictures_and_very_few_have_finite_distances():
    fit = Gaussian.fit(torch.ones(5, 7))
    assert fit.distances(torch.ones(1, 7)).item() == 0
    assert torch.isfinite(fit.distances(torch.zeros(1, 7))).all()
    assert torch.isfinite(held_out_distances(rows(3, 7))).all()


def test_every_row_is_measured_by_the_others():
    x = rows(40, 6)
    found = held_out_distances(x)
    for number in range(10):
        held_out = torch.arange(40) % 10 == number
        torch.testing.assert_close(found[held_out], Gaussian.fit(x[~held_out]).distances(x[held_out]))


def test_p_values_are_ranks():
    held_out = torch.arange(1.0, 20.0)  # 19 of them
    found = p_values(torch.tensor([0.0, 10.0, 10.5, 19.0, 100.0]), held_out)
    expected = [(1 + sum(h >= s for h in range(1, 20))) / 20 for s in (0, 10, 10.5, 19, 100)]
    assert found.tolist() == pytest.approx(expected)
    assert found[-1].item() == pytest.approx(0.05)


def test_one_in_twenty_of_the_same_kind_is_at_5_percent_and_all_of_another_kind():
    flagged, others = [], []
    for seed in range(20):
        x = rows(200, 30, seed=1000 + seed)
        fit, held_out = Gaussian.fit(x), held_out_distances(x)
        flagged.append((p_values(fit.distances(rows(100, 30, seed=seed)), held_out) <= 0.05).float().mean())
        others.append((p_values(fit.distances(2 * rows(100, 30, seed=seed)), held_out) <= 0.05).float().mean())
    assert 0.03 < torch.stack(flagged).mean() < 0.07
    assert torch.stack(others).mean() > 0.95
