"""Differentiable histograms of oriented gradients: the strength and direction of lines.

Dalal and Triggs, 2005, https://doi.org/10.1109/CVPR.2005.177, made differentiable after Zhu et al., 2016 (iGAN),
https://arxiv.org/abs/1609.03552, section 4.1: smooth votes, and triangular windows instead of blocks.
"""

__all__ = ["ORIENTATIONS", "cell_size", "oriented_gradients", "pool_triangular"]

import math

import torch
import torch.nn.functional as F
from torch import Tensor

ORIENTATIONS = 8
HALF_STRENGTH = 0.02  # gradient in [-1, 1] per px, of which a cell's histogram has half the length of a strong line's


def cell_size(size: int) -> int:
    """Return the side of a cell, px, for pictures of `size` px: 8, or 4 below 64 px."""
    return 8 if size >= 64 else 4


def oriented_gradients(x: Tensor, cell: int) -> Tensor:
    """Compute histograms of gradient orientations in overlapping cells of x (n, C, S, S) in [-1, 1].

    Opposite directions count as one. S is a multiple of `cell`, the px between cells; cells overlap by half.

    Returns:
        (n, 8, S / cell, S / cell), of length 1 in each cell, or less where gradients are weak. Orientation k is that of
        gradients at k times 22.5 degrees from the x axis towards the y axis (down); 0 belongs to upright lines.
    """
    gray = F.pad(x.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    dx = (gray[..., 1:-1, 2:] - gray[..., 1:-1, :-2]) / 2
    dy = (gray[..., 2:, 1:-1] - gray[..., :-2, 1:-1]) / 2
    strength = (dx.square() + dy.square() + 1e-8).sqrt()
    doubled = torch.cat([dx.square() - dy.square(), 2 * dx * dy], 1) / strength  # at twice the angle
    angles = torch.arange(ORIENTATIONS, device=x.device) * (2 * math.pi / ORIENTATIONS)
    compass = torch.stack([angles.cos(), angles.sin()], 1)[..., None, None]
    neighbour = math.cos(2 * math.pi / ORIENTATIONS)  # a vote is 1 at its orientation, 0 from the next one on
    votes = F.relu(F.conv2d(doubled, compass) - neighbour * strength) / (1 - neighbour)
    sums = pool_triangular(votes, cell)
    return sums * (sums.square().sum(1, keepdim=True) + HALF_STRENGTH**2).rsqrt()


def pool_triangular(x: Tensor, cell: int) -> Tensor:
    """Average (n, C, S, S) under triangular windows of 2 `cell` px, with zeros outside: (n, C, S / cell, S / cell)."""
    ramp = 1 - (torch.arange(2 * cell, device=x.device) - (cell - 0.5)).abs() / cell
    window = (ramp[:, None] * ramp / cell**2).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, window, stride=cell, padding=cell // 2, groups=x.shape[1])
