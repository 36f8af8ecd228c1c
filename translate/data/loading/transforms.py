"""Every call of albumentations, in one file: how a picture is brought to the trained size, and its colours changed.

The library is frozen at 2.0.8 (the last release under MIT), hence the single place. Importing it takes a third of a
second, which pictures that have the right size already do not have to wait for.
"""

__all__ = ["Jitter", "fit", "resize"]

import functools
import os
import threading
from types import ModuleType
from typing import Any

import cv2
import numpy as np


def fit(picture: np.ndarray, side: int, *, square: bool, nearest: bool = False) -> np.ndarray:
    """Resize `picture` (H, W, C) of any depth so that its shorter side, or with `square` both, are `side` px.

    With `nearest`, every pixel of the result is one of the picture's: for label maps.
    """
    if square:
        return resize(picture, side, side, nearest=nearest)
    if min(picture.shape[:2]) == side:
        return picture
    return _inside(_threads.resizing("SmallestMaxSize", side, nearest=nearest)(image=picture)["image"])


def resize(picture: np.ndarray, height: int, width: int, *, nearest: bool = False) -> np.ndarray:
    """Resize `picture` (H, W, C) of any depth to (height, width, C); `nearest` as in `fit`."""
    if picture.shape[:2] == (height, width):
        return picture
    return _inside(_threads.resizing("Resize", height, width, nearest=nearest)(image=picture)["image"])


def _inside(picture: np.ndarray) -> np.ndarray:
    """Cut off what cubic curves add to floats beyond [0, 1]; integers end there anyhow."""
    return picture.clip(0, 1) if picture.dtype == np.float32 else picture


class Jitter:
    """Random change of the colours of (H, W, C) uint8: brightness, contrast and, where C is 3, saturation and hue.

    `strength` is 0 (none) to 1: brightness, contrast and saturation by up to a factor 1 +- strength, hue by up to
    a tenth of the circle times strength. The draw is a function of the seed that a call is given. Calls may come from
    several threads.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def __call__(self, picture: np.ndarray, seed: int) -> np.ndarray:
        compose = _threads.colouring(self.strength)
        compose.set_random_seed(seed)
        return compose(image=picture)["image"]


def _resizing(step: str, *size: int, nearest: bool) -> Any:
    options: dict[str, Any] = {"interpolation": cv2.INTER_CUBIC, "area_for_downscale": "image"}
    if nearest:  # the exact kind: it samples where the other kinds do, so both pictures of a pair stay aligned
        options = {"interpolation": cv2.INTER_NEAREST_EXACT, "area_for_downscale": None}
    library = _library()
    return library.Compose([getattr(library, step)(*size, **options)])


def _colouring(strength: float) -> Any:
    each, hue = (max(0.0, 1 - strength), 1 + strength), (-strength / 10, strength / 10)
    library = _library()
    return library.Compose([library.ColorJitter(brightness=each, contrast=each, saturation=each, hue=hue, p=1.0)])


def _library() -> ModuleType:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or importing it asks the network for news
    import albumentations

    return albumentations


class _Threads(threading.local):
    """The last pipelines of each thread: one carries its state with it, and is slow to set up."""

    def __init__(self) -> None:
        self.resizing = functools.lru_cache(maxsize=8)(_resizing)
        self.colouring = functools.lru_cache(maxsize=8)(_colouring)


_threads = _Threads()
