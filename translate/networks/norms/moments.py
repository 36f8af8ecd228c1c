"""Mean and variance of maps of any size: sums of millions of pixels in float32 lose four of their seven digits."""

__all__ = ["MergedMoments", "PartialMoments", "normalise_exactly", "partial_moments"]

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

FLOAT32_SUM_PX = 4096  # longer sums in float32 lose digits, so sums of strips of this many pixels are merged in float64
VARIANCE_EPS = 1e-12  # keeps `native_batch_norm`, which returns 1 / sqrt(variance + eps), finite on a flat strip

PartialMoments = tuple[int, Tensor, Tensor]  # number of pixels, and the mean and variance of each channel


class MergedMoments:
    """Mean and variance of each channel of a map, merged in float64 from its parts."""

    def __init__(self) -> None:
        self.count = 0  # pixels so far
        self.mean = self.squares = torch.zeros(())  # (C,) float64; `squares` sums squared differences from the mean

    def merge(self, parts: Iterable[PartialMoments]) -> None:
        """Add partial moments (Chan et al., 1979, equations 2.1)."""
        for count, mean, variance in parts:
            total, delta = self.count + count, mean.double() - self.mean
            self.squares = self.squares + variance.double() * count + delta.square() * (self.count * count / total)
            self.mean = self.mean + delta * (count / total)
            self.count = total

    @property
    def variance(self) -> Tensor:
        """Variance of each channel, (C,) float64."""
        return self.squares / self.count


def partial_moments(x: Tensor) -> list[PartialMoments]:
    """Compute the moments of the strips of a map, (1, C, H, W)."""
    rows = max(1, FLOAT32_SUM_PX // x.shape[3])
    strips = x.split(rows, dim=2) if x.device.type == "cpu" else (x,)
    return [(strip.shape[2] * strip.shape[3], *_mean_and_variance(strip)) for strip in strips]


def _mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and variance of each channel of (1, C, h, w): (C,) float32 each."""
    if x.device.type != "cpu":
        variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        return mean, variance
    # Twenty times as fast on a CPU as PyTorch 2.13's var_mean, but sums in float32, so maps are split into strips.
    ones = x.new_ones(x.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
    _, mean, rstd = torch.native_batch_norm(x, ones, None, None, None, True, 0.0, VARIANCE_EPS)
    return mean, (rstd.pow(-2) - VARIANCE_EPS).clamp_(min=0)


def normalise_exactly(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Normalise each channel of each picture of x, (B, C, H, W).

    Returns:
        The result in the type of x, and 1 / sqrt(variance + eps), (B, C) float32, or float64 as x.
    """
    dtype = torch.promote_types(x.dtype, torch.float32)
    results, scales = [], []
    for picture in x.split(1):
        moments = MergedMoments()
        moments.merge(partial_moments(picture))
        results.append(F.batch_norm(picture, moments.mean.to(dtype), moments.variance.to(dtype), eps=eps))
        scales.append((moments.variance + eps).rsqrt().to(dtype))
    return torch.cat(results) if len(results) > 1 else results[0], torch.stack(scales)
