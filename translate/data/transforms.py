"""Every call of albumentations, in one file: how a picture is brought to the trained size, and augmented.

The library is frozen at 2.0.8 (the last release under MIT), hence the single place.
"""

__all__ = ["Augment", "Jitter", "fit", "resize"]

import os
import threading
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or importing it asks the network for news
import albumentations as A  # noqa: E402


def fit(picture: np.ndarray, side: int, *, square: bool, nearest: bool = False) -> np.ndarray:
    """Resize `picture` (H, W, C) uint8 so that its shorter side, or with `square` both, are `side` px.

    With `nearest`, every pixel of the result is one of the picture's: for label maps.
    """
    options = _interpolation(nearest)
    step = A.Resize(side, side, **options) if square else A.SmallestMaxSize(side, **options)
    return A.Compose([step])(image=picture)["image"]


def resize(picture: np.ndarray, height: int, width: int, *, nearest: bool = False) -> np.ndarray:
    """Resize `picture` (H, W, C) uint8 to (height, width, C); `nearest` as in `fit`."""
    return A.Compose([A.Resize(height, width, **_interpolation(nearest))])(image=picture)["image"]


def _interpolation(nearest: bool) -> dict[str, Any]:
    if nearest:  # the exact kind: it samples where the other kinds do, so both pictures of a pair stay aligned
        return {"interpolation": cv2.INTER_NEAREST_EXACT, "area_for_downscale": None}
    return {"interpolation": cv2.INTER_CUBIC, "area_for_downscale": "image"}


class _Seeded:
    """Steps whose draw is a function of the seed that a call is given. Calls may come from several threads."""

    def __init__(self, steps: Callable[[], list[A.BasicTransform]]) -> None:
        self._steps, self._local = steps, threading.local()

    def __call__(self, picture: np.ndarray, seed: int) -> np.ndarray:
        if not hasattr(self._local, "compose"):  # a Compose carries its generator: one for each thread
            self._local.compose = A.Compose(self._steps())
        self._local.compose.set_random_seed(seed)
        return self._local.compose(image=picture)["image"]


class Augment(_Seeded):
    """Random crop and mirroring.

    A call returns the crop (crop, crop, C) of a picture (H, W, C), both sides at least `crop` px. Pictures that
    are to be treated alike are given as channels of one.
    """

    def __init__(self, crop: int, *, flip: bool) -> None:
        self.crop, self.flip = crop, flip
        super().__init__(lambda: [A.RandomCrop(crop, crop), A.HorizontalFlip(p=0.5 if flip else 0.0)])


class Jitter(_Seeded):
    """Random change of the colours of (H, W, C) uint8: brightness, contrast and, where C is 3, saturation and hue.

    `strength` is 0 (none) to 1: brightness, contrast and saturation by up to a factor 1 +- strength, hue by up to
    a tenth of the circle times strength.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength
        each = (max(0.0, 1 - strength), 1 + strength)
        hue = (-strength / 10, strength / 10)
        super().__init__(lambda: [A.ColorJitter(brightness=each, contrast=each, saturation=each, hue=hue, p=1.0)])
