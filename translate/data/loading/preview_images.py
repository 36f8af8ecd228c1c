"""The pictures of sample grids and of scores while training."""

__all__ = ["PREVIEW_COUNT", "read_previews", "read_spread"]

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from translate.data.loading.transforms import center_crop
from translate.utils.errors import UserError
from translate.utils.sequences import spread

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


def read_spread(
    items: Sequence[T], decode: Callable[[T], np.ndarray | str], size: int, count: int
) -> tuple[list[T], list[np.ndarray]]:
    """Return what `read_previews` does for evenly spaced items; raise UserError if none can be decoded."""
    chosen, crops = read_previews([*spread(items, count), *items], decode, size, count)
    if not crops:
        raise UserError(f"none of {len(items)} held-out pictures can be read")
    return chosen, crops
