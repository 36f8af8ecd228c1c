"""The resolution worth training at, given the shorter sides of some pictures in px."""

__all__ = ["native_size", "power_of_two_size"]

import statistics
from collections.abc import Sequence

MAX_SIZE_PX = 256  # larger sizes train slowly, so only the user chooses them


def native_size(sides: Sequence[int], multiple: int = 4, most: int = MAX_SIZE_PX) -> int:
    """Return the median side, rounded down to a multiple of `multiple`, from 32 to `most` px."""
    typical = statistics.median(sides) if sides else most
    return int(max(32, min(most, typical) // multiple * multiple))


def power_of_two_size(sides: Sequence[int]) -> int:
    """Return the largest power of two up to the median side, from 32 to 256 px, as generators of pictures need."""
    typical = statistics.median(sides) if sides else MAX_SIZE_PX
    return next((size for size in (256, 128, 64) if size <= typical), 32)
