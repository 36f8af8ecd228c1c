import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from translate.metrics.similarity import MAX_PSNR, l1, psnr, ssim


def noisy_pair(shape: tuple[int, ...], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    truth = torch.nn.functional.avg_pool2d(torch.rand(shape, generator=g) * 2 - 1, 5, 1, 2) * 1.5
    return (truth + 0.2 * torch.randn(shape, generator=g)).clamp(-1, 1), truth.clamp(-1, 1)


def unit(picture: torch.Tensor) -> np.ndarray:
    return ((picture.permute(1, 2, 0).double() + 1) / 2).numpy()


def test_psnr_matches_skimage_per_picture():
    output, truth = noisy_pair((3, 3, 33, 20))
    expected = [peak_signal_noise_ratio(unit(t), unit(o), data_range=1) for o, t in zip(output, truth, strict=True)]
    np.testing.assert_allclose(psnr(output, truth), expected, rtol=1e-5)


def test_ssim_matches_skimage_per_picture():
    output, truth = noisy_pair((3, 3, 33, 20))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
    expected = [
        structural_similarity(unit(t), unit(o), channel_axis=-1, **options) for o, t in zip(output, truth, strict=True)
    ]
    assert 0.1 < min(expected) < max(expected) < 0.95
    np.testing.assert_allclose(ssim(output, truth), expected, atol=1e-5)


def test_equal_pictures_have_finite_best_scores():
    _, truth = noisy_pair((2, 3, 16, 16))
    assert psnr(truth, truth).tolist() == [MAX_PSNR] * 2
    torch.testing.assert_close(ssim(truth, truth), torch.ones(2))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (7, 5), (11, 11)])
def test_pictures_smaller_than_the_window(size):
    output, truth = noisy_pair((1, 3, *size))
    assert torch.isfinite(psnr(output, truth)).all()
    torch.testing.assert_close(ssim(truth, truth), torch.ones(1), atol=1e-3, rtol=0)
    assert ssim(output, truth).item() < ssim(truth, truth).item()


def test_values_outside_the_range_count_as_clipped():
    _, truth = noisy_pair((1, 3, 16, 16))
    white = torch.ones_like(truth)
    torch.testing.assert_close(psnr(white * 3, truth), psnr(white, truth))


def test_l1_is_the_mean_difference_in_levels_of_8_bits():
    output, truth = noisy_pair((3, 3, 33, 20))
    expected = (255 * (output - truth).abs() / 2).mean(dim=(1, 2, 3))
    torch.testing.assert_close(l1(output, truth), expected)
    assert l1(torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4)).item() == 255
