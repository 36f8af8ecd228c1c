"""The photo studio: a product on a white ground, lit by a key light, light boxes and a white room."""

__all__ = ["Studio"]

import cv2
import numpy as np

from translate.synthetic.arrays import Array, Picture, f32
from translate.synthetic.noise import blur, smoothstep
from translate.synthetic.products.material import MATERIALS, Material, grain
from translate.synthetic.products.palette import Look
from translate.synthetic.products.product import Product

NOISE = 0.006  # of the sensor, standard deviation of display values
MAX_SLOPE = 6.0  # slopes beyond it look like jagged edges
LENS_BLUR_PX = 0.5  # px of the canvas, blur of the lens
KNEE, FOG = 0.6, 0.08  # where highlights begin to be compressed, and how far below the white floor they stay
KEY_LIGHT_COLOUR = f32([1.02, 1.0, 0.975])  # colour of the key light


class Studio:
    """A studio for photos of one product in several looks, with shared computations done once."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.at = np.flatnonzero(product.cover.ravel() > 0)
        self.row, self.column = np.divmod(self.at, product.edge)
        self.label = self._labels()
        self.slope = np.clip(product.slope.reshape(2, -1)[:, self.at], -MAX_SLOPE, MAX_SLOPE)
        self.open = product.open.ravel()[self.at]
        self.floor = _floor(product)

    def photograph(self, look: Look, rng: np.random.Generator) -> Picture:
        """Take one photo, (size, size, 3) uint8 RGB.

        Args:
            look: the paint of every role of the product, and of "thread".
            rng: of the light, the offset of the grain and the noise of the sensor.
        """
        product = self.product
        paints = [look[part.role] for part in product.parts]
        colours = f32([[0, 0, 0]] + [p.colour * part.tone for p, part in zip(paints, product.parts, strict=True)])
        albedo = colours.clip(0, 0.95)[self.label]
        materials = [MATERIALS[p.material] for p in paints]
        across, down = self.slope.copy()
        self._add_grain(materials, across, down, albedo, rng)
        surface = f32([[0] * 5] + [[m.gloss, m.sharp, m.mirror, m.sheen, m.metal] for m in materials])[self.label].T
        radiance = _light(across, down, self.open, albedo, surface, _key_light(rng))
        canvas = np.repeat(self.floor[..., None], 3, 2).reshape(-1, 3)
        cover = product.cover.ravel()[self.at][:, None]
        canvas[self.at] += cover * (radiance - canvas[self.at])
        return self._develop(canvas.reshape(product.edge, product.edge, 3), rng)

    def parts_map(self, roles: dict[str, int]) -> Picture:
        """Return (size, size) uint8: the number in `roles` of the visible part at each pixel; 0 for all others."""
        numbers = np.array([0] + [roles.get(part.role, 0) for part in self.product.parts], np.uint8)
        shape = (self.product.size,) * 2
        return cv2.resize(numbers[self.product.label], shape, interpolation=cv2.INTER_NEAREST)

    def _labels(self) -> Array:
        """Return the labels of the covered pixels; edge pixels without a label get that of a neighbour."""
        label = self.product.label
        spread = np.where(label > 0, label, cv2.dilate(label, np.ones((5, 5), np.uint8)))
        return spread.ravel()[self.at]

    def _add_grain(
        self, materials: list[Material], across: Array, down: Array, albedo: Array, rng: np.random.Generator
    ) -> None:
        """Add the grain of each material to the slopes and the colours of its pixels, in place."""
        shifts = rng.integers(0, 1 << 12, (len(MATERIALS), 2))
        for material in {id(m): m for m in materials}.values():
            if not material.bump:
                continue
            has_material = np.array([False] + [m is material for m in materials])
            here = np.flatnonzero(has_material[self.label])
            tile_across, tile_down, tone = grain(material.grain, self.product.edge)
            side, shift = len(tone), shifts[list(MATERIALS.values()).index(material)]
            there = (self.row[here] + shift[0]) % side * side + (self.column[here] + shift[1]) % side
            across[here] += np.float32(material.bump) * tile_across.ravel()[there]
            down[here] += np.float32(material.bump) * tile_down.ravel()[there]
            albedo[here] *= 1 + np.float32(0.6 * material.mottle) * tone.ravel()[there][:, None]

    def _develop(self, canvas: Array, rng: np.random.Generator) -> Picture:
        """Apply lens, shoulder of the tone curve, sRGB and noise."""
        size = self.product.size
        seen = cv2.resize(blur(canvas, LENS_BLUR_PX * self.product.dot), (size, size), interpolation=cv2.INTER_AREA)
        seen = np.minimum(seen, 1)
        shown = cv2.pow(np.maximum(seen, 1e-5), 1 / 2.2) * 255
        shown += (NOISE * 255) * rng.standard_normal((size, size, 3), np.float32)
        return np.clip(shown + 0.5, 0, 255).astype(np.uint8)


def _key_light(rng: np.random.Generator) -> Array:
    """Sample the direction of the key light: upper left, in front; it differs a little from photo to photo."""
    light = f32([-0.42 + rng.uniform(-0.15, 0.15), -0.72, 0.62 + rng.uniform(-0.06, 0.06)])
    return light / np.linalg.norm(light)


def _light(across: Array, down: Array, open_: Array, albedo: Array, surface: Array, key: Array) -> Array:
    """Return the radiance (N, 3) of N points.

    Wrapped Lambert and a white hemisphere; Blinn's highlight of the key light; one light box overhead and one at the
    side as glossy surfaces reflect them, with Schlick's Fresnel factor; sheen at grazing angles.
    """
    gloss, sharp, mirror, sheen, metal = surface
    nz = 1 / np.sqrt(1 + across * across + down * down)
    nx, ny = -across * nz, -down * nz
    facing = np.clip((nx * key[0] + ny * key[1] + nz * key[2]) * 0.74 + 0.26, 0, 1)
    half = (key + f32([0, 0, 1])) / np.linalg.norm(key + f32([0, 0, 1]))
    glint = np.maximum(nx * half[0] + ny * half[1] + nz * half[2], 1e-4)
    matt = open_ * (0.29 - 0.27 * ny + 0.74 * facing)
    up, side = -2 * nz * ny, -2 * nz * nx  # where the mirrored ray goes
    boxes = smoothstep(0.55, 0.72, up) * smoothstep(1.02, 0.9, up) * smoothstep(0.85, 0.55, np.abs(side))
    boxes = boxes + 0.5 * smoothstep(0.62, 0.75, side) * smoothstep(1.02, 0.93, side)
    edge = (1 - nz) ** 3  # how far the surface turns away
    shine = open_ * (gloss * np.exp(sharp * np.log(glint)) + mirror * (boxes * 0.55 + 0.10 + 0.5 * edge))
    tinted = shine * metal
    diffuse = matt * (1 - 0.35 * edge) * (1 - 0.65 * metal) + 1.6 * tinted
    glow = shine - tinted + open_ * edge * (0.04 + 0.35 * sheen)
    radiance = albedo * diffuse[:, None] * KEY_LIGHT_COLOUR + glow[:, None]
    return np.where(
        radiance > KNEE, 1 - FOG - (1 - FOG - KNEE) * np.exp((KNEE - radiance) / (1 - FOG - KNEE)), radiance
    )


def _floor(product: Product) -> Array:
    """Return the white floor (edge, edge) with the shadow of the product where it touches, or nearly touches."""
    edge, dot = product.edge, product.dot
    covered = product.cover > 0.5
    rows = np.arange(edge, dtype=np.float32)[:, None]
    bottom = np.where(covered.any(0), edge - 1 - np.argmax(covered[::-1], 0), -1).astype(np.float32)
    ground = float(bottom.max())
    gap = np.where(bottom >= 0, ground - bottom, 1e6)[None] / dot
    touch = blur(np.exp(-gap / 2.5), 3 * dot)
    near = blur(np.exp(-gap / 14), 12 * dot)
    depth = (rows - ground) / dot
    shadow = 0.62 * touch * np.exp(-(((depth - 1) / 3.5) ** 2)) + 0.34 * near * np.exp(-(((depth - 4) / 11) ** 2))
    return f32(1 - np.clip(shadow, 0, 0.85))
