"""The profiles of power-function averages against numerical integrals, and their combinations."""

import numpy as np
import pytest

from translate.training.scores.least_squares import Profile, combine, exponent_of

TIMES = (np.arange(200_000) + 0.5) / 200_000  # of a run of length 1


def density(step, gamma):
    return np.where(step >= TIMES, (gamma + 1) * TIMES**gamma / step ** (gamma + 1), 0)


@pytest.mark.parametrize("length", [0.05, 0.1, 0.2, 0.25])
def test_the_length_is_the_standard_deviation_of_the_profile(length):
    p = density(1.0, exponent_of(length))
    mean = (p * TIMES).mean()
    assert p.mean() == pytest.approx(1, rel=1e-4)
    assert np.sqrt((p * (TIMES - mean) ** 2).mean()) == pytest.approx(length, rel=1e-3)


def test_overlaps_are_the_integrals_of_products():
    for one, other in [((1.0, 7.0), (1.0, 17.0)), ((0.5, 7.0), (1.0, 17.0)), ((0.9, 17.0), (0.4, 2.0))]:
        expected = (density(*one) * density(*other)).mean()
        assert Profile(*one).overlap(Profile(*other)) == pytest.approx(expected, rel=1e-3)
        assert Profile(*other).overlap(Profile(*one)) == pytest.approx(expected, rel=1e-3)


def snapshots(steps):
    return [Profile(step, exponent_of(length)) for step in steps for length in (0.05, 0.10)]


def test_a_kept_average_is_itself():
    factors, error = combine(snapshots([500, 1000]), Profile(1000, exponent_of(0.10)))
    assert factors == pytest.approx([0, 0, 0, 1], abs=1e-6) and error == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("length", [0.07, 0.15, 0.2])
def test_eight_snapshots_come_near_other_lengths_with_factors_of_sum_1(length):
    profiles = snapshots(range(125, 1001, 125))
    factors, error = combine(profiles, Profile(1000, exponent_of(length)))
    total = sum(factor * density(p.step / 1000, p.exponent) for factor, p in zip(factors, profiles, strict=True))
    wanted = density(1.0, exponent_of(length))
    measured = np.sqrt(((total - wanted) ** 2).mean() / (wanted**2).mean())
    assert sum(factors) == pytest.approx(1) and error == pytest.approx(measured, rel=0.02) and error < 0.09


def test_one_snapshot_does_not_and_says_so():
    factors, error = combine(snapshots([1000]), Profile(1000, exponent_of(0.2)))
    assert sum(factors) == pytest.approx(1) and error > 0.25
