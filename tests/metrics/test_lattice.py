"""The lattice of sets of pictures against a stamp of known strength, and against a direct computation."""

import cv2
import numpy as np
import pytest
import torch

from translate.metrics.lattice import lattice, phase_maps, shared_part


def textures(count, channels=3, height=72, width=104, deviation=20.0, seed=0):
    """Draw coloured noise around gray, (count, channels, height, width) in gray levels, without a lattice."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((count * channels, height, width)).astype(np.float32)
    noise = np.stack([cv2.GaussianBlur(plane, (0, 0), 1.5) for plane in noise])
    return torch.from_numpy(127.5 + deviation * noise / noise.std()).view(count, channels, height, width)


def stamp(height, width, strength, seed=1):
    """Return an 8 x 8 px pattern of this standard deviation, repeated."""
    cell = np.random.default_rng(seed).standard_normal((8, 8))
    cell = strength * (cell - cell.mean()) / cell.std()
    return torch.from_numpy(np.tile(cell, (height // 8 + 1, width // 8 + 1))[:height, :width]).float()


def to_unit(levels):
    return levels / 127.5 - 1


def reference(levels):
    """Compute the whole strength by loops over phases, from (N, 3, H, W) float in gray levels with H, W % 16 = 8."""
    luma = np.tensordot([0.299, 0.587, 0.114], levels.numpy().astype(np.float64), (0, 1))
    kernel = np.array([0.5, *[1] * 7, 0.5]) / 8
    means = np.zeros((8, 8))
    for picture in luma:
        smooth = cv2.sepFilter2D(picture, cv2.CV_64F, kernel, kernel)
        fine = (picture - smooth)[4:-4, 4:-4]
        means += [[fine[row::8, column::8].mean() / len(luma) for column in range(8)] for row in range(8)]
    return means.std()


@pytest.mark.parametrize("strength", [0.5, 1.0, 4.0])
def test_a_stamp_is_measured_and_chance_is_not(strength):
    pictures = textures(60)
    assert lattice(to_unit(pictures)).strength < 0.3
    stamped = pictures + stamp(72, 104, strength)
    assert lattice(to_unit(stamped)).strength == pytest.approx(strength, rel=0.15, abs=0.1)
    assert 0.5 < lattice(to_unit(stamped)).chance / lattice(to_unit(pictures)).whole < 2


def test_the_whole_strength_is_that_of_a_direct_computation():
    pictures = textures(5) + stamp(72, 104, 1.0)
    assert lattice(to_unit(pictures)).whole == pytest.approx(reference(pictures), rel=1e-4)


def test_few_pictures_are_not_blamed_for_their_content():
    """The squares are unbiased: over many sets of two pictures, nothing is shared on average."""
    whole, shared = [], []
    for seed in range(40):
        maps = phase_maps(to_unit(textures(2, seed=seed)))
        measured = shared_part(maps)
        whole.append(measured.whole**2)
        quarters = maps.view(2, 4, 64).double().mean(0)
        products = quarters @ quarters.T / 64
        shared.append(float((products.sum() - products.trace()) / 12))
        assert measured.strength == pytest.approx(max(shared[-1], 0) ** 0.5, abs=1e-3)
    assert abs(np.mean(shared)) < 0.1 * np.mean(whole)
    assert lattice(to_unit(textures(1, deviation=2.0) + stamp(72, 104, 2.0))).strength == pytest.approx(2.0, rel=0.1)


def test_content_at_one_place_of_all_pictures_is_no_lattice():
    aligned = textures(1).expand(20, -1, -1, -1) + textures(20, deviation=2.0)
    measured = lattice(to_unit(aligned))
    assert measured.whole > 0.5 and measured.strength < measured.chance


@pytest.mark.parametrize("period", [2, 4, 8])
def test_screens_of_every_stride_count_and_shading_does_not(period):
    screen = ((torch.arange(64) % period < period / 2).float() * 2 - 1).expand(1, 3, 64, 64)
    shading = torch.linspace(40, 200, 64)[:, None] + torch.linspace(-30, 30, 64)
    assert lattice(to_unit(shading + screen)).strength == pytest.approx(1.0, rel=1e-3)
    assert lattice(to_unit(shading.expand(3, 1, 64, 64))).whole < 1e-3


def test_another_period_or_phase_is_no_lattice():
    six = torch.sin(torch.arange(104) * torch.pi / 3).expand(4, 1, 104, 104)
    assert lattice(to_unit(127 + 5 * six)).strength < 0.3
    shifted = torch.stack([stamp(72, 72, 3.0).roll((k % 8, k // 8), (0, 1)) for k in range(64)])[:, None]
    assert lattice(to_unit(127 + shifted)).strength < 0.3


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_bytes_and_numbers_of_channels(channels):
    pictures = (textures(4, channels) + stamp(72, 104, 3.0)).round().clamp(0, 255)
    assert lattice(pictures.byte()).strength == pytest.approx(lattice(to_unit(pictures)).strength, abs=1e-3)
    assert lattice(pictures.byte()).strength == pytest.approx(3.0, rel=0.25)


@pytest.mark.parametrize("side", [1, 8, 16, 23])
def test_tiny_and_flat_pictures_have_none(side):
    assert lattice(torch.zeros(1, 3, side, side + 3)).whole == 0
