import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from translate.metrics.colour_transfer import LabStatistics, colour_statistics, transfer_colour
from translate.utils.errors import UserError


def noise(mean: tuple[int, int, int], spread: int, shape: tuple[int, int] = (24, 30), seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (np.array(mean) + rng.integers(-spread, spread + 1, (*shape, 3))).clip(0, 255).astype(np.uint8)


def reference(picture: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    lab = rgb2lab(picture)
    moved = (lab - lab.mean((0, 1))) / lab.std((0, 1)) * std + mean
    return np.rint(lab2rgb(moved) * 255).astype(np.uint8)


def test_statistics_are_averages_over_the_pictures():
    pictures = [noise((200, 60, 60), 20), noise((60, 60, 200), 40, shape=(8, 5))]
    labs = [rgb2lab(picture) for picture in pictures]
    found = colour_statistics(iter(pictures))
    np.testing.assert_allclose(found.mean, np.mean([lab.mean((0, 1)) for lab in labs], axis=0), atol=0.05)
    np.testing.assert_allclose(found.std, np.mean([lab.std((0, 1)) for lab in labs], axis=0), atol=0.05)


def test_transfer_matches_the_formula():
    picture, target = noise((120, 140, 90), 30), noise((150, 110, 100), 20, seed=1)
    found = transfer_colour(picture, colour_statistics([target]))
    lab = rgb2lab(target)
    expected = reference(picture, lab.mean((0, 1)), lab.std((0, 1)))
    assert found.dtype == np.uint8 and found.shape == picture.shape
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_output_has_the_target_statistics():
    target = colour_statistics([noise((150, 110, 100), 20, seed=1)])
    found = colour_statistics([transfer_colour(noise((120, 140, 90), 30), target)])
    np.testing.assert_allclose(found.mean, target.mean, atol=0.3)
    np.testing.assert_allclose(found.std, target.std, atol=0.3)


def test_own_statistics_change_nothing():
    picture = noise((120, 140, 90), 30)
    assert np.abs(transfer_colour(picture, colour_statistics([picture])).astype(int) - picture).max() <= 1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_and_gray_pictures_are_shifted_without_noise(level):
    target = LabStatistics(np.array([60.0, 10.0, -5.0]), np.array([20.0, 15.0, 15.0]))
    flat = transfer_colour(np.full((4, 6, 3), level, np.uint8), target)
    expected = np.rint(lab2rgb(target.mean[None, None])[0, 0] * 255)
    assert np.abs(flat - expected).max() <= 1
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    lab = rgb2lab(transfer_colour(gray, target))[6:9]  # middle rows: nothing is clipped there
    assert lab[..., 1:].std((0, 1)).max() < 1


def test_no_target_pictures():
    with pytest.raises(UserError, match="at least one target picture"):
        colour_statistics([])
