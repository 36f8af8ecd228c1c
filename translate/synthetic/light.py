"""Light: the linear RGB of sun, sky and haze, and the shading of surfaces."""

__all__ = ["MOODS", "Light", "rgb", "sample_light"]

from dataclasses import dataclass, field, replace

import numpy as np

from translate.synthetic.arrays import Array, f32


def rgb(code: int) -> Array:
    """Return linear RGB (3,) of an sRGB colour written 0xRRGGBB."""
    srgb = np.array([code >> 16, code >> 8 & 255, code & 255], np.float32) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


@dataclass(frozen=True)
class Light:
    """Weather and time of day.

    Attributes:
        sun: colour of direct sunlight on a surface that faces the sun.
        fill: colour of the light from the sky.
        zenith: radiance of the clear sky overhead.
        rim: radiance of the sky at the horizon; distant objects fade into this colour.
        haze: distance over which 63 % of the light of far things is lost, m.
        elevation: lowest and highest sun, degrees.
        key: how bright the picture is exposed (display linear mean).
        clouds: kinds of clouds that suit the light.
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
    to_sun: Array = field(default_factory=lambda: f32([0, 1, 0]))

    def shade(self, albedo: Array, normals: Array, openness: Array | float = 1.0, wrap: float = 0.3) -> Array:
        """Return the radiance of matt surfaces.

        Args:
            albedo: (3,) or (N, 3).
            normals: (N, 3) unit vectors (right, up, towards the camera).
            openness: share of the sky visible from each surface, in [0, 1].
            wrap: how far light wraps around the edge; 0 is a hard Lambert surface.

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
        """Return `colour` seen through `z` m of air."""
        clear = np.exp(-np.asarray(z, np.float32) / self.haze)[..., None]
        return colour * clear + self.rim * 0.92 * (1 - clear)


MOODS: dict[str, tuple[float, Light]] = {  # name: (frequency, light)
    "noon": (0.34, Light(
        sun=f32([1.10, 1.03, 0.92]), fill=f32([0.20, 0.27, 0.38]), zenith=f32([0.09, 0.23, 0.58]),
        rim=f32([0.52, 0.70, 0.88]), haze=3500, elevation=(35, 60), key=0.25,
        clouds=("cumulus", "cumulus", "cirrus", "clear"),
    )),
    "golden": (0.24, Light(
        sun=f32([1.25, 0.84, 0.44]), fill=f32([0.20, 0.23, 0.32]), zenith=f32([0.16, 0.28, 0.52]),
        rim=f32([0.96, 0.72, 0.44]), haze=1400, elevation=(11, 24), key=0.23,
        clouds=("cumulus", "cirrus", "stratus", "clear"),
    )),
    "grey": (0.16, Light(
        sun=f32([0.22, 0.22, 0.22]), fill=f32([0.52, 0.56, 0.60]), zenith=f32([0.42, 0.47, 0.53]),
        rim=f32([0.68, 0.71, 0.74]), haze=1300, elevation=(40, 60), key=0.22, clouds=("overcast", "stratus"),
    )),
    "mist": (0.12, Light(
        sun=f32([0.80, 0.68, 0.52]), fill=f32([0.36, 0.41, 0.48]), zenith=f32([0.36, 0.48, 0.66]),
        rim=f32([0.86, 0.81, 0.74]), haze=380, elevation=(14, 28), key=0.30, clouds=("cirrus", "clear", "stratus"),
    )),
    "dusk": (0.14, Light(
        sun=f32([0.90, 0.40, 0.20]), fill=f32([0.20, 0.20, 0.30]), zenith=f32([0.10, 0.14, 0.30]),
        rim=f32([0.96, 0.52, 0.30]), haze=1500, elevation=(6, 12), key=0.17, clouds=("stratus", "cirrus", "cumulus"),
    )),
}  # fmt: skip


def sample_light(rng: np.random.Generator) -> Light:
    """Sample a mood, the position of the sun, and a small variation of the colours."""
    names = list(MOODS)
    mood = MOODS[names[rng.choice(len(names), p=[MOODS[name][0] for name in names])]][1]
    height = np.radians(rng.uniform(*mood.elevation))
    azimuth = rng.uniform(-2.6, 2.6)  # 0 is straight ahead
    flat = np.cos(height)
    tint = f32(np.exp(rng.normal(0, 0.06, (4, 3))))
    return replace(
        mood,
        sun=mood.sun * tint[0],
        fill=mood.fill * tint[1],
        zenith=mood.zenith * tint[2],
        rim=mood.rim * tint[3],
        haze=mood.haze * rng.uniform(0.7, 1.5),
        key=mood.key * rng.uniform(0.9, 1.12),
        to_sun=f32([flat * np.sin(azimuth), np.sin(height), flat * np.cos(azimuth)]),
    )
