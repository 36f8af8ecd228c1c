"""Histograms of oriented gradients that a search can follow: where lines run, and in which direction.

Dalal and Triggs, 2005, https://doi.org/10.1109/CVPR.2005.177, made differentiable after Zhu et al., 2016 (iGAN),
https://arxiv.org/abs/1609.03552, section 4.1: smooth votes, and triangular windows in the place of blocks.
"""

__all__ = ["ORIENTATIONS", "cell_size", "oriented_gradients", "pool_triangular"]

import math

import torch
import torch.nn.functional as F
from torch import Tensor

ORIENTATIONS = 8
WEAK = 0.02  # strength of the gradients in a cell, in [-1, 1] per px, that counts half


def cell_size(size: int) -> int:
    """Return the side of a cell for pictures of `size` px: 8, and 4 where pictures are smaller than 64 px."""
    return 8 if size >= 64 else 4


def oriented_gradients(x: Tensor, cell: int) -> Tensor:
    """Return the orientations of the gradients in overlapping cells; from light to dark is as from dark to light.

    Args:
        x: (n, C, S, S) in [-1, 1]; S is a multiple of `cell`.
        cell: distance of the cells, px; they are twice as wide.

    Returns:
        (n, 8, S / cell, S / cell); each cell of length 1, or less where gradients are weak. Orientation k is of
        gradients at k times 22.5 degrees from the x axis towards the y axis (down): 0 is of upright lines.
    """
    gray = F.pad(x.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    dx = (gray[..., 1:-1, 2:] - gray[..., 1:-1, :-2]) / 2
    dy = (gray[..., 2:, 1:-1] - gray[..., :-2, 1:-1]) / 2
    strength = (dx.square() + dy.square() + 1e-8).sqrt()
    doubled = torch.cat([dx.square() - dy.square(), 2 * dx * dy], 1) / strength  # at twice the angle
    turns = torch.arange(ORIENTATIONS, device=x.device) * (2 * math.pi / ORIENTATIONS)
    compass = torch.stack([turns.cos(), turns.sin()], 1)[..., None, None]
    nearest = math.cos(2 * math.pi / ORIENTATIONS)  # a vote is 1 at its orientation, 0 from the next one on
    votes = F.relu(F.conv2d(doubled, compass) - nearest * strength) / (1 - nearest)
    sums = pool_triangular(votes, cell)
    return sums * (sums.square().sum(1, keepdim=True) + WEAK**2).rsqrt()


def pool_triangular(x: Tensor, cell: int) -> Tensor:
    """Return the means of (n, C, S, S) under triangular windows of 2 `cell` px, every `cell` px.

    (n, C, S / cell, S / cell); beyond its edges, a picture is 0.
    """
    ramp = 1 - (torch.arange(2 * cell, device=x.device) - (cell - 0.5)).abs() / cell
    window = (ramp[:, None] * ramp / cell**2).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, window, stride=cell, padding=cell // 2, groups=x.shape[1])
