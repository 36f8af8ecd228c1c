"""The scores of one method, collected picture by picture, so that a test set need not fit into memory."""

__all__ = ["SEED", "Method", "Scores", "Tally", "answer", "describe", "fidelity", "kernel_row"]

from collections.abc import Callable, Iterable
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

SEED = 0  # of everything random in an evaluation: subsets of the kernel distance, holes, answers, classifiers
Scores = dict[str, float | None]  # named as the attributes of `Row`; None where a score is not known
Method = Callable[..., np.ndarray]  # called with (H, W, 3) uint8, returns the same shape and type


class Tally:
    """The scores of one method while its results come in."""

    def __init__(self) -> None:
        self.describer = DctFeatures()
        self.features: list[Tensor] = []
        self.scores: dict[str, list[float]] = {}

    def add(self, result: np.ndarray, **scores: float | None) -> None:
        """Take in a result, (H, W, 3) uint8, with its scores."""
        self.features.append(self.describer(to_tensor(result)))
        self.note(**scores)

    def note(self, **scores: float | None) -> None:
        """Take in scores; None is left out."""
        for name, score in scores.items():
            if score is not None:
                self.scores.setdefault(name, []).append(score)

    def all_features(self) -> Tensor:
        """Return the features of all results: (N, d)."""
        return torch.cat(self.features) if self.features else torch.empty(0, DctFeatures.num_features)

    def row(self, name: str, targets: Tensor) -> Row:
        """Return the mean scores, and the kernel distance to the features `targets` (M, d)."""
        means: dict[str, Any] = {score: float(np.mean(values)) for score, values in self.scores.items()}
        return replace(kernel_row(name, self.all_features(), targets), **means)


def answer(method: Method, picture: np.ndarray, **options: Any) -> np.ndarray:
    """Call a method with a picture, (H, W, 3) uint8, and check that it returns the same shape and type."""
    result = method(picture, **options)
    assert result.shape == picture.shape and result.dtype == np.uint8
    return result


def fidelity(result: np.ndarray, truth: np.ndarray) -> Scores:
    """Compare a result with its truth, both (H, W, 3) uint8: PSNR and SSIM."""
    output, target = to_tensor(result), to_tensor(truth)
    return {"psnr": psnr(output, target).item(), "ssim": ssim(output, target).item()}


def describe(pictures: Iterable[np.ndarray]) -> Tensor:
    """Compute the features of pictures, (H, W, 3) uint8 each: (N, d)."""
    tally = Tally()
    for picture in pictures:
        tally.add(picture)
    return tally.all_features()


def kernel_row(name: str, outputs: Tensor, targets: Tensor) -> Row:
    """Return a row of the kernel distance of two sets of features; without a score if one has fewer than 2 pictures."""
    if min(len(outputs), len(targets)) < 2:
        return Row(name)
    distance = kernel_distance(outputs, targets, seed=SEED)
    value, error = distance.value * KERNEL_SCALE, distance.error * KERNEL_SCALE
    return Row(name, kernel=value, kernel_error=error, subset_size=distance.subset_size)
