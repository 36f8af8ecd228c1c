"""The size to train at, and the pictures of sample grids."""

__all__ = ["MASKED_PROBES", "PROBES", "SINGLE_PROBES", "center_crop", "single_size", "training_size"]

import statistics
from collections.abc import Sequence

import numpy as np

PROBES = 4  # pictures of each domain in a sample grid
SINGLE_PROBES = 32  # the same of single pictures
MASKED_PROBES = 6  # of pictures with holes


def training_size(sides: Sequence[int], most: int = 256, multiple: int = 4) -> int:
    """Return the resolution worth training at, given the shorter sides of some pictures: their median, px.

    At most `most`, a multiple of `multiple`, and at least 32.
    """
    typical = statistics.median(sides) if sides else most
    return int(max(32, min(most, typical) // multiple * multiple))


def single_size(sides: Sequence[int]) -> int:
    """Return the resolution worth generating at, given the shorter sides of some pictures: a power of two, px.

    The largest that is no larger than their median, from 32 to 256.
    """
    typical = statistics.median(sides) if sides else 256
    return next((size for size in (256, 128, 64) if size <= typical), 32)


def center_crop(picture: np.ndarray, size: int) -> np.ndarray:
    """Return the middle `size` x `size` px of (H, W, C)."""
    top, left = (picture.shape[0] - size) // 2, (picture.shape[1] - size) // 2
    return picture[top : top + size, left : left + size]
