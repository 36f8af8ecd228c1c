"""Evenly spaced samples of sequences."""

__all__ = ["spread", "subsample"]

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return at most `count` of `items`, evenly spaced from the first to the last."""
    positions = np.linspace(0, len(items) - 1, min(count, len(items)))
    return [items[round(position)] for position in positions]


def subsample(items: Sequence[T], limit: int | None) -> list[T]:
    """Return the first item of each of `limit` equal parts of `items`, or all items; scores depend on this choice."""
    if limit is None or len(items) <= limit:
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]
