"""Small copies of pictures for super-resolution: exact means, or what cameras, mails and web pages make of a picture.

Blur, reduction, noise and JPEG follow Real-ESRGAN (Wang et al., 2021, https://arxiv.org/abs/2107.10833, section 3), in
a random order (Zhang et al., 2021, https://arxiv.org/abs/2103.14006).
"""

__all__ = ["DEGRADATIONS", "degrade"]

from collections.abc import Callable

import cv2
import numpy as np

from translate.images.picture import to_depth

DEGRADATIONS = ("clean", "real")
BLUR_PX = 0.1, 0.9  # standard deviation, in pixels of the small copy
NOISE_LEVELS = 0.5, 12.0  # standard deviation, of 255
GRAY_NOISE = 0.4  # of the copies have noise without colours
PLAIN_NOISE = 0.5  # of the copies have the same noise in light and shadow
JPEG_QUALITY = 30, 95
KEPT_JPEG = 0.7  # of the copies are JPEG files at the end
SHRINKS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
Step = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


def degrade(picture: np.ndarray, scale: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Reduce (H, W, C), uint8 or float32 in [0, 1], to (H / scale, W / scale, C) of the same type.

    `kind` is one of DEGRADATIONS: "clean", the mean of each block of scale x scale pixels, or "real", with all that
    `rng` draws. H and W are multiples of `scale`.
    """
    height, width = (side // scale for side in picture.shape[:2])
    if kind == "clean":
        return _planes(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    x = to_depth(picture, np.float32)
    steps: list[Step] = [_blur, _shrink, _add_noise, _compress]
    for i in rng.permutation(len(steps)):
        factor = x.shape[0] // height  # by which the picture is still too large
        x = _planes(steps[i](x, max(1, factor), rng))
    small = _planes(_resize(x, height, width, SHRINKS[int(rng.integers(len(SHRINKS)))]))
    if rng.random() < KEPT_JPEG:
        small = _compress(small, 1, rng)
    return to_depth(small.clip(0, 1), picture.dtype)


def _planes(x: np.ndarray) -> np.ndarray:
    """Return (H, W, C) of what OpenCV returns: it drops the axis of one channel."""
    return x[..., None] if x.ndim == 2 else x


def _blur(x: np.ndarray, factor: int, rng: np.random.Generator) -> np.ndarray:
    """Blur with a Gaussian that is wider in one direction."""
    across, down = rng.uniform(*BLUR_PX, 2) * factor
    return cv2.GaussianBlur(x, (0, 0), sigmaX=across, sigmaY=down)


def _shrink(x: np.ndarray, factor: int, rng: np.random.Generator) -> np.ndarray:
    """Reduce by a random part of the way, so that what follows is done at any size."""
    part = rng.uniform(1, factor) if factor > 1 else 1.0
    height, width = (max(1, round(side / part)) for side in x.shape[:2])
    return _resize(x, height, width, SHRINKS[int(rng.integers(len(SHRINKS)))])


def _resize(x: np.ndarray, height: int, width: int, interpolation: int) -> np.ndarray:
    """Resize; interpolations without a low pass of their own get one first."""
    if x.shape[:2] == (height, width):
        return x
    shrink = x.shape[0] / height
    if shrink > 1 and interpolation != cv2.INTER_AREA:
        x = cv2.GaussianBlur(x, (0, 0), max(0.1, 0.3 * shrink))
    return cv2.resize(x, (width, height), interpolation=interpolation)


def _add_noise(x: np.ndarray, factor: int, rng: np.random.Generator) -> np.ndarray:
    """Add noise, which may be gray, and stronger in light places, as photons have it."""
    channels = 1 if rng.random() < GRAY_NOISE else x.shape[2]
    noise = rng.standard_normal((*x.shape[:2], channels), np.float32) * (rng.uniform(*NOISE_LEVELS) / 255)
    if rng.random() >= PLAIN_NOISE:
        noise = noise * np.sqrt(x.clip(0, 1))
    return x + noise.astype(np.float32)


def _compress(x: np.ndarray, factor: int, rng: np.random.Generator) -> np.ndarray:
    """Encode as JPEG and decode."""
    quality = int(rng.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1))
    eight_bits = to_depth(x.clip(0, 1), np.uint8)
    ok, data = cv2.imencode(".jpg", eight_bits[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if x.shape[2] == 1 else cv2.IMREAD_COLOR)
    assert ok and decoded is not None
    decoded = _planes(decoded)
    return to_depth(np.ascontiguousarray(decoded[..., ::-1]), np.float32)
