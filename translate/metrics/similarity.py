"""L1, PSNR and SSIM of a picture and its truth, pixel by pixel: two batches (B, 3, H, W) in [-1, 1] to (B,).

PSNR and SSIM are torchmetrics', on the scale that papers report: values in [0, 1], data range 1. SSIM's luminance term
changes when a constant is added, so [-1, 1] is converted first. SSIM follows Wang et al. 2004
(https://doi.org/10.1109/TIP.2003.819861): Gaussian window of 11 x 11 px with sigma 1.5, averaged over the windows
that lie wholly inside the picture. Torchmetrics' own mean also counts windows over its reflected border, and cannot be
compared with it.
"""

__all__ = ["MAX_PSNR", "WINDOW", "l1", "psnr", "ssim", "ssim_map"]

import torch.nn.functional as F
from torch import Tensor

from translate.metrics.torchmetrics_backend import import_torchmetrics

MAX_PSNR = 100.0  # dB; infinity for equal pictures would dominate a mean
WINDOW = 11


def l1(output: Tensor, truth: Tensor) -> Tensor:
    """Compute the mean absolute difference of each picture, in levels: 255 between black and white.

    >>> l1(torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4))
    tensor([255.])
    """
    return 255 * (unit_range(output) - unit_range(truth)).abs().mean(dim=(1, 2, 3))


def psnr(output: Tensor, truth: Tensor) -> Tensor:
    """Compute the peak signal-to-noise ratio of each picture, -10 log10(mean squared error) dB, up to `MAX_PSNR`.

    >>> psnr(torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.5))
    tensor([12.0412])
    """
    functional = import_torchmetrics("functional.image")
    values = functional.peak_signal_noise_ratio(
        unit_range(output), unit_range(truth), data_range=1.0, reduction="none", dim=(1, 2, 3)
    )
    return values.clamp(max=MAX_PSNR)


def ssim(output: Tensor, truth: Tensor) -> Tensor:
    """Compute the structural similarity of each picture, 1 for equal ones (0.9995 if both are flat, by rounding).

    Pictures smaller than the window are extended by their edge pixels until one window fits.

    >>> ssim(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16))
    tensor([1.])
    """
    return ssim_map(pad_to_window(output), pad_to_window(truth)).mean(dim=(1, 2, 3))


def ssim_map(output: Tensor, truth: Tensor) -> Tensor:
    """Compute SSIM around every pixel whose window lies inside the picture: (B, 3, H - WINDOW + 1, W - WINDOW + 1)."""
    functional = import_torchmetrics("functional.image")
    _, similarity = functional.structural_similarity_index_measure(
        unit_range(output), unit_range(truth), sigma=1.5, kernel_size=WINDOW, data_range=1.0, reduction="none",
        return_full_image=True,
    )  # fmt: skip
    border = WINDOW // 2
    return similarity[..., border:-border, border:-border]


def unit_range(pictures: Tensor) -> Tensor:
    """Convert [-1, 1] to [0, 1] in float32, clipped as when a picture is saved."""
    return ((pictures.float() + 1) / 2).clamp(0, 1)


def pad_to_window(pictures: Tensor) -> Tensor:
    """Extend pictures below 11 px by their edge pixels: (B, 3, H, W) -> (B, 3, max(H, 11), max(W, 11))."""
    height, width = pictures.shape[-2:]
    if min(height, width) >= WINDOW:
        return pictures
    return F.pad(pictures, (0, max(0, WINDOW - width), 0, max(0, WINDOW - height)), mode="replicate")
