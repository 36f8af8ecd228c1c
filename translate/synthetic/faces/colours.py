"""Colours for the values of a portrait's factors."""

__all__ = ["Palette", "palette"]

import colorsys
from dataclasses import dataclass

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.faces.canvas import Tones, mix, tones
from translate.synthetic.faces.factors import Part, Portrait

Rng = np.random.Generator

HAIR = {
    "black": 0x454254, "brown": 0x8A5A3C, "blonde": 0xF2D36E, "red": 0xCE5038, "silver": 0xD6DAE6, "pink": 0xF29DBB,
    "blue": 0x5A80D6, "green": 0x62AE6C, "purple": 0x9A74CE,
}  # fmt: skip
IRIS = {
    "brown": 0x9A5528, "blue": 0x3A86EE, "green": 0x3CB05A, "red": 0xE0363C, "purple": 0xA052E0, "amber": 0xF2B01E,
}  # fmt: skip
SKIN = {"fair": 0xFFE6D6, "tan": 0xF0C29A, "dark": 0xB07C5A}
FRAME = {"black": 0x23222A, "red": 0xCF1F2E, "blue": 0x1F58D8, "green": 0x1C8A50}
BACKGROUND = {
    "white": 0xF4F4F6, "sky": 0xA9D2F2, "rose": 0xF2B9C6, "mint": 0xAEDFC4, "cream": 0xF2E0AE, "lilac": 0xC9BBEA,
}  # fmt: skip
CLOTHES = {
    "navy": 0x30406E, "red": 0xBF3A40, "white": 0xF0F0F4, "green": 0x3F7F5E, "grey": 0x8A8E9C, "yellow": 0xEDBE4A,
}  # fmt: skip
SKIN_SHADE, SKIN_INK = (0.94, 0.80, 0.77), (0.68, 0.46, 0.40)
LASH = f32([44, 26, 34])


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The tones of each material of one portrait, and the plain colours (3,) of the rest."""

    hair: Tones
    skin: Tones
    iris: Tones
    cloth: Tones
    lash: Array
    brow: Array
    frame: Array
    background: Array


def palette(portrait: Portrait) -> Palette:
    """Return the colours of `portrait`: those of its factors, slightly varied."""
    rng = portrait.stream(Part.COLOURS)
    hair = tones(_near(rng, HAIR[portrait.hair_colour], 0.012, 0.06))
    skin = tones(_near(rng, SKIN[portrait.skin], 0.006, 0.025), SKIN_SHADE, SKIN_INK)
    iris = tones(_near(rng, IRIS[portrait.eye_colour], 0.01, 0.05), (0.55, 0.5, 0.6), (0.30, 0.24, 0.32))
    cloth = tones(_near(rng, CLOTHES[portrait.clothes_colour], 0.012, 0.05))
    frame = _near(rng, FRAME[portrait.frame], 0.01, 0.03)
    background = _near(rng, BACKGROUND[portrait.background], 0.015, 0.04)
    lash, brow = mix(LASH, hair.ink, 0.35), mix(hair.ink, hair.deep, 0.5)
    return Palette(
        hair=hair, skin=skin, iris=iris, cloth=cloth, lash=lash, brow=brow, frame=frame, background=background
    )


def _near(rng: Rng, code: int, turn: float, spread: float) -> Array:
    """Sample a colour near sRGB `code`, (3,) in [0, 255], with deviation `turn` of its hue and `spread` of the rest."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(float(code >> shift & 255) / 255 for shift in (16, 8, 0)))
    off = np.clip(rng.normal(size=3), -2, 2) * (turn, spread, spread)
    saturation, value = np.clip([saturation * (1 + off[1]), value * (1 + off[2])], 0, 1)
    return 255 * f32(colorsys.hsv_to_rgb((hue + off[0]) % 1, saturation, value))
