"""What paired and unpaired data share: the size to train at, and the pictures of sample grids."""

__all__ = ["PROBES", "middle", "training_size"]

import statistics
from collections.abc import Sequence

import numpy as np

PROBES = 4  # pictures of each domain in a sample grid


def training_size(sides: Sequence[int], most: int = 256) -> int:
    """Return the resolution worth training at, given the shorter sides of some pictures: their median, px.

    At most `most`, a multiple of 4, and at least 32.
    """
    typical = statistics.median(sides) if sides else most
    return int(max(32, min(most, typical) // 4 * 4))


def middle(picture: np.ndarray, size: int) -> np.ndarray:
    """Return the middle `size` x `size` px of (H, W, C)."""
    top, left = (picture.shape[0] - size) // 2, (picture.shape[1] - size) // 2
    return picture[top : top + size, left : left + size]
