"""The change of a generator's output on the way from a picture to its translation.

Xie et al., 2023, "Unpaired Image-to-Image Translation with Shortest Path Regularization" (SANTA), CVPR.
"""

__all__ = ["draw_places", "path_energy"]

from collections.abc import Callable

import torch
from torch import Tensor

from translate.utils import dist

STEP = 0.1  # of the way


def path_energy(G: Callable[[Tensor], Tensor], source: Tensor, answer: Tensor, place: Tensor) -> Tensor:
    """Return E[|d/dt G(x_t)|^2], the mean over pixels, at the `place` t of each picture, (B,) in [0, 1 - STEP].

    x_t = (1 - t) source + t answer, both (B, C, H, W). The energy is least where the output changes evenly, and as
    little as it may. The derivative is a finite difference, so that no second backward pass is needed. The gradient
    flows into G alone, not into the way. In the paper the way leads through features, and its ends are two decoders.
    """
    way = (answer - source).detach()
    start = source.detach() + place[:, None, None, None] * way
    return ((G(start + STEP * way) - G(start)) / STEP).square().mean()


def draw_places(like: Tensor) -> Tensor:
    """Draw a place on the way for each picture of `like`: (B,) in [0, 1 - STEP]."""
    return (1 - STEP) * dist.draw_local_rows(lambda n: torch.rand(n, device=like.device), len(like))
