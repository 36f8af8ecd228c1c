"""Resizing, cropping and colour jitter; the only module that calls albumentations.

The library is pinned to 2.0.8, the last release under MIT. Its import takes a third of a second, so it waits until a
picture has to be resized or jittered.
"""

__all__ = ["Jitter", "center_crop", "fit", "resize"]

import functools
import os
import threading
from types import ModuleType
from typing import Any

import cv2
import numpy as np


def fit(picture: np.ndarray, side: int, *, square: bool, nearest: bool = False) -> np.ndarray:
    """Resize `picture` (H, W, C) of any depth so that its shorter side, or with `square` both, are `side` px.

    With `nearest`, for label maps, no value is interpolated.
    """
    if square:
        return resize(picture, side, side, nearest=nearest)
    if min(picture.shape[:2]) == side:
        return picture
    return _clip_floats(_pipelines.resize("SmallestMaxSize", side, nearest=nearest)(image=picture)["image"])


def resize(picture: np.ndarray, height: int, width: int, *, nearest: bool = False) -> np.ndarray:
    """Resize `picture` (H, W, C) of any depth to (height, width, C); `nearest` as in `fit`."""
    if picture.shape[:2] == (height, width):
        return picture
    return _clip_floats(_pipelines.resize("Resize", height, width, nearest=nearest)(image=picture)["image"])


def _clip_floats(picture: np.ndarray) -> np.ndarray:
    """Clip the overshoot of cubic interpolation to [0, 1]; OpenCV clips integers itself."""
    return picture.clip(0, 1) if picture.dtype == np.float32 else picture


def center_crop(picture: np.ndarray, size: int) -> np.ndarray:
    """Return the central `size` x `size` px of (H, W, C)."""
    top, left = (picture.shape[0] - size) // 2, (picture.shape[1] - size) // 2
    return picture[top : top + size, left : left + size]


class Jitter:
    """Random change of brightness, contrast and, where C is 3, saturation and hue of (H, W, C) uint8; thread-safe.

    `strength` is 0 (none) to 1: brightness, contrast and saturation by up to a factor 1 +- strength, hue by up to
    a tenth of the circle times strength. The change is a function of the call's seed.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def __call__(self, picture: np.ndarray, seed: int) -> np.ndarray:
        compose = _pipelines.jitter(self.strength)
        compose.set_random_seed(seed)
        return compose(image=picture)["image"]


def _make_resize(step: str, *size: int, nearest: bool) -> Any:
    options: dict[str, Any] = {"interpolation": cv2.INTER_CUBIC, "area_for_downscale": "image"}
    if nearest:  # EXACT samples where the other modes do, so both pictures of a pair stay aligned
        options = {"interpolation": cv2.INTER_NEAREST_EXACT, "area_for_downscale": None}
    library = _import_albumentations()
    return library.Compose([getattr(library, step)(*size, **options)])


def _make_jitter(strength: float) -> Any:
    factor, hue = (max(0.0, 1 - strength), 1 + strength), (-strength / 10, strength / 10)
    library = _import_albumentations()
    return library.Compose([library.ColorJitter(brightness=factor, contrast=factor, saturation=factor, hue=hue, p=1.0)])


def _import_albumentations() -> ModuleType:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or the import looks for updates over the network
    import albumentations

    return albumentations


class _Pipelines(threading.local):
    """The most recent pipelines of each thread: they are slow to build and hold state."""

    def __init__(self) -> None:
        self.resize = functools.lru_cache(maxsize=8)(_make_resize)
        self.jitter = functools.lru_cache(maxsize=8)(_make_jitter)


_pipelines = _Pipelines()
