"""Noise for procedural pictures: fractional Brownian motion over lattices of random values.

fBm sums octaves of smooth noise, each twice as fine and `gain` times as strong as the one before
(K. Perlin, "An image synthesizer", SIGGRAPH 1985; F. K. Musgrave in "Texturing and Modeling", 1994).
"""

__all__ = ["blur", "fbm", "profile", "smoothstep", "tile"]

from functools import lru_cache

import cv2
import numpy as np

from translate.synthetic.arrays import Array

TILE = 256  # px, edge of the repeating noise tile
TILE_WAVES = 20.0  # mean waves of noise across the tile


def blur(image: Array, sigma: float) -> Array:
    """Blur `image` (H, W) or (H, W, C) with a Gaussian of `sigma` px; below 0.2 px return it unchanged."""
    return image if sigma < 0.2 else cv2.GaussianBlur(image, (0, 0), sigma)


def smoothstep(low: float, high: float, x: Array) -> Array:
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def fbm(
    rng: np.random.Generator, shape: tuple[int, int], *, cells: float = 4, octaves: int = 6, gain: float = 0.55,
    stretch: float = 1,
) -> Array:  # fmt: skip
    """Return fractional Brownian motion over a picture.

    Args:
        rng: of the lattice values.
        shape: (H, W) of the result, px.
        cells: lattice cells across the width at the coarsest octave.
        octaves: number of octaves; octaves finer than a pixel are left out.
        gain: strength of an octave relative to the next coarser one.
        stretch: width of the noise over its height.

    Returns:
        (H, W) float32 with mean near 0 and standard deviation 1.
    """
    height, width = shape
    rng = rng.spawn(1)[0]  # a smaller picture has fewer octaves, which must not change later random numbers
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        columns = cells * 2**octave
        rows = columns * stretch * height / width
        if octave and max(columns / width, rows / height) > 1:
            break
        lattice = rng.standard_normal((max(2, round(rows)) + 1, max(2, round(columns)) + 1), np.float32)
        total += gain**octave * cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC)
    return total / max(float(total.std()), 1e-6)


def profile(rng: np.random.Generator, width: int, *, cells: float = 3, octaves: int = 7, gain: float = 0.5) -> Array:
    """Return a skyline: one-dimensional fBm, (W,) float32 of mean near 0 and standard deviation about 1."""
    total = np.zeros(width, np.float32)
    for octave in range(octaves):
        lattice = rng.standard_normal((1, max(2, round(cells * 2**octave)) + 1), np.float32)
        total += gain**octave * cv2.resize(lattice, (width, 1), interpolation=cv2.INTER_CUBIC)[0]
    return total / np.float32(np.sqrt(sum(gain ** (2 * k) for k in range(octaves))))


@lru_cache(maxsize=1)
def tile() -> Array:
    """Return a (TILE, TILE) float32 tile of band-limited noise, deviation 1, whose opposite edges meet.

    It is computed in the Fourier domain, so it repeats exactly, and is the same on every call: scenes differ in the
    place and the scale at which they sample it.
    """
    white = np.random.default_rng(1985).standard_normal((TILE, TILE))
    f = np.fft.fftfreq(TILE, 1 / TILE)
    waves = np.hypot(f[:, None], f[None, :])
    band = np.exp(-(((waves - TILE_WAVES) / (0.45 * TILE_WAVES)) ** 2))
    noise = np.fft.ifft2(np.fft.fft2(white) * band).real
    return (noise / noise.std()).astype(np.float32)
