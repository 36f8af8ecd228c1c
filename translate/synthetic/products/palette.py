"""Colour schemes of products."""

__all__ = ["METALS", "Look", "Paint", "Scheme", "contrast", "draw_scheme", "hsv", "mix", "tint"]

import colorsys
from dataclasses import dataclass

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.light import rgb

Rng = np.random.Generator

TONES = [  # sRGB, and its relative frequency in shops
    (0x1B1B1D, 12), (0xEDECE8, 8), (0x55565A, 4), (0x9C9C9C, 3), (0x6B3E22, 6), (0x8F5A30, 6), (0xB78250, 6),
    (0x3E2718, 5), (0x1F2A4A, 7), (0x5B1526, 5), (0x585A34, 4), (0xD2BC98, 5), (0xA81E22, 6), (0x2F4B3C, 3),
    (0xC8A09A, 3), (0x7288A0, 3), (0xC9992F, 2), (0xE3D6BE, 4),
]  # fmt: skip
ANY_HUE_SHARE = 0.34  # share of looks with an arbitrary hue instead of one of `TONES`
METALS = [rgb(c) for c in (0xD9B25A, 0xD6D6DA, 0xC79A7C, 0x6E6A66)]  # gold, silver, rose, gunmetal


@dataclass(frozen=True)
class Paint:
    """The colour (3,) in linear RGB and the material, a key of `MATERIALS`, of one role."""

    colour: Array
    material: str


Look = dict[str, Paint]  # of every role of a product, and of "thread"


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """A harmonious set of colours, each (3,) linear RGB.

    Attributes:
        base: of most of the product.
        second: of panels: equal to the base, a shade of the base or a neighbouring hue.
        accent: of stripes and trimmings, in contrast to the base.
        pale: an off-white.
        dark: a near-black.
        metal: of buckles and rings.
    """

    base: Array
    second: Array
    accent: Array
    pale: Array
    dark: Array
    metal: Array


def hsv(hue: float, saturation: float, value: float) -> Array:
    """Return linear RGB (3,) of hue (turns), saturation and value of sRGB."""
    srgb = f32(colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1)))
    return f32(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))


def _encode(linear: Array) -> Array:
    return np.clip(linear, 0, 1) ** np.float32(1 / 2.2)


def mix(one: Array, other: Array, share: float) -> Array:
    """Mix a share of `other` into `one`, perceptually."""
    return f32(((1 - share) * _encode(one) + share * _encode(other)) ** np.float32(2.2))


def tint(colour: Array, amount: float) -> Array:
    """Return a lighter colour (`amount` > 0, white at 1) or a darker one (< 0, black at -1)."""
    return mix(colour, f32([0.92, 0.92, 0.9] if amount > 0 else [0.006, 0.006, 0.007]), abs(amount))


def contrast(colour: Array, amount: float = 0.35) -> Array:
    """Return a shade of `colour` that is visible on it: lighter on dark, darker on light."""
    return tint(colour, amount if _encode(colour).mean() < 0.55 else -amount)


def _tone(rng: Rng) -> Array:
    weights = f32([weight for _, weight in TONES]).astype(np.float64)
    colour = rgb(TONES[rng.choice(len(TONES), p=weights / weights.sum())][0])
    return colour * f32(rng.uniform(0.85, 1.15, 3) * rng.uniform(0.9, 1.1)).clip(0.6, 1.2)


def draw_scheme(rng: Rng) -> Scheme:
    """Sample a scheme: 2/3 named tones, 1/3 any hue; the accent is a complement, a neighbour or the same hue."""
    # the base colour
    free = rng.random() < ANY_HUE_SHARE
    base = hsv(rng.random(), rng.uniform(0.25, 0.75), rng.uniform(0.3, 0.8)) if free else _tone(rng)
    hue, saturation, value = colorsys.rgb_to_hsv(*(float(v) for v in _encode(base)))
    if saturation < 0.25:  # a neutral goes with anything
        hue = rng.random()

    # an accent that stands out
    lively = {"saturation": rng.uniform(0.45, 0.85), "value": rng.uniform(0.4, 0.85)}
    near = hue + rng.choice([-1, 1]) * rng.uniform(0.06, 0.12)
    accents = [
        hsv(hue + 0.5 + rng.uniform(-0.06, 0.06), **lively), hsv(near, **lively),
        contrast(base, rng.uniform(0.4, 0.75)), rgb(int(rng.choice([0xEDECE8, 0x1B1B1D]))), _tone(rng),
    ]  # fmt: skip
    accent = accents[rng.choice(len(accents), p=[0.22, 0.18, 0.22, 0.2, 0.18])]
    if float(np.abs(_encode(accent) - _encode(base)).max()) < 0.2:  # it would not be seen
        accent = contrast(base, 0.55)

    # a second colour, and all of them together
    seconds = [base, contrast(base, rng.uniform(0.12, 0.3)), hsv(near, saturation, value), accent]
    return Scheme(
        base=f32(base).clip(0.004, 0.82),
        second=f32(seconds[rng.choice(len(seconds), p=[0.4, 0.25, 0.1, 0.25])]).clip(0.004, 0.82),
        accent=f32(accent).clip(0.004, 0.82),
        pale=rgb(int(rng.choice([0xF2F1EC, 0xECE6D8, 0xF4F4F4]))),
        dark=rgb(int(rng.choice([0x19191B, 0x241C18, 0x2A2A2E]))),
        metal=METALS[rng.choice(len(METALS), p=[0.4, 0.35, 0.1, 0.15])],
    )
