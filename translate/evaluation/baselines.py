"""Baselines: methods without training, or with only a mean or a nearest neighbour of training pictures."""

__all__ = ["FILLS", "MeanPicture", "NearestSource", "fill_with_mean_colour", "resize_to"]

from functools import partial
from typing import Generic, TypeVar

import cv2
import numpy as np

from translate.evaluation.cases import Method

SOURCE_SIZE_PX = 32  # side of the copies by which sources are compared
SOURCE_BLUR_PX = 1.5  # sigma on these copies, so that slightly shifted lines are near each other
FILL_RADIUS_PX = 3  # neighbourhood of a pixel for the methods of OpenCV

K = TypeVar("K")


class MeanPicture:
    """The mean of pictures at the size of the first, the best constant result by squared error."""

    def __init__(self) -> None:
        self.total: np.ndarray | None = None
        self.count = 0

    def add(self, picture: np.ndarray) -> None:
        """Add a picture, (H, W, 3) uint8."""
        if self.total is None:
            self.total = np.zeros(picture.shape, np.float64)
        self.total += resize_to(picture, self.total.shape)
        self.count += 1

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Return the mean at the size of `picture`: (H, W, 3) uint8."""
        assert self.total is not None
        return resize_to(np.rint(self.total / self.count).astype(np.uint8), picture.shape)


class NearestSource(Generic[K]):
    """Finds the nearest training source of a picture, by squared distance of small blurred copies."""

    def __init__(self) -> None:
        self.keys: list[K] = []
        self.copies: list[np.ndarray] = []

    def add(self, source: np.ndarray, key: K) -> None:
        """Add a source, (H, W, 3) uint8, and its key."""
        self.keys.append(key)
        self.copies.append(small_copy(source))

    def __call__(self, picture: np.ndarray) -> K:
        """Return the key of the nearest source of `picture`."""
        distances = np.square(np.stack(self.copies) - small_copy(picture)).sum(axis=1)
        return self.keys[int(distances.argmin())]


def small_copy(picture: np.ndarray) -> np.ndarray:
    """Shrink and blur (H, W, 3) uint8 to a vector (3072,) float32 in [0, 1]."""
    size = (SOURCE_SIZE_PX, SOURCE_SIZE_PX)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return cv2.GaussianBlur(small, (0, 0), SOURCE_BLUR_PX).ravel()


def resize_to(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Resize (H, W, 3) uint8 to the height and width of `shape`."""
    if picture.shape[:2] == shape[:2]:
        return picture
    interpolation = cv2.INTER_AREA if shape[0] < picture.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(picture, (shape[1], shape[0]), interpolation=interpolation)


def fill_with_mean_colour(picture: np.ndarray, *, mask: np.ndarray) -> np.ndarray:
    """Fill a hole, (H, W) bool, in (H, W, 3) uint8 with the mean colour of the known pixels."""
    filled = picture.copy()
    filled[mask] = np.rint(picture[~mask].mean(axis=0)).astype(np.uint8)
    return filled


def fill_with_opencv(picture: np.ndarray, *, mask: np.ndarray, method: int) -> np.ndarray:
    """Fill a hole, (H, W) bool, in (H, W, 3) uint8 by a method of `cv2.inpaint`."""
    return cv2.inpaint(picture, mask.astype(np.uint8) * 255, FILL_RADIUS_PX, method)


# Telea 2004, "An Image Inpainting Technique Based on the Fast Marching Method"; Bertalmio et al. 2001,
# "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting"
FILLS: dict[str, Method] = {
    "mean colour": fill_with_mean_colour,
    "OpenCV, Telea": partial(fill_with_opencv, method=cv2.INPAINT_TELEA),
    "OpenCV, Navier-Stokes": partial(fill_with_opencv, method=cv2.INPAINT_NS),
}
