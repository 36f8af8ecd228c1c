"""Accumulate scores of methods picture by picture, so that a test set need not fit into memory."""

__all__ = ["SEED", "Tallies", "Tally", "describe", "kernel_row"]

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from translate.evaluation.cases import Case, Method
from translate.evaluation.report import KERNEL_SCALE, MIN_TRUSTED, Row
from translate.images.tensors import to_tensor
from translate.metrics.dct_features import DctFeatures
from translate.metrics.kernel_distance import kernel_distance

SEED = 0  # of all random numbers in an evaluation: subsets of the kernel distance, holes, results, classifiers


class Tally:
    """Accumulated scores and features of one method."""

    def __init__(self) -> None:
        self.describer = DctFeatures()
        self.features: list[Tensor] = []
        self.scores: dict[str, list[float]] = {}

    def add(self, result: np.ndarray, **scores: float | None) -> None:
        """Add a result, (H, W, 3) uint8, and its scores."""
        self.features.append(self.describer(to_tensor(result)))
        self.note(**scores)

    def note(self, **scores: float | None) -> None:
        """Add scores that are not None."""
        for name, score in scores.items():
            if score is not None:
                self.scores.setdefault(name, []).append(score)

    def all_features(self) -> Tensor:
        """Return the features of all results, (N, d)."""
        return torch.cat(self.features) if self.features else torch.empty(0, DctFeatures.num_features)

    def row(self, name: str, targets: Tensor) -> Row:
        """Return the mean scores, with the kernel distance to the features `targets`, (M, d)."""
        means: dict[str, Any] = {score: float(np.mean(values)) for score, values in self.scores.items()}
        return replace(kernel_row(name, self.all_features(), targets), **means)


class Tallies:
    """Tallies of several methods on the same cases."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self.methods = methods
        self.by_method = {name: Tally() for name in methods}

    def add(self, case: Case) -> None:
        """Apply every method to a case and score the results."""
        for name, method in self.methods.items():
            result = case.apply(method)
            self.by_method[name].add(result, **case.score(result))

    def rows(self, targets: Tensor) -> list[Row]:
        """Return a row for each method, given the features of the targets, (M, d)."""
        return [tally.row(name, targets) for name, tally in self.by_method.items()]


def describe(pictures: Iterable[np.ndarray]) -> Tensor:
    """Compute the features, (N, d), of pictures, (H, W, 3) uint8 each."""
    tally = Tally()
    for picture in pictures:
        tally.add(picture)
    return tally.all_features()


def kernel_row(name: str, outputs: Tensor, targets: Tensor) -> Row:
    """Return a row with the kernel distance of two sets of features, if both have 2 or more pictures."""
    pictures = min(len(outputs), len(targets))
    if pictures < 2:
        return Row(name)
    distance = kernel_distance(outputs, targets, seed=SEED)
    value, error = distance.value * KERNEL_SCALE, distance.error * KERNEL_SCALE if pictures >= MIN_TRUSTED else None
    return Row(name, kernel=value, kernel_error=error, subset_size=distance.subset_size)
