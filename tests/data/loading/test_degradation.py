import numpy as np
import pytest

from tests.conftest import picture
from translate.data.loading.degradation import degrade
from translate.images.picture import to_depth


def draw(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_clean_is_the_mean_of_each_block(scale, dtype, channels):
    x = to_depth(picture(0, 12 * scale, 9 * scale), dtype)[..., :channels]
    small = degrade(x, scale, "clean", draw())
    means = x.astype(float).reshape(12, scale, 9, scale, channels).mean((1, 3))
    assert small.shape == (12, 9, channels) and small.dtype == dtype
    np.testing.assert_allclose(small, means, atol=0.5 if dtype == np.uint8 else 1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_real_keeps_the_scene_and_is_a_function_of_the_seed(dtype, channels):
    x = to_depth(picture(0, 96, 96, sigma=6.0), dtype)[..., :channels]
    clean = to_depth(degrade(x, 4, "clean", draw()), np.float32)
    results = [degrade(x, 4, "real", draw(seed)) for seed in range(20)]
    for seed, small in enumerate(results):
        assert small.shape == (24, 24, channels) and small.dtype == dtype
        assert np.array_equal(small, degrade(x, 4, "real", draw(seed)))
        assert 0.0005 < np.abs(to_depth(small, np.float32) - clean).mean() < 0.12
    strengths = [np.abs(to_depth(small, np.float32) - clean).mean() for small in results]
    assert max(strengths) > 2 * min(strengths)
    assert dtype != np.float32 or all(small.min() >= 0 and small.max() <= 1 for small in results)


def test_real_shifts_nothing():
    """A blur or a resize that is off by half a pixel would teach the network to shift."""
    x = np.zeros((64, 64, 3), np.uint8)
    x[28:36, 28:36] = 255
    centre = np.zeros(2)
    for seed in range(40):
        small = degrade(x, 4, "real", draw(seed)).astype(float).mean(2)
        small = np.where(small > 60, small, 0)
        centre += [np.average(i, weights=small) for i in np.indices(small.shape)]
    np.testing.assert_allclose(centre / 40, 7.5, atol=0.15)
