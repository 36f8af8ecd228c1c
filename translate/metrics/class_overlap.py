"""Overlap of answered label maps with the truth: pixel accuracy, and intersection over union (IoU) of each class.

Counts are summed over all pictures before they are divided, as for Cityscapes (Cordts et al., 2016) and PASCAL VOC.
"""

__all__ = ["Overlap", "count_classes"]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

SUBSETS = 100  # of half of the pictures, for the standard error


def count_classes(answer: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Count the pixels of each class: (3, K) int64, right ones, those of the answer, and those of the truth.

    Args:
        answer: class numbers of any shape.
        truth: class numbers of the same shape; pixels with other numbers than those of `classes` do not count.
        classes: K.
    """
    known = truth < classes
    answered, true = answer[known], truth[known]
    parts = (true[answered == true], answered, true)
    return np.stack([np.bincount(part.ravel(), minlength=256)[:classes] for part in parts])


@dataclass(frozen=True)
class Overlap:
    """Scores from the counts of N pictures, (N, 3, K), as `count_classes` returns them."""

    counts: np.ndarray

    @classmethod
    def of(cls, counts: Sequence[np.ndarray]) -> "Overlap":
        """Stack the counts of pictures."""
        return cls(np.stack(counts))

    @cached_property
    def total(self) -> np.ndarray:
        """The counts of all pictures together, (3, K)."""
        return self.counts.sum(axis=0)

    @property
    def ious(self) -> np.ndarray:
        """The IoU of each class, (K,); NaN for a class that no truth has."""
        return _ious(self.total)

    @property
    def mean_iou(self) -> float:
        """The mean IoU of the classes that truths have; NaN without any."""
        return _mean_iou(self.total)

    @property
    def accuracy(self) -> float:
        """The share of right pixels; NaN without labelled pixels."""
        return _accuracy(self.total)

    @property
    def shares(self) -> np.ndarray:
        """The share of each class of the labelled pixels, (K,)."""
        return self.total[2] / max(1, self.total[2].sum())

    def errors(self) -> tuple[float, float]:
        """Return the standard errors of mean IoU and accuracy, over the pictures: the jackknife estimate."""
        rest = self.total - self.counts
        values = np.array([(_mean_iou(counts), _accuracy(counts)) for counts in rest])
        spread = np.square(values - values.mean(axis=0)).sum(axis=0) * (len(rest) - 1) / len(rest)
        iou, accuracy = np.sqrt(spread).tolist()
        return iou, accuracy

    def mean_ious_of_halves(self, seed: int = 0) -> list[float]:
        """Return the mean IoU of random halves of the pictures, the same ones for one seed and number of pictures."""
        rng, half = np.random.default_rng(seed), max(1, len(self.counts) // 2)
        chosen = (rng.permutation(len(self.counts))[:half] for _ in range(SUBSETS))
        return [_mean_iou(self.counts[rows].sum(axis=0)) for rows in chosen]


def _ious(counts: np.ndarray) -> np.ndarray:
    right, answered, true = counts.astype(np.float64)
    union = answered + true - right
    return np.divide(right, union, out=np.full(len(right), np.nan), where=true > 0)


def _mean_iou(counts: np.ndarray) -> float:
    ious = _ious(counts)
    return float(np.nanmean(ious)) if np.isfinite(ious).any() else float("nan")


def _accuracy(counts: np.ndarray) -> float:
    return float(counts[0].sum() / counts[2].sum()) if counts[2].any() else float("nan")
