import numpy as np
import pytest
import torch

from translate.metrics.dct_features import DctFeatures
from translate.metrics.diversity import pairwise_spread
from translate.metrics.image_sets import (
    DescribedSet,
    PixelStatistics,
    array_thumbnails,
    average_in_pairs,
    mirror_thumbnails,
    shrink,
)


def pictures(count, size, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), np.uint8)
    return coarse.repeat(size // 4, 1).repeat(size // 4, 2)


@pytest.mark.parametrize("size", [28, 32, 64, 128])
def test_pictures_of_every_size_are_described(size):
    x = pictures(40, size)  # more than go in at once
    found = DescribedSet.of(x, {"dct-v1": DctFeatures()})
    assert found.small.shape == (40, min(size, 64), min(size, 64), 3) and found.thumbnails.shape == (40, 768)
    tensor = torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1
    torch.testing.assert_close(found.features["dct-v1"], DctFeatures()(tensor))
    assert found.spread() == pytest.approx(pairwise_spread(tensor), rel=1e-2)


def test_shrinking_takes_the_mean_of_areas():
    x = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), np.uint8)
    wanted = x.reshape(2, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(shrink(x), wanted, atol=0.51)
    assert shrink(x[:, :60, :60]).shape == (2, 60, 60, 3)


def test_mirrored_copies_are_those_of_mirrored_pictures():
    x = pictures(3, 32)
    torch.testing.assert_close(
        mirror_thumbnails(array_thumbnails(x)), array_thumbnails(np.ascontiguousarray(x[:, :, ::-1]))
    )


def test_averaged_in_pairs():
    x = pictures(3, 8)
    wanted = np.stack([(x[i].astype(int) + x[i - 1]) // 2 for i in range(3)])
    np.testing.assert_array_equal(average_in_pairs(x), wanted)


@pytest.mark.parametrize("gray", [True, False])
def test_noisy_means_have_the_mean_and_the_deviation_of_each_pixel(gray):
    rng, moments = np.random.default_rng(0), PixelStatistics()
    real = np.clip(rng.normal(120, 20, (300, 4, 4, 1 if gray else 3)), 0, 255).astype(np.uint8)
    real[:, 0] //= 4
    real = np.broadcast_to(real, (300, 4, 4, 3))
    for picture in real:
        moments.add(picture)
    found = moments.noisy_means(2000, gray=gray, seed=0)
    assert found.dtype == np.uint8 and bool((found == found[..., :1]).all()) == gray
    np.testing.assert_allclose(found.mean(0), real.mean(0), atol=2)
    np.testing.assert_allclose(found.std(0), real.std(0), rtol=0.1)
