"""Gradient descent from many starts at once."""

__all__ = ["search_batch_size", "gradient_descent", "derive_seeds"]

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

BETAS = (0.9, 0.99)  # of Adam; a search is too short for the usual memory of 1000 steps
AT_ONCE = 2**18  # px that are searched over at a time: memory, and no slower on a CPU than more


def search_batch_size(size: int) -> int:
    """Return how many pictures of `size` px a search may work on at a time."""
    return max(1, AT_ONCE // size**2)


def gradient_descent(
    cost: Callable[[Tensor], Tensor], starts: Tensor, *, steps: int, rate: float, together: int
) -> tuple[Tensor, Tensor]:
    """Follow the gradient of `cost` from every start, on paths that do not depend on each other.

    Adam, whose rate falls to 0 along half a cosine.

    Args:
        cost: maps (n, d) to (n,), each by its own row.
        starts: (N, d).
        steps: of Adam.
        rate: its first learning rate.
        together: how many paths to follow at a time.

    Returns:
        The lowest point of each path, (N, d), and the costs there, (N,).
    """
    found = [_paths(cost, part, steps, rate) for part in starts.split(together)]
    points, costs = zip(*found, strict=True)
    return torch.cat(points), torch.cat(costs)


@torch.enable_grad()
def _paths(cost: Callable[[Tensor], Tensor], start: Tensor, steps: int, rate: float) -> tuple[Tensor, Tensor]:
    x = start.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=rate, betas=BETAS)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    best, lowest = start.detach(), start.new_full((len(start),), torch.inf)
    for step in range(steps + 1):
        costs = cost(x)
        lower = costs.detach() < lowest
        best, lowest = torch.where(lower[:, None], x.detach(), best), torch.where(lower, costs.detach(), lowest)
        if step < steps:
            (x.grad,) = torch.autograd.grad(costs.sum(), x)
            optimizer.step()
            schedule.step()
    return best, lowest


def derive_seeds(seed: int, count: int) -> list[int]:
    """Return `count` seeds that belong to `seed`, far from the small ones that people use."""
    return np.random.default_rng(seed).integers(2**32, 2**53, count).tolist()
