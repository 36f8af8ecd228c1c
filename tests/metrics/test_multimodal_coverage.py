import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from translate.metrics.multimodal_coverage import (
    ciede2000,
    leave_one_out,
    multimodal_coverage,
    palette_distances,
    palette_of,
    part_areas,
)

AREAS = np.array([3.0, 1.0])


def grays(*pairs: tuple[float, float]) -> np.ndarray:
    """Looks of two gray parts, by their lightness: (N, 2, 3)."""
    return np.array([[[a, 0, 0], [b, 0, 0]] for a, b in pairs], float)


def test_ciede2000_matches_skimage():
    rng = np.random.default_rng(0)
    one, other = (rng.uniform([0, -100, -100], [100, 100, 100], (5000, 3)) for _ in range(2))
    one[:100, 1:] = other[50:150, 1:] = 0  # grays have no hue
    np.testing.assert_allclose(ciede2000(one, other), deltaE_ciede2000(one, other), atol=1e-9)


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [  # from table 1 of Sharma et al. 2005: blue's rotation, hues across 0 degrees, grays
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_matches_its_paper(one, other, difference):
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=5e-5)


def test_a_look_is_the_mean_colour_of_each_part():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (12, 10, 3), np.uint8)
    parts = np.zeros((12, 10), np.uint8)
    parts[2:6, 2:8], parts[8:10] = 1, 3  # no pixel is a 2
    look, lab = palette_of(picture, parts), rgb2lab(picture)
    assert look.shape == (3, 3)
    for number in (1, 3):
        np.testing.assert_allclose(look[number - 1], lab[parts == number].mean(0), atol=0.01)
    np.testing.assert_array_equal(part_areas(parts), [24, 0, 20])
    doubled = palette_of(picture.repeat(2, 0).repeat(2, 1), parts)
    np.testing.assert_allclose(doubled, look, atol=1e-9)


def test_distances_are_weighted_by_area():
    far = palette_distances(grays((50, 50)), grays((50, 50), (60, 50), (50, 60)), AREAS)
    step = ciede2000(np.array([50.0, 0, 0]), np.array([60.0, 0, 0]))
    np.testing.assert_allclose(far, [[0, 0.75 * step, 0.25 * step]])


def test_the_right_answers_score_full_marks():
    truths = grays((20, 20), (50, 80), (90, 20))
    score = multimodal_coverage(truths[[2, 0, 1]], truths, AREAS)
    assert (score.coverage, score.precision, score.diversity) == (1, 1, pytest.approx(1))


def test_coverage_and_precision_count_different_things():
    truths = grays((10, 10), (40, 40), (70, 70), (95, 95))
    one_right = multimodal_coverage(grays((40, 41), (41, 40)), truths, AREAS)
    assert (one_right.coverage, one_right.precision) == (0.25, 1)
    assert one_right.diversity < 0.05
    half_wrong = multimodal_coverage(grays((10, 10), (40, 40), (55, 55), (55, 56)), truths, AREAS)
    assert (half_wrong.coverage, half_wrong.precision) == (0.5, 0.5)
    assert half_wrong.coverage_wide == 0.75  # 70 is about 13 from 55


def test_reach_is_a_choice():
    away = multimodal_coverage(grays((40, 40)), grays((50, 50)), AREAS)
    assert away.coverage == 1  # about 9.5
    assert multimodal_coverage(grays((40, 40)), grays((50, 50)), AREAS, reach=9).coverage == 0


def test_noise_is_too_diverse():
    noise = np.random.default_rng(0).uniform([0, -100, -100], [100, 100, 100], (16, 2, 3))
    assert multimodal_coverage(noise, grays((40, 40), (50, 50)), AREAS).diversity > 2


def test_diversity_needs_two_of_both():
    truths = grays((20, 20), (50, 80))
    assert multimodal_coverage(truths[:1], truths, AREAS).diversity is None
    assert multimodal_coverage(truths, truths[:1], AREAS).diversity is None
    assert multimodal_coverage(truths, truths[[0, 0]], AREAS).diversity is None


def test_each_right_answer_against_the_others():
    score = leave_one_out(grays((20, 20), (21, 21), (50, 50), (64, 64)), AREAS)
    assert (score.coverage, score.coverage_wide, score.precision, score.diversity) == (0.5, 1, 0.5, 1)
