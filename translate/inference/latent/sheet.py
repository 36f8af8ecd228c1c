"""New pictures laid out by class, and what else a sheet has; torch is not imported."""

__all__ = ["Sheet", "by_seed", "in_square", "samples_sheet"]

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from translate.inference.inputs.labels import class_weights
from translate.inference.sampler import Label, Sampler

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Pictures to lay out, or to write one by one."""

    rows: list[list[np.ndarray]]  # of (H, W, 3) uint8
    files: dict[str, np.ndarray]  # the new pictures, by file names without a suffix
    lines: list[str] = field(default_factory=list)  # to print
    style: "Tensor | None" = None  # (w_dim,), of the result, if it is one picture


def samples_sheet(sampler: Sampler, seeds: Sequence[int], label: Label, truncation: float) -> Sheet:
    """Draw samples in a square; without a `label`, in a row for each of the model's classes."""
    pictures = sampler(seeds=seeds, label=label, truncation=truncation)
    files = by_seed(seeds, pictures)
    weights = class_weights(sampler.classes, seeds) if label is None else None
    if weights is None:
        return Sheet(rows=in_square(pictures), files=files)
    classes = weights.argmax(1).tolist()
    present = sorted(set(classes))
    rows = [[p for p, k in zip(pictures, classes, strict=True) if k == row] for row in present]
    return Sheet(rows=rows, files=files, lines=["rows: " + ", ".join(sampler.classes[k] for k in present)])


def in_square(pictures: np.ndarray) -> list[list[np.ndarray]]:
    """Lay pictures out in rows, as nearly square as possible."""
    columns = math.ceil(math.sqrt(len(pictures)))
    return [list(pictures[i : i + columns]) for i in range(0, len(pictures), columns)]


def by_seed(seeds: Sequence[int], pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Return pictures by their seeds as words."""
    return dict(zip(map(str, seeds), pictures, strict=True))
