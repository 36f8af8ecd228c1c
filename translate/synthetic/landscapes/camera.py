"""From radiance to a photograph: exposure, tone curve, lens blur, vignette and grain."""

__all__ = ["develop"]

import numpy as np
from numpy.typing import NDArray

from translate.synthetic.arrays import Array, f32
from translate.synthetic.noise import blur

LENS_BLUR = 0.0022  # sigma, picture heights
GRAIN = 0.012  # deviation of display values in the mid-tones
VIGNETTE = 0.22  # light lost in the corners
LUMA = f32([0.2126, 0.7152, 0.0722])


def _tone(x: Array) -> Array:
    """Apply a film-like curve from scene to display linear: a soft toe and a long shoulder.

    The rational fit of the ACES curve by K. Narkowicz, "ACES filmic tone mapping curve" (2015).
    """
    return np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)


def _srgb(x: Array) -> Array:
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)


def develop(rng: np.random.Generator, radiance: Array, key: float) -> NDArray[np.uint8]:
    """Photograph `radiance` (H, W, 3) with its geometric mean exposed to `key`; (H, W, 3) uint8 sRGB."""
    size = radiance.shape[0]
    bright = (radiance * LUMA).sum(-1)
    exposure = key / float(np.exp(np.log(np.maximum(bright, 1e-3)).mean()))
    axis = np.linspace(-1, 1, size, dtype=np.float32) ** 2
    falloff = (1 - VIGNETTE * ((axis[:, None] + axis[None]) / 2) ** 1.5)[..., None]
    seen = blur(radiance, LENS_BLUR * size)
    glow = blur(np.minimum(seen, 4.0), 0.03 * size)  # a little light scatters in every lens
    display = _srgb(_tone((0.94 * seen + 0.06 * glow) * falloff * exposure))
    grain = blur(rng.standard_normal((size, size, 1), np.float32), 0.45).reshape(size, size, 1)
    grain = grain + 0.4 * rng.standard_normal(display.shape, np.float32)
    display = display + GRAIN * grain * (0.4 + 2.4 * display * (1 - display))
    return np.clip(display * 255 + 0.5, 0, 255).astype(np.uint8)
