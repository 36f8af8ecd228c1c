import hashlib

import cv2
import numpy as np
import pytest

from translate.synthetic import render
from translate.synthetic.digits.digits import draw_digit
from translate.synthetic.digits.strokes import SHAPES, arc, stroke


def drawn(digit, count, size=32):
    return np.stack([draw_digit(digit, (0, 0, k), size)[0] for k in range(count)])


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_is_white_on_black_as_large_as_in_mnist(digit):
    pictures = drawn(digit, 60)
    assert pictures.shape == (60, 32, 32) and pictures.dtype == np.uint8
    edges = np.concatenate([pictures[:, [0, -1]].ravel(), pictures[:, :, [0, -1]].ravel()])
    assert (edges > 40).mean() < 0.005
    assert pictures.max((1, 2)).min() > 150
    heights = np.ptp([np.flatnonzero((p > 60).any(1))[[0, -1]] for p in pictures], axis=1) + 1
    widths = np.ptp([np.flatnonzero((p > 60).any(0))[[0, -1]] for p in pictures], axis=1) + 1
    assert 18 <= np.median(np.maximum(heights, widths)) <= 22  # MNIST: 20
    ys, xs = np.mgrid[:32, :32]
    for picture in pictures:
        mass = picture / picture.sum(dtype=float)
        assert abs((mass * ys).sum() - 15.5) < 2.5 and abs((mass * xs).sum() - 15.5) < 2.5


def test_all_digits_together_have_as_much_ink_as_mnist():
    pictures = np.concatenate([drawn(digit, 40) for digit in range(10)])[:, 2:-2, 2:-2]
    assert (pictures > 127).mean() == pytest.approx(0.13, abs=0.03)  # measured on MNIST
    assert ((pictures > 20) & (pictures < 235)).mean() == pytest.approx(0.095, abs=0.03)


def test_the_same_seed_gives_the_same_pixels_and_another_another_hand():
    assert np.array_equal(drawn(3, 1), drawn(3, 1))
    digests = {hashlib.sha256(p.tobytes()).digest() for p in drawn(3, 50)}
    assert len(digests) == 50
    gaps = [np.abs(a.astype(int) - b).mean() for a, b in zip(drawn(3, 50)[::2], drawn(3, 50)[1::2], strict=True)]
    assert np.median(gaps) > 10


def holes(picture):
    """Count the places that ink encloses."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((picture < 100).astype(np.uint8), connectivity=4)
    return (stats[1:count, cv2.CC_STAT_AREA] > 2).sum() - 1


@pytest.mark.parametrize(("digit", "expected"), [(0, 1), (1, 0), (3, 0), (5, 0), (7, 0), (8, 2)])
def test_digits_have_the_holes_that_they_should(digit, expected):
    found = [holes(picture) for picture in drawn(digit, 80, size=64)]
    assert np.mean(np.array(found) == expected) > 0.7


def test_digits_can_be_told_apart():
    """The nearest of 600 neighbours, by blurred pixels, is of the same digit."""
    train = np.concatenate([drawn(digit, 60) for digit in range(10)])
    test = np.concatenate([[draw_digit(digit, (0, 1, k), 32)[0] for k in range(12)] for digit in range(10)])
    a, b = (
        np.stack([cv2.GaussianBlur(p, (0, 0), 1.5).ravel() for p in part]).astype(np.float32) for part in (train, test)
    )
    nearest = ((b[:, None] - a[None]) ** 2).sum(-1).argmin(1)
    assert np.mean(nearest // 60 == np.repeat(np.arange(10), 12)) > 0.75


def test_forms_vary():
    rng = np.random.default_rng(0)
    counts = {digit: {len(shape(rng)) for _ in range(300)} for digit, shape in enumerate(SHAPES)}
    assert all(counts[digit] == {1, 2} for digit in (0, 1, 4, 5, 7, 8))
    assert all(counts[digit] == {1} for digit in (2, 3, 6, 9))


def test_arcs_and_strokes():
    quarter = arc((1, 2), (3, 4), 0, 90)
    np.testing.assert_allclose(quarter[0], (1, -2), atol=1e-6)
    np.testing.assert_allclose(quarter[-1], (4, 2), atol=1e-6)
    assert stroke((0, 0), quarter, []).shape == (1 + len(quarter), 2)


def test_the_data_set_has_a_folder_a_digit(tmp_path):
    render("digits", tmp_path / "digits", train=30, test=10, size=32, workers=2, progress=False)
    files = sorted(path.relative_to(tmp_path / "digits").as_posix() for path in tmp_path.rglob("*.png"))
    assert len(files) == 40
    for digit in range(10):
        assert sum(file.startswith(f"train/{digit}/") for file in files) == 3
        assert sum(file.startswith(f"test/{digit}/") for file in files) == 1
    picture = cv2.imread(str(tmp_path / "digits" / "train" / "3" / "00003.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(picture, draw_digit(3, (0, 0, 3), 32)[0])
