"""Does a model draw new pictures, or remember those that it was trained on?

A new sample lies as near to training pictures as to real ones that the model never saw. A remembered one lies nearer to
its original. Each sample's distances to the nearest of both are compared, after Alaa et al. 2022
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
from translate.utils.sequences import subsample

MIN_MEDIAN = 0.9  # below: all samples lie nearer to training pictures
MIN_LOW = 0.5  # below: some do; a sample nearer than this to a training picture counts as a copy
LOW_QUANTILE = 0.05  # a model may remember a few pictures only
LOW_OVER_REAL = 0.6  # where real pictures have little there: in simple sets twins come by chance
COPIES_OVER_REAL, COPIES_STANDARD_ERRORS = 0.05, 3  # by how much samples have more copies than real pictures
MIN_DISTANCE = 1e-9  # a picture that is in both sets is no sign: 0 / 0 counts as 1
Mirror = Callable[[Tensor], Tensor] | None


@dataclass(frozen=True, kw_only=True)
class MemoryCheck:
    """How much nearer samples are to training pictures than to held-out ones."""

    median: float  # of distance to the nearest training picture over that to the nearest held-out one: 0 for copies
    low: float  # 5th percentile of the same
    low_real: float  # the same for held-out pictures, each against the others
    copies: float  # share of samples less than half as far from a training picture as from any held-out one
    copies_real: float  # the same for held-out pictures: what sets with near twins have anyway
    compared: int  # training pictures, and held-out ones, behind `median` and `low`
    training: int  # all training pictures, behind `copies`
    remembers: bool  # whether the samples look remembered

    def verdict(self) -> str:
        """Return the result in words."""
        sign = "WARNING: the model seems to remember" if self.remembers else "no sign that the model remembers"
        return (
            f"{sign} training pictures; distance to the nearest training picture over that to the nearest held-out one:"
            f" median {self.median:.2f}, 5th percentile {self.low:.2f} (real pictures: {self.low_real:.2f}); near"
            f" copies: {self.copies:.1%} (real pictures: {self.copies_real:.1%})"
        )


def check_memory(samples: Tensor, training: Tensor, held_out: Tensor, mirror: Mirror = None) -> MemoryCheck:
    """Compare how near samples (N, d) come to training (M, d) and to held-out pictures (K, d), by features or pixels.

    The larger set is thinned to the size of the smaller one, since with more pictures the nearest is nearer. `copies`
    takes all of them, since originals may be anywhere. The model `remembers` where the median is below 0.9, the 5th
    percentile below 0.5 (and well below that of real pictures), or clearly more samples than real pictures are copies.

    `mirror` turns rows into those of the mirrored pictures, which count too since training mirrors; None where the rows
    are the same for both.

    Raises:
        UserError: there are fewer than 2 training or held-out pictures, or no samples.
    """
    if min(len(training), len(held_out)) < 2 or not len(samples):
        raise UserError(
            "the check for remembered pictures needs a sample and 2 pictures of each set,"
            f" not {len(samples)} samples, {len(training)} training and {len(held_out)} held-out pictures"
        )
    # 1. ratios of distances, with equally many pictures of both sets
    size = min(len(training), len(held_out))
    some, others = (rows[subsample(range(len(rows)), size)] for rows in (training, held_out))
    ratios = quotient(distances_to(some, samples, mirror), distances_to(others, samples, mirror))
    ratios_real = quotient(distances_to(some, others, mirror), distances_within(others, mirror))
    median, low, low_real = (
        float(values.quantile(q)) for values, q in ((ratios, 0.5), (ratios, LOW_QUANTILE), (ratios_real, LOW_QUANTILE))
    )

    # 2. shares of copies, with all pictures
    copies = share_of_copies(distances_to(training, samples, mirror), distances_to(held_out, samples, mirror))
    copies_real = share_of_copies(distances_to(training, held_out, mirror), distances_within(held_out, mirror))
    error = math.sqrt(copies_real * (1 - copies_real) * (1 / len(samples) + 1 / len(held_out)))
    return MemoryCheck(
        median=median,
        low=low,
        low_real=low_real,
        copies=copies,
        copies_real=copies_real,
        compared=size,
        training=len(training),
        remembers=median < MIN_MEDIAN
        or low < min(MIN_LOW, LOW_OVER_REAL * low_real)
        or copies > copies_real + max(COPIES_OVER_REAL, COPIES_STANDARD_ERRORS * error),
    )


def quotient(to_training: Tensor, to_held_out: Tensor) -> Tensor:
    """Divide distances, (N,) each."""
    return (to_training + MIN_DISTANCE) / (to_held_out + MIN_DISTANCE)


def share_of_copies(to_training: Tensor, to_held_out: Tensor) -> float:
    """Return the share of pictures less than half as far from training pictures as from held-out ones, each (N,)."""
    return float((to_training < MIN_LOW * to_held_out).float().mean())


def distances_to(bank: Tensor, pictures: Tensor, mirror: Mirror) -> Tensor:
    """Return the distance of each picture (N, d), plain or mirrored, to the nearest in a bank (M, d): (N,)."""
    plain = nearest_neighbours(pictures, bank)[0]
    return plain if mirror is None else torch.minimum(plain, nearest_neighbours(mirror(pictures), bank)[0])


def distances_within(pictures: Tensor, mirror: Mirror) -> Tensor:
    """Return the distance of each picture (K, d), plain or mirrored, to the nearest of the others: (K,)."""
    distances = euclidean_distances(pictures, pictures)
    if mirror is not None:
        distances = torch.minimum(distances, euclidean_distances(mirror(pictures), pictures))
    return distances.fill_diagonal_(torch.inf).amin(dim=1)
