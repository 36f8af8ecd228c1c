"""Samples of pictures: their full scale, colours without their alpha, and samples between them."""

__all__ = ["REACH", "cubic_weights", "from_full_scale", "full_scale", "to_full_scale", "unassociated"]

from typing import Any

import numpy as np

REACH = 2  # source pixels on each side that a pixel of a bicubic enlargement depends on
SHARPNESS = -0.5  # of the cubic (Keys, 1981)


def full_scale(dtype: np.dtype) -> int:
    """Return the number of white: 1 for floats, else the largest."""
    return 1 if dtype.kind == "f" else int(np.iinfo(dtype).max)


def to_full_scale(raw: np.ndarray, bits: int) -> np.ndarray:
    """Scale unsigned integers of `bits` to those of their type, rounded."""
    full, largest = full_scale(raw.dtype), 2**bits - 1
    if full == largest:
        return raw
    steps = np.arange(largest + 1, dtype=np.uint64)
    table: np.ndarray = ((steps * np.uint64(full) + np.uint64(largest // 2)) // np.uint64(largest)).astype(raw.dtype)
    return table[raw]


def from_full_scale(samples: np.ndarray, bits: int) -> np.ndarray:
    """Scale 16-bit integers to `bits`, rounded."""
    return ((samples.astype(np.uint32) * (2**bits - 1) + 2**15 - 1) // (2**16 - 1)).astype(np.uint16)


def unassociated(raw: np.ndarray) -> np.ndarray:
    """Divide colours by the last channel, alpha: as Pillow in 8 bits, rounded down; else to the nearest."""
    alpha = raw[..., -1:]
    if raw.dtype.kind == "f":
        light = np.divide(raw[..., :-1], alpha, out=np.zeros_like(raw[..., :-1]), where=alpha > 0)
    else:
        full, wide = full_scale(raw.dtype), np.dtype(np.uint32 if raw.itemsize == 1 else np.uint64)
        colours, opacity = raw[..., :-1].astype(wide), np.maximum(alpha, 1).astype(wide)
        half: Any = 0 if raw.itemsize == 1 else opacity // 2
        light = np.minimum((colours * full + half) // opacity, full).astype(raw.dtype)
        light[np.broadcast_to(alpha == 0, light.shape)] = 0
    return np.concatenate((light, alpha), axis=2)


def cubic_weights(scale: int) -> np.ndarray:
    """Return the weights of five neighbouring pixels in each of the `scale` pixels that replace the middle one.

    (scale, 5) float32; pixels are squares, so the new ones are evenly spaced within the old one.
    """
    offsets = (np.arange(scale) + 0.5) / scale - 0.5
    distance = np.abs(np.arange(-REACH, REACH + 1) - offsets[:, None])
    near = (SHARPNESS + 2) * distance**3 - (SHARPNESS + 3) * distance**2 + 1
    far = SHARPNESS * (distance**3 - 5 * distance**2 + 8 * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0)).astype(np.float32)
