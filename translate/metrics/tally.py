"""The scores of one method, collected picture by picture, so that a test set need not fit into memory."""

__all__ = ["SEED", "Method", "Tally", "kernel_row"]

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from translate.images import to_tensor
from translate.metrics.features import DctFeatures
from translate.metrics.kernel import kernel_distance
from translate.metrics.report import KERNEL_SCALE, Row
from translate.metrics.similarity import psnr, ssim

SEED = 0  # of the kernel distance's subsets
Method = Callable[[np.ndarray], np.ndarray]


class Tally:
    """The scores of one method while its pictures come in."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self.describe = DctFeatures()
        self.features: list[Tensor] = []
        self.psnr: list[float] = []
        self.ssim: list[float] = []

    def add(self, picture: np.ndarray, truth: np.ndarray | None) -> None:
        """Give the method a picture, (H, W, 3) uint8, and score what it returns."""
        result = self.method(picture)
        assert result.shape == picture.shape and result.dtype == np.uint8
        output = to_tensor(result)
        self.features.append(self.describe(output))
        if truth is not None:
            self.psnr.append(psnr(output, to_tensor(truth)).item())
            self.ssim.append(ssim(output, to_tensor(truth)).item())

    def row(self, name: str, targets: Tensor) -> Row:
        """The means, and the kernel distance to the features `targets` (M, d)."""
        row = kernel_row(name, torch.cat(self.features), targets)
        if not self.psnr:
            return row
        return replace(row, psnr=float(np.mean(self.psnr)), ssim=float(np.mean(self.ssim)))


def kernel_row(name: str, outputs: Tensor, targets: Tensor) -> Row:
    """A row with the kernel distance of two sets of features, if both have the two pictures that it needs."""
    if min(len(outputs), len(targets)) < 2:
        return Row(name)
    distance = kernel_distance(outputs, targets, seed=SEED)
    value, error = distance.value * KERNEL_SCALE, distance.error * KERNEL_SCALE
    return Row(name, kernel=value, kernel_error=error, subset_size=distance.subset_size)
