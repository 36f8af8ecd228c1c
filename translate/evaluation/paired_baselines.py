"""What to beat on pairs without learning anything: the mean of the training pictures, and a look-up of the nearest."""

__all__ = ["MeanPicture", "NearestSource", "brought_to"]

from typing import Generic, TypeVar

import cv2
import numpy as np

SMALL = 32  # px: sources are compared at this size
BLUR = 1.5  # px there, so that lines that nearly meet count as near

K = TypeVar("K")


class MeanPicture:
    """The mean of pictures, at the size of the first: the best constant answer by squared error."""

    def __init__(self) -> None:
        self.total: np.ndarray | None = None
        self.count = 0

    def add(self, picture: np.ndarray) -> None:
        """Take in one picture, (H, W, 3) uint8."""
        if self.total is None:
            self.total = np.zeros(picture.shape, np.float64)
        self.total += brought_to(picture, self.total.shape)
        self.count += 1

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Return the mean at the size of `picture`, whatever that shows: (H, W, 3) uint8."""
        assert self.total is not None
        return brought_to(np.rint(self.total / self.count).astype(np.uint8), picture.shape)


class NearestSource(Generic[K]):
    """Finds the training source that looks most like a picture: the least squared distance of small blurred copies."""

    def __init__(self) -> None:
        self.keys: list[K] = []
        self.copies: list[np.ndarray] = []

    def add(self, source: np.ndarray, key: K) -> None:
        """Take in a source, (H, W, 3) uint8, and what to return when it is the nearest."""
        self.keys.append(key)
        self.copies.append(small_copy(source))

    def __call__(self, picture: np.ndarray) -> K:
        """Return the key of the source nearest to `picture`."""
        away = np.square(np.stack(self.copies) - small_copy(picture)).sum(axis=1)
        return self.keys[int(away.argmin())]


def small_copy(picture: np.ndarray) -> np.ndarray:
    """Shrink and blur (H, W, 3) uint8: a vector (3072,) float32 in [0, 1]."""
    small = cv2.resize(picture, (SMALL, SMALL), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return cv2.GaussianBlur(small, (0, 0), BLUR).ravel()


def brought_to(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the picture, (H, W, 3) uint8, at the height and width of `shape`."""
    if picture.shape[:2] == shape[:2]:
        return picture
    way = cv2.INTER_AREA if shape[0] < picture.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(picture, (shape[1], shape[0]), interpolation=way)
