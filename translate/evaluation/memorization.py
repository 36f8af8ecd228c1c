"""Does a model draw new pictures, or remember those it was trained on?

A sample that is made up lies as near to training pictures as to real ones that the model never saw. A remembered one
lies nearer to its original. Each sample's distances to the nearest of both are compared, after Alaa et al. 2022
(https://arxiv.org/abs/2102.08921) and Meehan et al. 2020 (https://arxiv.org/abs/2004.05675) in their simplest form.
"""

__all__ = ["MemoryCheck", "check_memory"]

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from translate.metrics.diversity import euclidean_distances, nearest_neighbours
from translate.utils.errors import UserError

MEDIAN_LIMIT, LOW_LIMIT = 0.9, 0.5
LOW = 0.05  # the 5th percentile: a model may remember a few pictures only
LOW_SHARE = 0.6  # of what real pictures have there, where that is little: in simple sets twins come by chance
SURPLUS, ERRORS = 0.05, 3  # share of copies above that of real pictures: at least, and in standard errors
TINY = 1e-9  # a picture that is in both sets is no sign: 0 / 0 counts as 1
Mirror = Callable[[Tensor], Tensor] | None


@dataclass(frozen=True, kw_only=True)
class MemoryCheck:
    """How much nearer samples are to training pictures than to held-out ones.

    Attributes:
        median: of distance to the nearest training picture over that to the nearest held-out one, with equally many
            of both: about 1 for new pictures, 0 for copies.
        low: 5th percentile of the same.
        low_real: the same for held-out pictures, each against the others.
        copies: share of the samples that are less than half as far from any training picture as from a held-out one.
        copies_real: the same for held-out pictures: what sets with near twins have anyway.
        compared: training pictures, and held-out ones, behind `median` and `low`.
        training: all training pictures looked at.
        remembers: whether the samples look remembered.
    """

    median: float
    low: float
    low_real: float
    copies: float
    copies_real: float
    compared: int
    training: int
    remembers: bool

    def verdict(self) -> str:
        """Say in words what was found."""
        found = (
            "WARNING: the model seems to remember training pictures"
            if self.remembers
            else "no sign that the model remembers training pictures"
        )
        return (
            f"{found}; distance to the nearest training picture over that to the nearest held-out one: median"
            f" {self.median:.2f}, 5th percentile {self.low:.2f} (real pictures: {self.low_real:.2f}); near copies:"
            f" {self.copies:.1%} (real pictures: {self.copies_real:.1%})"
        )


def check_memory(samples: Tensor, training: Tensor, held_out: Tensor, mirror: Mirror = None) -> MemoryCheck:
    """Compare how near samples come to training and to held-out pictures, by features or small copies.

    Of a larger set a part as large as the smaller one, evenly spread, is compared: with more pictures the nearest is
    nearer. `copies` looks at all of them, for originals lie anywhere.

    Args:
        samples: (N, d), N of 1 or more.
        training: (M, d).
        held_out: (K, d).
        mirror: turns rows into those of the mirrored pictures, which count as the pictures since training mirrors;
            None where the rows do not tell these apart.

    Returns:
        It `remembers` where the median is below 0.9, the 5th percentile below 0.5 (and well below that of real
        pictures), or clearly more samples than real pictures are near copies.

    Raises:
        UserError: there are fewer than 2 training or held-out pictures, or no samples.
    """
    if min(len(training), len(held_out)) < 2 or not len(samples):
        raise UserError(
            "the check for remembered pictures needs a sample and 2 pictures of each set,"
            f" not {len(samples)} samples, {len(training)} training and {len(held_out)} held-out pictures"
        )
    size = min(len(training), len(held_out))
    some, rest = thin_out(training, size), thin_out(held_out, size)
    ratios = quotient(reach(samples, some, mirror), reach(samples, rest, mirror))
    low, low_real = (
        ratios.quantile(LOW),
        quotient(reach(rest, some, mirror), reach_of_others(rest, mirror)).quantile(LOW),
    )
    copies = share_of_copies(reach(samples, training, mirror), reach(samples, held_out, mirror))
    copies_real = share_of_copies(reach(held_out, training, mirror), reach_of_others(held_out, mirror))
    error = math.sqrt(copies_real * (1 - copies_real) * (1 / len(samples) + 1 / len(held_out)))
    median = float(ratios.quantile(0.5))
    return MemoryCheck(
        median=median,
        low=float(low),
        low_real=float(low_real),
        copies=copies,
        copies_real=copies_real,
        compared=size,
        training=len(training),
        remembers=median < MEDIAN_LIMIT
        or float(low) < min(LOW_LIMIT, LOW_SHARE * float(low_real))
        or copies > copies_real + max(SURPLUS, ERRORS * error),
    )


def quotient(to_training: Tensor, to_held_out: Tensor) -> Tensor:
    """Divide distances, (N,) each."""
    return (to_training + TINY) / (to_held_out + TINY)


def share_of_copies(to_training: Tensor, to_held_out: Tensor) -> float:
    """Return the share of pictures less than half as far from training pictures as from held-out ones, each (N,)."""
    return float((to_training < LOW_LIMIT * to_held_out).float().mean())


def reach(pictures: Tensor, bank: Tensor, mirror: Mirror) -> Tensor:
    """Distance of each of (N, d), as it is or mirrored, to the nearest in a bank (M, d): (N,)."""
    plain = nearest_neighbours(pictures, bank)[0]
    return plain if mirror is None else torch.minimum(plain, nearest_neighbours(mirror(pictures), bank)[0])


def reach_of_others(pictures: Tensor, mirror: Mirror) -> Tensor:
    """Distance of each of (K, d), as it is or mirrored, to the nearest of the others: (K,)."""
    away = euclidean_distances(pictures, pictures)
    if mirror is not None:
        away = torch.minimum(away, euclidean_distances(mirror(pictures), pictures))
    return away.fill_diagonal_(torch.inf).amin(dim=1)


def thin_out(rows: Tensor, count: int) -> Tensor:
    """Take `count` of the rows, evenly spread."""
    return rows[torch.arange(count) * len(rows) // count]
