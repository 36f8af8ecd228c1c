"""Memorization: whether samples are copies of training pictures.

A new sample is as near to training pictures as to held-out ones; a copy is nearer to its original. The distances of
each sample to the nearest of both are compared, a simple form of Alaa et al. 2022 (https://arxiv.org/abs/2102.08921)
and Meehan et al. 2020 (https://arxiv.org/abs/2004.05675).
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

MIN_MEDIAN = 0.9  # a smaller median ratio means that most samples are nearer to training pictures
MIN_LOW = 0.5  # the same for the low quantile; a sample with a smaller ratio counts as a copy
LOW_QUANTILE = 0.05  # to detect a model that memorizes only a few pictures
LOW_OVER_REAL = 0.6  # the low quantile over that of real pictures, as simple sets have near twins by chance
COPIES_OVER_REAL, COPIES_STANDARD_ERRORS = 0.05, 3  # allowed excess of copies over those of real pictures
MIN_DISTANCE = 1e-9  # so that the ratio for a picture in both sets, 0 / 0, is 1
Mirror = Callable[[Tensor], Tensor] | None


@dataclass(frozen=True, kw_only=True)
class MemoryCheck:
    """Ratios of distances of samples: to the nearest training picture over that to the nearest held-out one."""

    median: float  # of the ratios; 0 for copies
    low: float  # 5th percentile of the ratios
    low_real: float  # the same for held-out pictures, each against the others
    copies: float  # share of samples with a ratio below 0.5, by all pictures
    copies_real: float  # the same for held-out pictures, since sets can contain near twins
    compared: int  # number of pictures of each set for `median` and `low`
    training: int  # number of training pictures for `copies`
    remembers: bool  # whether the samples seem to be copies

    def verdict(self) -> str:
        """Return the result in words."""
        sign = "WARNING: the model seems to remember" if self.remembers else "no sign that the model remembers"
        return (
            f"{sign} training pictures; distance to the nearest training picture over that to the nearest held-out one:"
            f" median {self.median:.2f}, 5th percentile {self.low:.2f} (real pictures: {self.low_real:.2f}); near"
            f" copies: {self.copies:.1%} (real pictures: {self.copies_real:.1%})"
        )


def check_memory(samples: Tensor, training: Tensor, held_out: Tensor, mirror: Mirror = None) -> MemoryCheck:
    """Compare distances of samples (N, d) to training (M, d) and held-out pictures (K, d), by features or pixels.

    The larger set is thinned to the size of the smaller one, as more pictures have a nearer nearest one; `copies` uses
    all. The model `remembers` if the median is below 0.9, the 5th percentile is below 0.5 (and well below that
    of real pictures), or clearly more samples than real pictures are copies.

    `mirror` maps rows to those of mirrored pictures, which training also uses; None if features are the same for both.

    Raises:
        UserError: fewer than 2 training or held-out pictures, or no samples.
    """
    if min(len(training), len(held_out)) < 2 or not len(samples):
        raise UserError(
            "the check for remembered pictures needs a sample and 2 pictures of each set,"
            f" not {len(samples)} samples, {len(training)} training and {len(held_out)} held-out pictures"
        )
    # ratios of distances, with the same number of pictures of both sets
    size = min(len(training), len(held_out))
    some, others = (rows[subsample(range(len(rows)), size)] for rows in (training, held_out))
    ratios = distance_ratios(distances_to(some, samples, mirror), distances_to(others, samples, mirror))
    ratios_real = distance_ratios(distances_to(some, others, mirror), distances_within(others, mirror))
    median, low, low_real = (
        float(values.quantile(q)) for values, q in ((ratios, 0.5), (ratios, LOW_QUANTILE), (ratios_real, LOW_QUANTILE))
    )

    # shares of copies, with all pictures
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


def distance_ratios(to_training: Tensor, to_held_out: Tensor) -> Tensor:
    """Return ratios of distances, (N,) each."""
    return (to_training + MIN_DISTANCE) / (to_held_out + MIN_DISTANCE)


def share_of_copies(to_training: Tensor, to_held_out: Tensor) -> float:
    """Return the share of pictures with a distance ratio below `MIN_LOW`, given distances (N,)."""
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
