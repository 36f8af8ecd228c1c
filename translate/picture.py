"""One picture in memory, and the kinds of it: depth, gray, alpha."""

__all__ = ["FULL_SCALE", "Picture", "as_known_depth", "as_picture", "on_white", "to_depth", "to_gray"]

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import DTypeLike

FULL_SCALE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(np.float32): 1}


@dataclass
class Picture:
    """One picture, and what kind of file it came from.

    Attributes:
        pixels: (H, W, 3) RGB; uint8, uint16, or float32 in [0, 1].
        alpha: (H, W) of the same dtype, or None.
        gray: the file has one channel of light; `pixels` holds it three times.
        frames: pictures in the file, of which this is the first.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    gray: bool = False
    frames: int = 1


def as_picture(stored: np.ndarray, has_alpha: bool = True, gray: bool = False, frames: int = 1) -> Picture:
    """Make a picture of (H, W), or (H, W, C) with C of 1 or 3, or 2 or 4 where the last may be alpha.

    Raises:
        ValueError: its values are on a scale that no picture has.
    """
    planes = as_known_depth(stored).reshape(*stored.shape[:2], -1)
    channels = planes.shape[2]
    pixels = planes[..., :3] if channels > 2 else planes[..., :1].repeat(3, axis=2)
    alpha = np.ascontiguousarray(planes[..., -1]) if has_alpha and channels in (2, 4) else None
    return Picture(np.ascontiguousarray(pixels), alpha, gray or channels < 3, frames)


def as_known_depth(stored: np.ndarray) -> np.ndarray:
    """Bring wide integers to uint16 and floats to float32 in [0, 1].

    Raises:
        ValueError: its values are on another scale, which is not guessed.
    """
    if stored.dtype in (np.uint8, np.uint16):
        return stored
    lowest, highest = float(stored.min()), float(stored.max())
    if stored.dtype.kind == "f" and lowest >= -0.25 and highest <= 1.25:  # sharpening overshoots a little
        return np.clip(stored, 0, 1).astype(np.float32)
    if stored.dtype.kind in "iu" and lowest >= 0 and highest <= 65535:
        return stored.astype(np.uint16)
    allowed = "0 to 1" if stored.dtype.kind == "f" else "0 to 65535"
    raise ValueError(f"its values run from {lowest:g} to {highest:g}; rescale them to {allowed}")


def to_depth(array: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Convert between uint8, uint16 and float32 in [0, 1], full scale to full scale, rounded."""
    dtype = np.dtype(dtype)
    if array.dtype == dtype:
        return array
    if array.dtype == np.uint8 and dtype == np.uint16:
        return array.astype(np.uint16) * np.uint16(257)
    unit = array.astype(np.float32) / FULL_SCALE[array.dtype]
    return unit if dtype == np.float32 else np.rint(unit * FULL_SCALE[dtype]).astype(dtype)


def to_gray(pixels: np.ndarray) -> np.ndarray:
    """Return the luma (ITU-R BT.601) of (H, W, 3) RGB as (H, W), in the same dtype; of gray, the very values."""
    if pixels.dtype == np.float32 and (pixels == pixels[..., :1]).all():  # the weights' sum is rounded
        return np.ascontiguousarray(pixels[..., 0])
    return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)


def on_white(picture: Picture) -> np.ndarray:
    """Return the pixels, (H, W, 3), with white shining through where they are transparent."""
    if picture.alpha is None:
        return picture.pixels
    alpha = to_depth(picture.alpha, np.float32)[..., None]
    return to_depth(to_depth(picture.pixels, np.float32) * alpha + (1 - alpha), picture.pixels.dtype)
