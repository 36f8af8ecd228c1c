"""Kernel distance between two sets of pictures, by their features.

The squared maximum mean discrepancy with the kernel (x . y / d + 1)^3 and the unbiased estimator: the Kernel Inception
Distance of Binkowski et al. 2018 (https://arxiv.org/abs/1801.01401) with our features instead of Inception's. Its mean
is 0 for two sets of the same distribution, so a little below 0 is normal; unlike Frechet distances it is not biased for
small sets. Published KIDs use other features and cannot be compared with it.
"""

__all__ = ["KERNEL_SCALE", "KernelDistance", "distance_of_each", "kernel_distance", "mean_distance"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev

import torch
from torch import Tensor

from translate.utils.errors import UserError

KERNEL_SCALE = 1000  # factor of reported kernel distances, which are small
MAX_SUBSET_SIZE = 1000  # the cost of a subset grows with its square
MIN_ERROR = 1e-3  # of the difference of two distances, in standard errors of theirs: equal networks differ by rounding
CHUNK_ROWS = 1024  # of a kernel matrix at a time, to limit memory


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance and its uncertainty."""

    value: float  # mean over the subsets; 0 for sets of one distribution
    # Standard deviation over the subsets: with the default subset size, half of the smaller set, the delete-half
    # jackknife estimate of the standard error of `value`.
    error: float
    subset_size: int  # pictures of each set in a subset
    subsets: tuple[float, ...] = field(repr=False)  # of each subset; with one seed, the same rows of sets of one size

    def lead(self, other: "KernelDistance") -> float:
        """Return how far this set is nearer to the target than `other`, in standard errors of the difference.

        Both are distances to one target, with one seed. Sets of one size are compared picture by picture, as results of
        two methods for the same inputs are: what all results share does not count as uncertainty.
        """
        difference = other.value - self.value
        if len(self.subsets) == len(other.subsets):
            error = pstdev(theirs - mine for mine, theirs in zip(self.subsets, other.subsets, strict=True))
        else:
            error = (self.error**2 + other.error**2) ** 0.5
        return difference / max(error, MIN_ERROR * (self.error + other.error), 1e-12)


def kernel_distance(
    output: Tensor, target: Tensor, *, subset_size: int | None = None, subsets: int = 100, seed: int = 0
) -> KernelDistance:
    """Compute the kernel distance between the features of two sets.

    Args:
        output: (N, d), such as `DctFeatures` returns.
        target: (M, d), of the other set.
        subset_size: pictures of each set in a subset; by default half of the smaller set, at most 1000.
        subsets: number of random subsets.
        seed: of the subsets.

    Raises:
        UserError: a set has fewer than 2 pictures, or fewer than `subset_size`.
    """
    smaller = min(len(output), len(target))
    if smaller < 2:
        raise UserError(f"kernel distance needs 2 pictures in each set, not {len(output)} and {len(target)}")
    size = max(2, min(smaller // 2, MAX_SUBSET_SIZE)) if subset_size is None else subset_size
    if not 2 <= size <= smaller:
        raise UserError(f"subset_size = {size} must lie between 2 and the smaller set's {smaller} pictures")
    generator = torch.Generator().manual_seed(seed)
    chosen = [[choose(len(rows), size, generator) for rows in (target, output)] for _ in range(subsets)]
    y, x = target.double(), output.double()
    in_target, in_output = (torch.stack(rows) for rows in zip(*chosen, strict=True))
    inside = kernel_sums(x, x, in_output, in_output, own=False) + kernel_sums(y, y, in_target, in_target, own=False)
    across = kernel_sums(x, y, in_output, in_target)
    values = inside / (size * (size - 1)) - 2 * across / size**2
    return KernelDistance(float(values.mean()), float(values.std(correction=0)), size, tuple(values.tolist()))


def mean_distance(distances: Sequence[KernelDistance]) -> KernelDistance:
    """Return the mean of kernel distances of as many subsets, such as those of both directions of a model."""
    subsets = [fmean(values) for values in zip(*(one.subsets for one in distances), strict=True)]
    value, size = fmean(one.value for one in distances), min(one.subset_size for one in distances)
    return KernelDistance(value, pstdev(subsets), size, tuple(subsets))


def distance_of_each(output: Tensor, target: Tensor) -> Tensor:
    """Compute how far each picture of a set alone is from a target, to find the best and the worst: (N,) float64.

    The squared maximum mean discrepancy of the distribution of the one picture x and that of the target,
    k(x, x) - 2 mean k(x, y) + mean k(y, y'): of the kernel distance of the whole set, what each picture contributes, up
    to how alike the pictures of the set are. It is above 0 also for real pictures.

    Args:
        output: features (N, d).
        target: features (M, d) of at least 2 pictures.
    """
    x, y = output.double(), target.double()
    across = polynomial_kernel(x, y).mean(1)
    within = polynomial_kernel(y, y)
    among = (within.sum() - within.trace()) / (len(y) * (len(y) - 1))
    return ((x * x).sum(1) / x.shape[1] + 1) ** 3 - 2 * across + among


def polynomial_kernel(x: Tensor, y: Tensor) -> Tensor:
    """Compute (x . y / d + 1)^3 of all couples of rows, (N, d) and (M, d): (N, M)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def choose(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Choose `size` of `count` rows at random: (count,) float64, 1 for the chosen ones."""
    return torch.zeros(count, dtype=torch.float64).index_fill_(0, torch.randperm(count, generator=generator)[:size], 1)


def kernel_sums(one: Tensor, other: Tensor, in_one: Tensor, in_other: Tensor, *, own: bool = True) -> Tensor:
    """Sum the kernel over all couples of chosen rows, subset by subset.

    Args:
        one: (N, d).
        other: (M, d).
        in_one: (S, N), 1 for the rows in each of S subsets, else 0.
        in_other: (S, M).
        own: whether a row is coupled with itself, if both sets are the same.

    Returns:
        (S,)
    """
    total = torch.zeros(len(in_one), dtype=torch.float64)
    for start in range(0, len(one), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        kernel = polynomial_kernel(one[rows], other)
        if not own:
            kernel[:, rows].fill_diagonal_(0)
        total += ((in_one[:, rows] @ kernel) * in_other).sum(1)
    return total
