"""Land and water: layered ridges, ground in perspective, and reflections in still water."""

__all__ = ["draw_ridges", "ground_grain", "shade_ground", "water_surface"]

import math

import cv2
import numpy as np

from translate.synthetic.arrays import Array
from translate.synthetic.landscapes.perspective import FOCAL, View
from translate.synthetic.light import Light, rgb
from translate.synthetic.noise import TILE, TILE_WAVES, fbm, profile, smoothstep, tile

ROCK, SNOW, WOOD, MOOR = rgb(0x8A8580), rgb(0xF2F4F8), rgb(0x55683F), rgb(0x8A8F58)
DEEP_WATER = rgb(0x26423F)
GROUND_OCTAVES = (0.12, 0.35, 1.0, 2.8, 8.0, 22.0)  # waves per metre, coarse to fine
GROUND_GAIN = (1.0, 0.9, 0.8, 0.8, 0.8, 0.8)
DEVIATION = 1.6  # of the sum of the octaves that show nearby


def draw_ridges(rng: np.random.Generator, image: Array, view: View, light: Light) -> Array:
    """Draw one to four ridges over the sky, far ones first, each paler in the haze than the next."""
    mountains = rng.random() < 0.45
    count = int(rng.integers(1, 4)) + mountains
    far = rng.uniform(4000, 7000)
    for k in range(count):
        high = mountains and k == 0
        z = far * 0.45**k
        rise = rng.uniform(0.10, 0.20) if high else rng.uniform(0.025, 0.075) * 0.85**k
        image = _ridge(rng, image, view, light, z, rise, high)
    return image


def _ridge(
    rng: np.random.Generator, image: Array, view: View, light: Light, z: float, rise: float, high: bool
) -> Array:
    """Draw mountains (`high`) or wooded hills `z` m away that rise `rise` picture heights."""
    size = view.size
    line = profile(rng, size, cells=3 if high else 1.6, octaves=7, gain=0.5 if high else 0.36)
    crest = view.horizon - rise * np.clip(0.9 + 0.42 * line, 0.12, 2.2)
    top, foot = max(int(crest.min() * size) - 1, 0), min(view.first_row + 1, size)
    y = (np.arange(top, foot, dtype=np.float32)[:, None] + 0.5) / size
    slope = fbm(rng, (size // 2, size), cells=7 if high else 12, octaves=5, gain=0.6)[: foot - top]
    lean = cv2.Sobel(slope, cv2.CV_32F, 1, 0, ksize=3) * (1 if light.to_sun[0] < 0 else -1)
    relief = np.clip(0.75 + lean * (0.9 if high else 0.35) * size / 256, 0.25, 1.5)[..., None]
    albedo = WOOD + (MOOR - WOOD) * smoothstep(-0.5, 1.5, slope)[..., None]
    if high:
        level = view.horizon - rise * rng.uniform(0.5, 1.4)  # often there is no snow
        albedo = ROCK + (SNOW - ROCK) * smoothstep(0.0, 0.03, level - y + 0.018 * slope)[..., None]
    low = np.clip((y - crest) / max(rise, 0.02), 0, 1)  # mist gathers at the foot
    body = light.through_air(albedo * (light.sun * relief * 0.75 + light.fill), z * (0.30 + 0.30 * low))
    band = image[top:foot]
    band += (body - band) * np.clip((y - crest) * size + 0.5, 0, 1)[..., None]
    return image


def ground_grain(rng: np.random.Generator, x: Array, z: Array, view: View) -> Array:
    """Return noise on the ground, in perspective and without aliasing.

    Args:
        rng: where on the noise tile each octave is read.
        x: world coordinates of the pixels, m, (H, W).
        z: as `x`.
        view: the camera.

    Returns:
        (H, W) float32, deviation about 1 nearby and less far away, where the fine octaves are left out.
    """
    per_row = z[:, 0] ** 2 / (FOCAL * view.eye * view.size)  # metres of depth under one pixel
    total = np.zeros_like(x)
    for waves, gain in zip(GROUND_OCTAVES, GROUND_GAIN, strict=True):
        scale = waves * TILE / TILE_WAVES
        angle, shift = rng.uniform(-0.4, 0.4), rng.uniform(0, TILE, 2).tolist()
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        clear = np.clip(1.2 - 2.5 * waves * per_row, 0, 1)  # 0 where a wave is finer than two pixels
        if not clear[-1]:
            continue
        near = np.s_[int(np.argmax(clear > 0)) :]
        u = np.mod(x[near] * cos - z[near] * sin + shift[0], TILE)
        v = np.mod(x[near] * sin + z[near] * cos + shift[1], TILE)
        grain = cv2.remap(tile(), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        total[near] += grain * (gain * clear[near])[:, None]
    return total / DEVIATION


def shade_ground(albedo: Array, z: Array, shadow: Array, light: Light) -> Array:
    """Return the radiance (H, W, 3) of flat ground; `shadow` (H, W) is the share of sunlight that is blocked."""
    slant = 0.35 + 0.65 * max(float(light.to_sun[1]), 0.1)  # grass stands up, so a low sun still lights it
    sunlight = light.sun * (slant * (1 - shadow))[..., None]
    return light.through_air(albedo * (sunlight + light.fill * (1 - 0.25 * shadow)[..., None]), z)


def water_surface(
    rng: np.random.Generator, mirrored: Array, x: Array, z: Array, view: View, light: Light, calm: float
) -> Array:
    """Return the radiance of water, (H - first_row, W, 3): its reflections and its own colour.

    Args:
        rng: the ripples.
        mirrored: (H, W, 3), the world upside down: row `r` is seen in still water at row `r`.
        x: world coordinates of the pixels below the horizon, m.
        z: as `x`.
        view: the camera.
        light: the light.
        calm: 1 for a mirror, 0 for a breeze.
    """
    size, first = view.size, view.first_row
    waves = ground_grain(rng, x * 0.35, z, view) * (1.6 - calm)
    near = np.clip(view.eye * 6 / z, 0.15, 1)
    rows, columns = np.mgrid[first:size, 0:size].astype(np.float32)
    rows = rows + waves * near * 0.016 * size
    columns = columns + waves * near * 0.004 * size
    seen = cv2.remap(mirrored, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    grazing = 1 - view.eye / np.sqrt(z * z + view.eye**2 + x * x)
    fresnel = np.clip(0.22 + 0.75 * grazing**3 - 0.05 * waves, 0.12, 0.96)[..., None]
    body = DEEP_WATER * (light.sun * 0.4 + light.fill * 1.3)
    return body + (seen - body) * fresnel
