"""Accumulate scores of methods picture by picture, so that a test set need not fit into memory."""

__all__ = ["SEED", "Distances", "Tallies", "Tally", "distances", "panel_row"]

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from statistics import stdev
from typing import Any

import numpy as np

from translate.evaluation.cases import Case, Method
from translate.evaluation.panel import Description, Panel
from translate.evaluation.report import KERNEL_SCALE, MIN_TRUSTED, KernelScore, Row
from translate.evaluation.verdict import UNTOUCHED, is_better
from translate.metrics.kernel_distance import KernelDistance, kernel_distance
from translate.metrics.lattice import shared_part

SEED = 0  # of all random numbers in an evaluation: subsets of the kernel distance, holes, results, classifiers
Distances = dict[str, KernelDistance]  # by the titles of networks


class Tally:
    """Accumulated scores and features of one method."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.features: list[Description] = []
        self.scores: dict[str, list[float]] = {}

    def add(self, result: np.ndarray, key: Hashable = None, **scores: float | None) -> None:
        """Add a result, (H, W, 3) uint8, and its scores; results with a `key` are described once."""
        self.features.append(self.panel.describe(result, key))
        self.note(**scores)

    def note(self, **scores: float | None) -> None:
        """Add scores that are not None."""
        for name, score in scores.items():
            if score is not None:
                self.scores.setdefault(name, []).append(score)

    def all_features(self) -> Description:
        """Return the description of all results."""
        return self.panel.join(self.features)

    def row(self, name: str, targets: Description, untouched: Distances | None = None) -> Row:
        """Return the mean scores and those of `panel_row`."""
        means: dict[str, Any] = {score: float(np.mean(values)) for score, values in self.scores.items()}
        errors = {score: standard_error(each) for score, each in self.scores.items() if len(each) >= MIN_TRUSTED}
        return replace(panel_row(name, self.all_features(), targets, untouched), errors=errors, **means)


class Tallies:
    """Tallies of several methods on the same cases."""

    def __init__(self, methods: Mapping[str, Method], panel: Panel) -> None:
        self.methods = methods
        self.by_method = {name: Tally(panel) for name in methods}

    def add(self, case: Case, key: Hashable = None) -> None:
        """Apply every method to a case and score the results; `key` is that of the input."""
        for name, method in self.methods.items():
            result = case.apply(method)
            self.by_method[name].add(result, key if name == UNTOUCHED else None, **case.score(result))

    def rows(self, targets: Description) -> list[Row]:
        """Return a row for each method, given the targets."""
        untouched = self.untouched(targets)
        return [tally.row(name, targets, untouched) for name, tally in self.by_method.items()]

    def untouched(self, targets: Description) -> Distances | None:
        """Return the kernel distances of the untouched inputs, if they are among the methods."""
        tally = self.by_method.get(UNTOUCHED)
        return None if tally is None else distances(tally.all_features(), targets)


def standard_error(values: Sequence[float]) -> float:
    """Return the standard error of the mean of at least 2 values."""
    return stdev(values) / len(values) ** 0.5


def panel_row(name: str, outputs: Description, targets: Description, untouched: Distances | None = None) -> Row:
    """Return a row with the panel's scores of a set of pictures, beside those of the untouched inputs if given."""
    found = distances(outputs, targets)
    pictures = min(len(outputs), len(targets))
    trusted = pictures >= MIN_TRUSTED
    leads = {title: found[title].lead(untouched[title]) for title in found} if untouched and trusted else {}
    kernels = {
        title: KernelScore(
            value=distance.value * KERNEL_SCALE,
            error=distance.error * KERNEL_SCALE if trusted else None,
            subset_size=distance.subset_size,
            lead=leads.get(title),
        )
        for title, distance in found.items()
    }
    strength = shared_part(outputs.phases).strength if len(outputs) else None
    return Row(name, kernels=kernels, better=is_better(leads) if name != UNTOUCHED else None, lattice=strength)


def distances(outputs: Description, targets: Description) -> Distances:
    """Compute the kernel distances of two sets by each network; none for fewer than 2 pictures."""
    if min(len(outputs), len(targets)) < 2:
        return {}
    return {
        title: kernel_distance(outputs.features[title], rows, seed=SEED) for title, rows in targets.features.items()
    }
