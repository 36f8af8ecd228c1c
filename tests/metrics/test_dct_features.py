import math

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from scipy.stats import skew
from skimage.color import rgb2lab

from translate.metrics.dct_features import (
    FLOOR,
    LEVEL,
    MIN_STD_LAB,
    MOMENTS,
    SPREAD,
    DctFeatures,
    block_energies,
    colour_moments,
    dct_matrix,
    limit_length,
)

SPECTRUM = 63
GROUPS = 10


def picture(height: int = 40, width: int = 48, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3)).repeat(8, 0).repeat(8, 1)
    return (0.7 * smooth[:height, :width] + rng.integers(0, 70, (height, width, 3))).astype(np.uint8)


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).permute(2, 0, 1)[None]


def lab_tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rgb2lab(array)).permute(2, 0, 1)[None].float()


def reference_energies(plane: np.ndarray) -> np.ndarray:
    """Squared AC coefficients of every whole block, cut by hand: (N, 63)."""
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    blocks = [plane[8 * i : 8 * i + 8, 8 * j : 8 * j + 8] for i in range(rows) for j in range(columns)]
    return np.stack([(dctn(block, norm="ortho") ** 2).ravel()[1:] for block in blocks])


def unlimited(features: torch.Tensor) -> torch.Tensor:
    """Undo the limit of the vectors' length."""
    return features / (1 - features.square().mean(dim=1, keepdim=True)).sqrt()


def test_block_energies_match_scipy():
    planes = np.random.default_rng(0).normal(size=(2, 27, 34))  # the last 3 rows and 2 columns fill no block
    energies = block_energies(torch.from_numpy(planes).float()[None], dct_matrix())
    expected = reference_energies(planes[0]) + reference_energies(planes[1])
    np.testing.assert_allclose(energies[0], expected, rtol=1e-3, atol=1e-5)


def test_spectra_of_the_full_scale_match_skimage_and_scipy():
    array = picture()
    energies = [reference_energies(plane) for plane in np.moveaxis(rgb2lab(array), 2, 0)]
    v, u = np.meshgrid(range(8), range(8))
    expected = [
        (np.log(energy + FLOOR).mean(0) - np.log(FLOOR + np.exp(level) / (u**2 + v**2).ravel()[1:])) / SPREAD
        for energy, level in ((energies[0], LEVEL["luma"]), (energies[1] + energies[2], LEVEL["chroma"]))
    ]
    net = DctFeatures()
    scale = math.sqrt(net.num_features / (GROUPS * SPECTRUM))
    found = unlimited(net(tensor(array)))[0, : 2 * SPECTRUM] / scale
    np.testing.assert_allclose(found, np.concatenate(expected), atol=2e-3)


def test_colour_moments_match_skimage_and_scipy():
    array = picture()
    lab = rgb2lab(array).reshape(-1, 3)
    moments = {name: values[0].numpy() for name, values in colour_moments(lab_tensor(array)).items()}
    shrink = lab.std(0) / np.sqrt(lab.std(0) ** 2 + MIN_STD_LAB**2)
    np.testing.assert_allclose(moments["mean"], lab.mean(0), rtol=1e-4)
    np.testing.assert_allclose(moments["log std"], np.log(lab.std(0) / shrink), rtol=1e-4)
    np.testing.assert_allclose(moments["skew"], skew(lab) * shrink**3, atol=1e-3)
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = [np.corrcoef(lab.T)[i, j] * shrink[i] * shrink[j] for i, j in pairs]
    np.testing.assert_allclose(moments["correlation"], expected, atol=1e-3)


def test_bytes_and_floats_give_the_same_features():
    features, x = DctFeatures(), tensor(picture())
    torch.testing.assert_close(features(x), features(x.float() / 127.5 - 1), atol=1e-3, rtol=1e-3)
    assert features(x).shape == (1, features.num_features)


def test_a_picture_has_the_same_features_in_any_batch():
    features = DctFeatures()
    batch = torch.cat([tensor(picture(seed=seed)) for seed in range(3)])
    torch.testing.assert_close(features(batch)[1:2], features(batch[1:2]), atol=1e-4, rtol=1e-4)
    assert features.version == "dct-v1"


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 9), (15, 17), (33, 8)])
def test_any_size_gives_finite_features(size):
    for array in (np.zeros((*size, 3), np.uint8), np.full((*size, 3), 255, np.uint8), picture(*size)):
        assert torch.isfinite(DctFeatures()(tensor(array))).all()


def test_no_group_outweighs_the_others():
    features = torch.cat([DctFeatures()(tensor(picture(seed=seed))) for seed in range(8)])
    sizes = [SPECTRUM] * 6 + [3] * len(MOMENTS)
    shares = torch.stack([group.square().sum(1).mean() for group in features.split(sizes, dim=1)])
    assert (shares / features.square().sum(1).mean()).max() < 0.5


def test_the_length_is_limited_but_not_the_direction():
    x = torch.tensor([[3.0, 4.0], [300.0, 400.0], [0.03, 0.04]])
    found = limit_length(x)
    assert found.square().mean(1).max() < 1
    torch.testing.assert_close(found[2], x[2], rtol=1e-3, atol=0)
    torch.testing.assert_close(found / found[:, :1], x / x[:, :1])


def test_dct_v1_keeps_its_numbers():
    ramp = np.stack(np.meshgrid(np.arange(32) * 8, np.arange(32) * 8), axis=-1)
    array = np.concatenate([ramp, np.full((32, 32, 1), 64)], axis=-1).astype(np.uint8)
    found = DctFeatures()(tensor(array))[0]
    np.testing.assert_allclose(found[:4], [-0.1455, -1.4918, -0.8096, -0.9322], atol=1e-3)
    np.testing.assert_allclose(found[-12:-9], [-0.1241, -0.8352, 4.0431], atol=1e-3)
    assert found.norm().item() == pytest.approx(17.290, abs=0.01)
