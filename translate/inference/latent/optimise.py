"""Gradient descent from many starts at once."""

__all__ = ["Advance", "gradient_descent", "ranked_styles", "search_batch_size"]

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from translate.inference.latent.style_prior import StylePrior
from translate.inference.sampler import Label, Sampler

Advance = Callable[[float], object]  # receives the share of a search that is done, 0 to 1
Cost = Callable[[Tensor], Tensor]  # maps points (n, d) to costs (n,), each by its own row


def search_batch_size(size: int) -> int:
    """Return how many pictures of `size` px to optimise at a time: 2^18 px; more take memory and save no time."""
    return max(1, 2**18 // size**2)


def ranked_styles(sampler: Sampler, prior: StylePrior, cost: Cost, count: int, label: Label, seed: int) -> Tensor:
    """Sample `count` styles, and return their coordinates by increasing cost, (count, d)."""
    seeds = np.random.default_rng(seed).integers(2**32, 2**53, count).tolist()  # far from the seeds that people use
    pool = prior.whiten(sampler.styles_of(seeds, label))
    with torch.no_grad():
        costs = torch.cat([cost(part) for part in pool.split(search_batch_size(sampler.size))])
    return pool[costs.argsort(stable=True)]


def gradient_descent(
    cost: Cost, starts: Tensor, *, steps: int, batch: int, rate: float = 0.1, advance: Advance = lambda share: None
) -> tuple[Tensor, Tensor]:
    """Minimise `cost` from each of `starts` (N, d), by Adam with a half-cosine schedule down to 0.

    `batch` starts are optimised at a time. `rate` is the first learning rate; the default suits whitened styles.
    `advance` receives the share that is done, 0 to 1, after every step.

    Returns:
        The best point of each path, (N, d), and the costs there, (N,).
    """
    parts = starts.split(batch)

    def descend(number: int, part: Tensor) -> tuple[Tensor, Tensor]:
        return _descend(cost, part, steps, rate, lambda share: advance((number + share) / len(parts)))

    points, costs = zip(*(descend(i, part) for i, part in enumerate(parts)), strict=True)
    return torch.cat(points), torch.cat(costs)


@torch.enable_grad()
def _descend(cost: Cost, start: Tensor, steps: int, rate: float, advance: Advance) -> tuple[Tensor, Tensor]:
    x = start.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=rate, betas=(0.9, 0.99))  # 0.999 averages over more steps than a search has
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    best, lowest = start.detach(), start.new_full((len(start),), torch.inf)  # points and their costs
    for step in range(steps + 1):
        costs = cost(x)
        lower = costs.detach() < lowest
        best, lowest = torch.where(lower[:, None], x.detach(), best), torch.where(lower, costs.detach(), lowest)
        if step < steps:
            (x.grad,) = torch.autograd.grad(costs.sum(), x)
            optimizer.step()
            schedule.step()
            advance((step + 1) / steps)
    return best, lowest
