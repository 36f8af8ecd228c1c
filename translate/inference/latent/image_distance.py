"""Multi-scale distance between pictures: the mean absolute difference of pixels and of their gradients."""

__all__ = ["build_pyramid", "pyramid_distances"]

import torch
import torch.nn.functional as F
from torch import Tensor


def build_pyramid(x: Tensor) -> list[Tensor]:
    """Return pictures (n, C, S, S) at S, S / 2, S / 4 ... px, down to 8 px."""
    levels = [x]
    while levels[-1].shape[-1] >= 16:
        levels.append(F.avg_pool2d(levels[-1], 2))
    return levels


def pyramid_distances(x: Tensor, target: list[Tensor]) -> Tensor:
    """Compute the distances of x (n, C, S, S) from a `target` pyramid: (n,), 0 for equal pictures.

    The mean over scales of |d| + |d_x| + |d_y|, where d is the difference in [-1, 1]. Gradients keep edges in
    place where pixels alone would blur them (the gradient difference loss of Mathieu et al., 2016,
    https://arxiv.org/abs/1511.05440, equation 6, with signs); coarse scales guide a search from far away.
    """
    differences = [a - b for a, b in zip(build_pyramid(x), target, strict=True)]
    distances = [_mean_abs(d) + (_mean_abs(d.diff(dim=2)) + _mean_abs(d.diff(dim=3))) for d in differences]
    return torch.stack(distances).mean(0)


def _mean_abs(difference: Tensor) -> Tensor:
    return difference.abs().mean((1, 2, 3))
