"""Skies: a clear gradient with the sun's glow, and four kinds of clouds."""

__all__ = ["draw_sky"]

import cv2
import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.landscapes.perspective import FOCAL, View
from translate.synthetic.light import Light
from translate.synthetic.noise import blur, fbm, smoothstep

DOWNSCALING = 2  # clouds are drawn at this fraction of the resolution
MARCH_STEPS = 5  # samples of cloud between a point and the sun
MARCH_LENGTH = 0.16  # picture heights, length of that march
ABSORPTION = 2.8  # optical depth of a solid cloud over the march


def draw_sky(rng: np.random.Generator, view: View, light: Light) -> Array:
    """Return the radiance (H, W, 3) of the sky, with the value at the horizon continued below."""
    size = view.size // DOWNSCALING
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    up = np.clip(view.horizon - y, 0, 1)  # picture heights over the horizon
    image = _clear(x, up, light)
    kind = str(rng.choice(light.clouds))
    draw = {"cumulus": _cumulus, "cirrus": _cirrus, "stratus": _stratus, "overcast": _overcast}.get(kind)
    if draw:
        image = draw(rng, image, x, up, light)
    return cv2.resize(image, (view.size, view.size), interpolation=cv2.INTER_CUBIC)


def _clear(x: Array, up: Array, light: Light) -> Array:
    """Return the gradient from rim to zenith, with the glow around a sun that stands ahead."""
    depth = (1 - np.exp(-up * 3.6))[..., None]
    sky = light.rim + (light.zenith - light.rim) * depth
    ahead = light.to_sun[2]
    if ahead <= 0.05:
        return sky
    sun_x = 0.5 + FOCAL * light.to_sun[0] / ahead
    sun_up = FOCAL * light.to_sun[1] / ahead
    away = (x - sun_x) ** 2 + (up - sun_up) ** 2
    glow = 0.55 * np.exp(-away / 0.10) + 0.9 * np.exp(-away / 0.006)
    return sky + light.sun * glow[..., None]


def _sunlight_through(density: Array, light: Light) -> Array:
    """Return the sunlight that reaches each point of a cloud (H, W), by marching towards the sun in the picture."""
    size = density.shape[0]
    thick = blur(np.clip(density, 0, 1), 0.012 * size)
    step = f32([light.to_sun[0], -max(float(light.to_sun[1]), 0.25)])
    step *= MARCH_LENGTH * size / MARCH_STEPS / max(float(np.hypot(*step)), 1e-3)
    depth = np.zeros_like(thick)
    for k in range(1, MARCH_STEPS + 1):
        shift = f32([[1, 0, -k * step[0]], [0, 1, -k * step[1]]])
        depth += cv2.warpAffine(thick, shift, thick.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.exp(-ABSORPTION * depth / MARCH_STEPS)


def _cumulus(rng: np.random.Generator, sky: Array, x: Array, up: Array, light: Light) -> Array:
    """Add heaps with flat bases, smaller and denser towards the horizon, bright where sunlight enters."""
    size = len(x)
    heap = np.full_like(x, -1.0)
    height = np.zeros_like(x)
    for _ in range(int(rng.integers(5, 13))):
        base = 0.03 + 0.5 * rng.random() ** 1.5
        width = (0.07 + 0.5 * base) * rng.uniform(0.5, 1.15)
        tall = width * rng.uniform(0.35, 0.6)
        rise = (up - base) / np.where(up > base, tall, 0.22 * tall)
        bump = 1 - ((x - rng.uniform(-0.1, 1.1)) / width) ** 2 - rise**2
        height = np.where(bump > heap, np.clip(rise, -1, 1.5), height)
        heap = np.maximum(heap, bump)
    billow = fbm(rng, x.shape, cells=9, octaves=6, gain=0.56, stretch=1.25)
    density = 0.85 * np.clip(heap, -1, 1) + 0.34 * billow - 0.16
    alpha = smoothstep(-0.06, 0.42, density)
    sun = _sunlight_through(density, light) * (0.62 + 0.42 * blur(height, 0.02 * size))
    sun = sun + 0.05 * blur(billow, 0.004 * size)
    return _blend(sky, alpha, _cloud_colour(sun, light), up, light)


def _cirrus(rng: np.random.Generator, sky: Array, x: Array, up: Array, light: Light) -> Array:
    """Add thin streaks of ice, combed by a high wind."""
    grain = fbm(rng, x.shape, cells=3, octaves=7, gain=0.6, stretch=float(rng.uniform(3, 7)))
    patches = fbm(rng, x.shape, cells=2, octaves=3)
    slant = f32([[1, rng.uniform(-1.0, 1.0), 0], [rng.uniform(-0.25, 0.25), 1, 0]])
    grain = cv2.warpAffine(grain, slant, grain.shape[::-1], borderMode=cv2.BORDER_REFLECT_101)
    alpha = 0.75 * smoothstep(-0.3, 2.4, grain + 0.8 * patches)
    return _blend(sky, alpha, _cloud_colour(np.full_like(alpha, 0.9), light), up, light)


def _stratus(rng: np.random.Generator, sky: Array, x: Array, up: Array, light: Light) -> Array:
    """Add long bands, lit from below when the sun is low."""
    bands = fbm(rng, x.shape, cells=1.5, octaves=6, gain=0.52, stretch=float(rng.uniform(3.5, 6)))
    closer = np.clip((0.55 - up) / 0.5, 0, 1)  # bands crowd towards the horizon
    density = 0.42 * bands + rng.uniform(-0.1, 0.25) - 0.2 + 0.15 * closer
    alpha = 0.92 * smoothstep(-0.05, 0.65, density)
    sun = 0.25 + 0.75 * _sunlight_through(0.8 * density, light)
    return _blend(sky, alpha, _cloud_colour(sun, light), up, light)


def _overcast(rng: np.random.Generator, sky: Array, x: Array, up: Array, light: Light) -> Array:
    """Add a closed grey lid with soft, darker undersides."""
    lumps = fbm(rng, x.shape, cells=3, octaves=5, gain=0.5, stretch=2.6)
    bright = np.clip(0.86 + 0.13 * blur(lumps, 0.008 * len(x)), 0.5, 1.2)
    grey = (0.62 * light.fill + 0.42 * light.rim) * bright[..., None]
    return _blend(sky, np.full_like(x, 0.93), grey, up, light)


def _cloud_colour(sun: Array, light: Light) -> Array:
    """Return the colour (H, W, 3) of a cloud that gets the share `sun` (H, W) of sunlight, and light from the sky."""
    return light.sun * (0.78 * sun[..., None]) + light.fill * 0.9 + light.rim * 0.10


def _blend(sky: Array, alpha: Array, cloud: Array, up: Array, light: Light) -> Array:
    """Blend clouds over the sky, and haze over clouds near the horizon."""
    near = smoothstep(0.0, 0.16, up)[..., None]
    veiled = light.rim + (cloud - light.rim) * (0.35 + 0.65 * near)
    return sky + (veiled - sky) * (alpha * (0.35 + 0.65 * near[..., 0]))[..., None]
