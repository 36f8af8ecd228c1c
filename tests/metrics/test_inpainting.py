import itertools
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from translate.metrics.inpainting import l1_inside, pairwise_l1_inside, psnr_inside, seam, ssim_inside
from translate.metrics.similarity import MAX_PSNR

SIDE = 48


class Case(NamedTuple):
    truth: np.ndarray
    hole: np.ndarray


def scene(seed: int = 0, side: int = SIDE) -> np.ndarray:
    """Smooth colours with some grain: (side, side, 3) uint8."""
    rng = np.random.default_rng(seed)
    smooth = cv2.resize(rng.uniform(40, 210, (5, 5, 3)), (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)


def box(top: int, left: int, height: int, width: int, side: int = SIDE) -> np.ndarray:
    hole = np.zeros((side, side), bool)
    hole[top : top + height, left : left + width] = True
    return hole


def filled(case: Case, value) -> np.ndarray:
    result = case.truth.copy()
    result[case.hole] = value
    return result


@pytest.fixture
def case() -> Case:
    return Case(scene(), box(10, 14, 20, 17))


@pytest.fixture
def result(case) -> np.ndarray:
    noise = np.random.default_rng(1).integers(-30, 30, case.truth.shape)
    return np.where(case.hole[..., None], np.clip(case.truth + noise, 0, 255), case.truth).astype(np.uint8)


def test_l1_and_psnr_are_those_of_the_holes_pixels(case, result):
    away = [
        int(result[y, x, c]) - int(case.truth[y, x, c])
        for y, x, c in itertools.product(range(10, 30), range(14, 31), range(3))
    ]
    assert l1_inside(result, *case) == pytest.approx(sum(map(abs, away)) / len(away))
    square = sum(each**2 for each in away) / len(away)
    assert psnr_inside(result, *case) == pytest.approx(20 * np.log10(255) - 10 * np.log10(square))


def test_ssim_is_the_mean_of_the_map_over_the_holes_pixels(case, result):
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    _, levels = structural_similarity(case.truth, result, channel_axis=-1, full=True, **options)
    expected = levels[10:30, 14:31].mean()
    assert 0.1 < expected < 0.95
    assert ssim_inside(result, *case) == pytest.approx(expected, abs=1e-5)


def test_ssim_leaves_out_what_lies_at_the_edge(result):
    truth, options = scene(), {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    hole = box(0, 0, 20, 20)
    _, levels = structural_similarity(truth, result, channel_axis=-1, full=True, data_range=255, **options)
    assert ssim_inside(result, truth, hole) == pytest.approx(levels[5:20, 5:20].mean(), abs=1e-5)
    assert ssim_inside(result, truth, box(0, 0, SIDE, 5)) is None


def test_the_seam_compares_the_steps_across_the_border(case, result):
    def steps(picture):
        found, levels = [], picture.astype(int)
        for y, x in itertools.product(range(SIDE), range(SIDE)):
            for v, u in ((y + 1, x), (y, x + 1)):
                if v < SIDE and u < SIDE and case.hole[y, x] != case.hole[v, u]:
                    found += abs(levels[y, x] - levels[v, u]).tolist()
        assert len(found) == 2 * (20 + 17) * 3
        return np.mean(found)

    assert seam(result, *case) == pytest.approx(steps(result) / steps(case.truth))
    assert seam(result, *case) > 1.5


def test_a_perfect_answer_has_the_best_scores(case):
    truth = case.truth.copy()
    assert (l1_inside(truth, *case), psnr_inside(truth, *case), seam(truth, *case)) == (0, MAX_PSNR, 1)
    assert ssim_inside(truth, *case) == pytest.approx(1, abs=1e-5)


def test_a_constant_in_a_smooth_picture_has_a_seam_and_a_smeared_one_has_less_than_none(case):
    assert seam(filled(case, 255), *case) > 5
    rough = Case(np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8), case.hole)
    blurred = cv2.inpaint(rough.truth, rough.hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    assert seam(blurred, *rough) < 0.8


def test_the_seam_of_flat_pictures_is_finite_and_counts_what_can_be_seen(case):
    flat = Case(np.full((SIDE, SIDE, 3), 90, np.uint8), case.hole)
    assert seam(flat.truth, *flat) == 1
    assert seam(filled(flat, 91), *flat) == 1
    assert seam(filled(flat, 110), *flat) == 20


def test_a_hole_at_the_edge_has_a_seam_only_where_something_is_known(case):
    half = Case(scene(), box(0, 0, SIDE, 20))
    other = half.truth.copy()
    other[:, :19] = 0  # all but the column beside what is known
    assert seam(other, *half) == 1
    assert seam(scene(), scene(), np.ones((SIDE, SIDE), bool)) is None


def test_how_far_answers_are_apart(case):
    answers = [filled(case, value) for value in (10, 20, 50)]
    assert pairwise_l1_inside(answers, case.hole) == pytest.approx((10 + 40 + 30) / 3)
    assert pairwise_l1_inside(answers[:1] * 3, case.hole) == 0
    outside = answers[0].copy()
    outside[~case.hole] = 0
    assert pairwise_l1_inside([answers[0], outside], case.hole) == 0
