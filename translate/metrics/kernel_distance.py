"""Kernel distance between two sets of pictures, by their features.

The squared maximum mean discrepancy with the kernel (x . y / d + 1)^3 and the unbiased estimator, computed by
torchmetrics: the Kernel Inception Distance of Binkowski et al. 2018 (https://arxiv.org/abs/1801.01401) with our
features instead of Inception's. Its mean is 0 for two sets of the same distribution, so a little below 0 is normal;
unlike Frechet distances it is not biased for small sets. Published KIDs use other features and cannot be compared
with it.
"""

__all__ = ["KernelDistance", "kernel_distance"]

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from translate.metrics.torchmetrics_backend import import_torchmetrics
from translate.utils.errors import UserError

MAX_SUBSET_SIZE = 1000  # the cost of a subset grows with its square


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance and its uncertainty."""

    value: float  # mean over the subsets; 0 for sets of one distribution
    # Standard deviation over the subsets: with the default subset size, half of the smaller set, the delete-half
    # jackknife estimate of the standard error of `value`.
    error: float
    subset_size: int  # pictures of each set in a subset


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
    kid = import_torchmetrics("image.kid")
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)  # about memory for all features
        torch.manual_seed(seed)
        metric = kid.KernelInceptionDistance(feature=nn.Identity(), subsets=subsets, subset_size=size)
        metric.update(target.double(), real=True)
        metric.update(output.double(), real=False)
        mean, std = metric.compute()
    return KernelDistance(float(mean), float(std), size)
