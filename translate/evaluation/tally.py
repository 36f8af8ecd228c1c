"""The scores of one method, collected picture by picture, so that a test set need not fit into memory."""

__all__ = ["SEED", "Method", "Tally", "kernel_row"]

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.evaluation.report import KERNEL_SCALE, Row
from translate.images.tensors import to_tensor
from translate.metrics.dct_features import DctFeatures
from translate.metrics.kernel_distance import kernel_distance
from translate.metrics.similarity import psnr, ssim

SEED = 0  # of the kernel distance's subsets
Method = Callable[[np.ndarray], np.ndarray]


class Tally:
    """The scores of one method while its pictures come in."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self.describe = DctFeatures()
        self.features: list[Tensor] = []
        self.scores: dict[str, list[float]] = {}

    def add(self, picture: np.ndarray, truth: np.ndarray | None) -> None:
        """Give the method a picture, (H, W, 3) uint8, and score what it returns."""
        result = self.method(picture)
        assert result.shape == picture.shape and result.dtype == np.uint8
        self.keep(result, truth)

    def keep(self, result: np.ndarray, truth: np.ndarray | None) -> None:
        """Score a result, (H, W, 3) uint8."""
        output = to_tensor(result)
        self.features.append(self.describe(output))
        if truth is not None:
            self.note(psnr=psnr(output, to_tensor(truth)).item(), ssim=ssim(output, to_tensor(truth)).item())

    def note(self, **scores: float | None) -> None:
        """Keep scores of one picture, named as the attributes of `Row`; None is left out."""
        for name, score in scores.items():
            if score is not None:
                self.scores.setdefault(name, []).append(score)

    def row(self, name: str, targets: Tensor) -> Row:
        """The means, and the kernel distance to the features `targets` (M, d)."""
        row = kernel_row(name, torch.cat(self.features), targets) if self.features else Row(name)
        means: dict[str, Any] = {score: float(np.mean(values)) for score, values in self.scores.items()}
        return replace(row, **means)


def kernel_row(name: str, outputs: Tensor, targets: Tensor) -> Row:
    """A row with the kernel distance of two sets of features, if both have the two pictures that it needs."""
    if min(len(outputs), len(targets)) < 2:
        return Row(name)
    distance = kernel_distance(outputs, targets, seed=SEED)
    value, error = distance.value * KERNEL_SCALE, distance.error * KERNEL_SCALE
    return Row(name, kernel=value, kernel_error=error, subset_size=distance.subset_size)
