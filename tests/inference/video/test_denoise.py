import numpy as np
import pytest
import torch

from translate.inference.video.denoise import TemporalDenoiser


def scene(height=64, width=96):
    y, x = np.mgrid[:height, :width]
    base = 120 + 60 * np.sin(x / 9) + 30 * np.cos(y / 5)
    return np.stack([base, base * 0.8, 255 - base], -1).astype(np.float32)


def film(count, sigma, mover=None, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(count):
        clean = scene()
        if mover:
            left = mover * i
            clean[20:40, left : left + 14] = (250, 240, 20)
        yield clean, (clean + rng.normal(0, sigma, clean.shape)).clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("sigma", [1.0, 2.5, 4.0])
def test_noise_is_averaged_out_where_nothing_moves(sigma):
    denoiser = TemporalDenoiser()
    results = [(clean, noisy, denoiser(noisy) * 255) for clean, noisy in film(20, sigma)]
    clean, noisy, result = results[-1]
    assert np.abs(result - clean).mean() < 0.5 * np.abs(noisy - clean).mean()
    change = np.abs(result - results[-2][2]).mean()
    assert change < 0.3 * np.abs(noisy.astype(float) - results[-2][1]).mean()
    if sigma > 2:
        assert np.allclose(denoiser.noise.flatten(), sigma, rtol=0.15)


def test_movement_leaves_no_trail():
    denoiser = TemporalDenoiser()
    pictures = list(film(24, 2.5, mover=3))
    result = [denoiser(noisy) * 255 for _, noisy in pictures][-1]
    clean, noisy = pictures[-1]
    behind = np.s_[18:42, 3 * 23 - 20 : 3 * 23 + 16]  # where it was for the last seven frames, and where it is
    error = np.abs(result - clean)[behind]
    noise = np.abs(noisy - clean)[behind]
    assert error.mean() < 1.05 * noise.mean() and error.max() < 1.3 * noise.max()


def test_faint_movement_is_no_noise():
    denoiser = TemporalDenoiser()
    for i in range(20):
        clean = scene()
        clean[20:40, 3 * i : 3 * i + 14] += 12
        noisy = (clean + np.random.default_rng(i).normal(0, 2, clean.shape)).clip(0, 255).round().astype(np.uint8)
        result = denoiser(noisy) * 255
    assert np.abs((result - clean)[20:40, 57:71].mean()) < 1.5


def test_a_cut_restarts_the_mean():
    denoiser = TemporalDenoiser()
    for _, noisy in film(10, 2.0):
        denoiser(noisy)
    other = 255 - scene().round().astype(np.uint8)
    assert np.abs(denoiser(other) * 255 - other).max() < 1e-3


def test_denoising_resumes_bit_for_bit():
    pictures = [noisy for _, noisy in film(9, 2.5, mover=4)]
    whole, first, second = TemporalDenoiser(), TemporalDenoiser(), TemporalDenoiser()
    expected = [whole(p) for p in pictures]
    for p in pictures[:5]:
        first(p)
    second.restore(first.state())
    for p, wanted in zip(pictures[5:], expected[5:], strict=True):
        assert (second(p) == wanted).all()
    assert torch.equal(second.noise, whole.noise)
