"""The camera and the light: where things fall on the picture, and how they are lit.

World coordinates are metres from the photographer's feet: x to the right, y up, z ahead. Colours are linear RGB.
"""

__all__ = ["MOODS", "Light", "View", "rgb", "sample_light"]

from dataclasses import dataclass

import numpy as np

from translate.render.arrays import Array, f32

FOCAL = 1.15  # picture heights: the field of view of a 30 mm lens on 35 mm film


def rgb(code: int) -> Array:
    """Linear RGB (3,) of an sRGB colour written 0xRRGGBB."""
    srgb = np.array([code >> 16, code >> 8 & 255, code & 255], np.float32) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


@dataclass(frozen=True)
class View:
    """A level camera over flat ground.

    Attributes:
        size: edge of the square picture, px.
        horizon: row of the horizon as a share of the height.
        eye: height of the camera over the ground, m.
    """

    size: int
    horizon: float
    eye: float

    def scale(self, z: float) -> float:
        """Pixels per metre at distance `z` m."""
        return FOCAL * self.size / z

    def row(self, z: float) -> float:
        """Row of the ground at distance `z` m, px."""
        return self.horizon * self.size + self.eye * self.scale(z)

    def column(self, x: float, z: float) -> float:
        """Column of a point `x` m to the right at distance `z` m, px."""
        return self.size / 2 + x * self.scale(z)

    def half_width(self, z: float) -> float:
        """Half the width of what is seen at distance `z`, m."""
        return 0.5 * z / FOCAL

    @property
    def first_row(self) -> int:
        """The first row of pixels that shows ground."""
        return int(np.ceil(self.horizon * self.size))

    def ground(self) -> tuple[Array, Array]:
        """World (x, z), m, of the ground under every pixel below the horizon, each (H - first_row, W)."""
        rows = np.arange(self.first_row, self.size, dtype=np.float32)[:, None] + 0.5
        z = FOCAL * self.eye / np.maximum(rows / self.size - self.horizon, 0.25 / self.size)
        across = ((np.arange(self.size, dtype=np.float32) + 0.5) / self.size - 0.5)[None]
        return across * z / FOCAL, np.repeat(z, self.size, 1)


@dataclass(frozen=True)
class Light:
    """Weather and time of day.

    Attributes:
        sun: colour of direct sunlight on a surface that faces it.
        fill: colour of the light from the sky.
        zenith: radiance of the clear sky overhead.
        rim: radiance of the sky at the horizon; far things fade into it.
        haze: distance over which 63 % of the light of far things is lost, m.
        elevation: lowest and highest sun, degrees.
        key: how bright the picture is exposed (display linear mean).
        clouds: cloud kinds that go with it.
        to_sun: unit vector to the sun (right, up, ahead).
    """

    sun: Array
    fill: Array
    zenith: Array
    rim: Array
    haze: float
    elevation: tuple[float, float]
    key: float
    clouds: tuple[str, ...]
    to_sun: Array

    def shade(self, albedo: Array, normals: Array, openness: Array | float = 1.0, wrap: float = 0.3) -> Array:
        """Radiance of matt surfaces.

        Args:
            albedo: (3,) or (N, 3).
            normals: (N, 3) unit vectors (right, up, towards the camera).
            openness: share of the sky that each sees, in [0, 1].
            wrap: how far light creeps round the edge; 0 is a hard Lambert surface.

        Returns:
            (N, 3) linear RGB.
        """
        sun = self.to_sun * f32([1, 1, -1])
        facing = (normals * sun).sum(-1, keepdims=True)
        direct = np.clip((facing + wrap) / (1 + wrap), 0, 1)
        above = 0.65 + 0.35 * normals[..., 1:2]
        seen = np.asarray(openness, np.float32).reshape(-1, 1)
        return albedo * (self.sun * direct * seen + self.fill * above * (0.35 + 0.65 * seen))

    def through_air(self, colour: Array, z: float | Array) -> Array:
        """`colour` seen through `z` m of air."""
        clear = np.exp(-np.asarray(z, np.float32) / self.haze)[..., None]
        return colour * clear + self.rim * 0.92 * (1 - clear)


def _mood(
    sun: tuple[float, ...],
    fill: tuple[float, ...],
    zenith: tuple[float, ...],
    rim: tuple[float, ...],
    haze: float,
    elevation: tuple[float, float],
    key: float,
    clouds: tuple[str, ...],
) -> Light:
    colours = [f32(c) for c in (sun, fill, zenith, rim)]
    return Light(*colours, haze, elevation, key, clouds, f32([0, 1, 0]))


MOODS: dict[str, tuple[float, Light]] = {  # name: (how often, light)
    "noon": (
        0.34,
        _mood(
            (1.10, 1.03, 0.92), (0.20, 0.27, 0.38), (0.09, 0.23, 0.58), (0.52, 0.70, 0.88),
            3500, (35, 60), 0.25, ("cumulus", "cumulus", "cirrus", "clear"),
        ),
    ),
    "golden": (
        0.24,
        _mood(
            (1.25, 0.84, 0.44), (0.20, 0.23, 0.32), (0.16, 0.28, 0.52), (0.96, 0.72, 0.44),
            1400, (11, 24), 0.23, ("cumulus", "cirrus", "stratus", "clear"),
        ),
    ),
    "grey": (
        0.16,
        _mood(
            (0.22, 0.22, 0.22), (0.52, 0.56, 0.60), (0.42, 0.47, 0.53), (0.68, 0.71, 0.74),
            1300, (40, 60), 0.22, ("overcast", "stratus"),
        ),
    ),
    "mist": (
        0.12,
        _mood(
            (0.80, 0.68, 0.52), (0.36, 0.41, 0.48), (0.36, 0.48, 0.66), (0.86, 0.81, 0.74),
            380, (14, 28), 0.30, ("cirrus", "clear", "stratus"),
        ),
    ),
    "dusk": (
        0.14,
        _mood(
            (0.90, 0.40, 0.20), (0.20, 0.20, 0.30), (0.10, 0.14, 0.30), (0.96, 0.52, 0.30),
            1500, (6, 12), 0.17, ("stratus", "cirrus", "cumulus"),
        ),
    ),
}  # fmt: skip


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a mood, a place of the sun and a little variation of its colours."""
    shares = np.array([share for share, _ in MOODS.values()])
    mood = list(MOODS.values())[rng.choice(len(shares), p=shares / shares.sum())][1]
    height = np.radians(rng.uniform(*mood.elevation))
    azimuth = rng.uniform(-2.6, 2.6)  # 0 is straight ahead
    flat = np.cos(height)
    to_sun = f32([flat * np.sin(azimuth), np.sin(height), flat * np.cos(azimuth)])
    tint = np.exp(rng.normal(0, 0.06, (4, 3))).astype(np.float32)
    return Light(
        mood.sun * tint[0],
        mood.fill * tint[1],
        mood.zenith * tint[2],
        mood.rim * tint[3],
        mood.haze * float(rng.uniform(0.7, 1.5)),
        mood.elevation,
        mood.key * float(rng.uniform(0.9, 1.12)),
        mood.clouds,
        to_sun,
    )
