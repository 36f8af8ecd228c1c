"""Vegetation of ground and water: grass, flowers, reeds, water lilies."""

__all__ = ["draw_sward", "lilies", "reeds"]

import cv2
import numpy as np
from numpy.typing import NDArray

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.landscapes.pen import BITS, UNIT, Pen, encode, lay
from translate.synthetic.landscapes.perspective import View
from translate.synthetic.light import rgb

PAD = rgb(0x6E9460)
BLADES_AT_256_PX = 3200  # marks in a picture of 256 px
BLOOMING_SHARE = 0.14  # share of the pads that flower
FLOWER_RADIUS_M = 0.05  # m, radius of a flower in the grass


def reeds(pen: Pen, rng: np.random.Generator, width: float, height: float, albedo: Array) -> None:
    """Draw a clump of blades at the water's edge, `width` m wide."""
    count = int(np.clip(width * pen.scale * 0.8, 6, 90))
    x = rng.uniform(-0.5, 0.5, count).astype(np.float32) * width
    tall = height * rng.uniform(0.4, 1.0, count).astype(np.float32) * (1.05 - np.abs(2 * x / width) ** 2)
    tips = np.stack([x + rng.normal(0, 0.14, count).astype(np.float32) * height, tall], 1)
    normals = np.tile(f32([[0, 0.5, 0.86]]), (count, 1))
    tint = np.exp(rng.normal(0, 0.22, (count, 1))).astype(np.float32)
    colours = pen.light.shade(albedo * tint, normals, rng.uniform(0.4, 1, count).astype(np.float32))
    pen.lines(np.stack([x, 0 * x], 1), tips, colours, 0.03)


def lilies(image: Array, rng: np.random.Generator, view: View, sunlit: Array, places: Array, bloom: Array) -> Array:
    """Lay rafts of lily pads on the water.

    Args:
        image: (H, W, 3) linear.
        rng: sizes and colours.
        view: the camera.
        sunlit: (3,) light that falls on a pad.
        places: (N, 2) world (x, z) of the pads, m.
        bloom: (3,) colour of the flowers.
    """
    layer = np.zeros((view.size, view.size, 4), np.uint8)
    for x, z in places[np.argsort(-places[:, 1])].tolist():
        scale, radius = view.scale(z), 0.10 + 0.2 * rng.random()
        flat = min(1.0, view.eye / z * 1.1)
        centre = (round(view.column(x, z) * UNIT), round(view.row(z) * UNIT))
        axes = (round(radius * scale * UNIT), max(round(radius * scale * flat * UNIT), UNIT // 2))
        pad = PAD * np.exp(rng.normal(0, 0.22)) * f32([1, 1, np.exp(rng.normal(0, 0.3))])
        code = encode((pad * sunlit)[None])[0].tolist()
        cv2.ellipse(layer, centre, axes, 0, 20, 385, code, -1, cv2.LINE_AA, BITS)
        if rng.random() < BLOOMING_SHARE:
            _bloom(layer, rng, centre, radius * scale, bloom * sunlit)
    return lay(image, layer)


def _bloom(layer: Picture, rng: np.random.Generator, centre: tuple[int, int], radius: float, colour: Array) -> None:
    """Draw a water lily's flower: a few pale petals over a pad `radius` px wide."""
    for _ in range(5):
        spot = (np.array(centre) + rng.normal(0, 0.22, 2) * radius * UNIT - (0, 0.3 * radius * UNIT)).astype(int)
        code = encode(colour[None] * np.float32(np.exp(rng.normal(0, 0.2))))[0].tolist()
        cv2.circle(layer, spot.tolist(), round(max(0.24 * radius, 0.5) * UNIT), code, -1, cv2.LINE_AA, BITS)


def draw_sward(
    image: Array, rng: np.random.Generator, view: View, cover: Array, *, height: float, blossoms: Array | None = None,
    abundance: float = 0.0,
) -> Array:  # fmt: skip
    """Draw blades of grass over the shaded ground, and flowers between them.

    Args:
        image: (H, W, 3) linear; each blade takes the colour under it, so light and shade stay.
        rng: where they grow.
        view: the camera.
        cover: (H, W) how densely grass grows, in [0, 1].
        height: of the blades, m.
        blossoms: (K, 3) radiance of the flowers in average light, or None.
        abundance: share of the marks that are flowers.
    """
    # where blades grow
    size = view.size
    count = round(BLADES_AT_256_PX * min(1.0, (size / 256) ** 1.3))
    near = 1 - rng.random(count) ** 1.7  # more of them close to the camera
    feet = np.stack([rng.uniform(0, size, count), view.first_row + (1.04 * size - view.first_row) * near], 1)
    feet = feet[np.argsort(feet[:, 1])]
    scale = (feet[:, 1] - view.horizon * size) / view.eye  # px per metre
    at = (np.minimum(feet[:, 1], size - 1).astype(int), feet[:, 0].astype(int))
    grows = (rng.random(count) < cover[at]) & (height * scale > 0.6)

    # their colours, and flowers among them
    tint = np.exp(rng.normal(0.05, 0.30, (count, 1)) + rng.normal(0, 0.06, (count, 3))).astype(np.float32)
    colours, flower = image[at] * tint, np.zeros(count, bool)
    if blossoms is not None:
        flower = rng.random(count) < abundance * _drifts(feet / size, scale)
        level = image[at].mean(1, keepdims=True) / max(float(image[view.first_row :].mean()), 1e-3)
        petals = blossoms[rng.integers(0, len(blossoms), count)] * np.clip(level, 0.35, 1.6) * np.sqrt(tint)
        colours = np.where(flower[:, None], petals, colours)

    # draw them
    tall = height * scale * rng.uniform(0.4, 1.1, count)
    tips = feet + np.stack([rng.normal(0, 0.32, count) * tall, -tall], 1)
    layer = np.zeros((size, size, 4), np.uint8)
    _marks(layer, feet[grows], tips[grows], colours[grows], flower[grows], scale[grows])
    return lay(image, layer)


def _drifts(places: Array, scale: Array) -> Array:
    """Return the density of flowers at `places` (N, 2) of the picture, which grow in drifts."""
    column = places[:, 0]
    return np.clip(0.7 + 0.6 * np.sin(9 * column + scale) + 0.6 * np.sin(23 * column - 2 * scale + 1), 0, 2)


def _marks(
    layer: Picture, feet: Array, tips: Array, colours: Array, flower: NDArray[np.bool_], scale: Array,
) -> None:  # fmt: skip
    """Draw blades from foot to tip, and flowers as discs."""
    codes = encode(colours).tolist()
    first, last = ((p * UNIT).astype(int).tolist() for p in (feet, tips))
    sizes = np.maximum(FLOWER_RADIUS_M * scale * UNIT, 0.7 * UNIT).astype(int).tolist()
    for a, b, code, petals, size in zip(first, last, codes, flower.tolist(), sizes, strict=True):
        if petals:
            cv2.circle(layer, b, size, code, -1, cv2.LINE_AA, BITS)
        else:
            cv2.line(layer, a, b, code, 1, cv2.LINE_AA, BITS)
