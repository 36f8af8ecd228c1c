import cv2
import numpy as np
import pytest

from tests.metrics.test_inpainting import box, scene
from translate.evaluation.baselines import FILLS, MeanPicture, NearestSource, fill_with_mean_colour
from translate.evaluation.cases import InpaintingCase
from translate.metrics.inpainting import l1_inside


def test_the_mean_of_pictures():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (5, 8, 10, 3), np.uint8)
    mean = MeanPicture()
    for picture in pictures:
        mean.add(picture)
    expected = np.rint(pictures.astype(float).mean(0))
    np.testing.assert_array_equal(mean(pictures[0]), expected)
    larger = mean(np.zeros((24, 30, 3), np.uint8))
    assert larger.shape == (24, 30, 3) and abs(larger.mean() - expected.mean()) < 2


def test_pictures_of_other_sizes_count_too():
    mean = MeanPicture()
    for size, value in ((8, 0), (20, 100), (5, 200)):
        mean.add(np.full((size, size, 3), value, np.uint8))
    assert mean.count == 3 and (mean(np.zeros((8, 8, 3), np.uint8)) == 100).all()


def test_the_nearest_source_is_the_one_with_nearly_the_same_lines():
    def drawn(x, y, size=64):
        sheet = np.full((size, size, 3), 255, np.uint8)
        cv2.circle(sheet, (x * size // 64, y * size // 64), size // 5, (0, 0, 0), 2)
        return sheet

    nearest = NearestSource[str]()
    for name, (x, y) in {"left": (18, 30), "right": (46, 30), "low": (32, 48)}.items():
        nearest.add(drawn(x, y), name)
    assert nearest(drawn(20, 28)) == "left"
    assert nearest(drawn(44, 33, size=150)) == "right"
    assert nearest(drawn(31, 50)) == "low"


@pytest.fixture
def case() -> InpaintingCase:
    return InpaintingCase(scene(), box(10, 14, 20, 17))


def test_the_mean_colour_is_that_of_what_is_known(case):
    result = fill_with_mean_colour(case.picture, mask=case.hole)
    known = case.truth.reshape(-1, 3)[~case.hole.ravel()]
    np.testing.assert_array_equal(result[case.hole], np.broadcast_to(np.rint(known.mean(0)), (340, 3)))


def test_what_costs_nothing_keeps_what_is_known_and_finds_a_smooth_hole(case):
    away = {}
    for name, fill in FILLS.items():
        result = fill(case.picture, mask=case.hole)
        np.testing.assert_array_equal(result[~case.hole], case.truth[~case.hole])
        away[name] = l1_inside(result, case.truth, case.hole)
    assert max(away["OpenCV, Telea"], away["OpenCV, Navier-Stokes"]) < away["mean colour"]
    assert len(set(away.values())) == 3
