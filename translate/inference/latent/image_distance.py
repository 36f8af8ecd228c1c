"""How far pictures are from a picture, at all scales, in colour and in edges."""

__all__ = ["pyramid_distances", "build_pyramid"]

import torch
import torch.nn.functional as F
from torch import Tensor

LOWEST = 8  # px: side of the coarsest scale
EDGES = 1.0  # of the differences between neighbouring pixels, beside those of the pixels


def build_pyramid(x: Tensor) -> list[Tensor]:
    """Return (n, C, S, S) at S, S / 2, S / 4 ... px, down to LOWEST."""
    levels = [x]
    while levels[-1].shape[-1] >= 2 * LOWEST:
        levels.append(F.avg_pool2d(levels[-1], 2))
    return levels


def pyramid_distances(x: Tensor, target: list[Tensor]) -> Tensor:
    """Return the mean absolute difference of pixels and of gradients, over all scales alike.

    Edges keep their place where pixels alone would blur them (the gradient difference loss of Mathieu et al., 2016,
    https://arxiv.org/abs/1511.05440, equation 6, with signs); the coarse scales pull from afar.

    Args:
        x: (n, C, S, S) in [-1, 1].
        target: `pyramid` of (1, C, S, S) in [-1, 1].

    Returns:
        (n,); 0 where a picture is the target.
    """
    apart = [a - b for a, b in zip(build_pyramid(x), target, strict=True)]
    each = [_size(d) + EDGES * (_size(d.diff(dim=2)) + _size(d.diff(dim=3))) for d in apart]
    return torch.stack(each).mean(0)


def _size(difference: Tensor) -> Tensor:
    return difference.abs().mean((1, 2, 3))
