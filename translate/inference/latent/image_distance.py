"""Multi-scale distance between pictures: the mean absolute difference of pixels and of their gradients."""

__all__ = ["build_pyramid", "pyramid_distances"]

import torch
import torch.nn.functional as F
from torch import Tensor


def build_pyramid(x: Tensor) -> list[Tensor]:
    """Return (n, C, S, S) at S, S / 2, S / 4 ... px, down to 8 px."""
    levels = [x]
    while levels[-1].shape[-1] >= 2 * 8:
        levels.append(F.avg_pool2d(levels[-1], 2))
    return levels


def pyramid_distances(x: Tensor, target: list[Tensor]) -> Tensor:
    """Compute the mean over scales of |d| + |d_x| + |d_y|, d being the difference from the target.

    Gradients keep edges in place where pixels alone would blur them (the gradient difference loss of Mathieu et al.,
    2016, https://arxiv.org/abs/1511.05440, equation 6, with signs); coarse scales guide a search from far away.

    Args:
        x: (n, C, S, S) in [-1, 1].
        target: `build_pyramid` of (1, C, S, S) in [-1, 1].

    Returns:
        (n,); 0 where a picture equals the target.
    """
    differences = [a - b for a, b in zip(build_pyramid(x), target, strict=True)]
    return torch.stack(
        [_mean_abs(d) + (_mean_abs(d.diff(dim=2)) + _mean_abs(d.diff(dim=3))) for d in differences]
    ).mean(0)


def _mean_abs(difference: Tensor) -> Tensor:
    return difference.abs().mean((1, 2, 3))
