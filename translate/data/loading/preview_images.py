"""The pictures of sample grids."""

__all__ = ["PREVIEW_COUNT", "read_previews"]

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from translate.data.loading.transforms import center_crop

PREVIEW_COUNT = 4  # pictures of each domain
T = TypeVar("T")


def read_previews(
    items: Iterable[T], decode: Callable[[T], np.ndarray | str], size: int, count: int = PREVIEW_COUNT
) -> tuple[list[T], list[np.ndarray]]:
    """Return the first `count` distinct items that can be decoded, and their center crops, (size, size, C).

    `decode` returns (H, W, C) with both sides at least `size` px, or the reason why an item cannot be read.
    """
    chosen: list[T] = []
    crops: list[np.ndarray] = []
    for item in dict.fromkeys(items):
        if len(crops) == count:
            break
        picture = decode(item)
        if not isinstance(picture, str):
            chosen.append(item)
            crops.append(center_crop(picture, size))
    return chosen, crops
