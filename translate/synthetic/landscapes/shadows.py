"""Shadows of objects and of clouds on the ground."""

__all__ = ["cloud_shadows", "thing_shadows"]

import cv2
import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.landscapes.pen import BITS, UNIT
from translate.synthetic.landscapes.site import Site, Thing
from translate.synthetic.light import Light
from translate.synthetic.noise import blur, fbm, smoothstep

OUTLINE_POINTS = 28  # of the outline of a shadow
LOWEST_SUN = 0.12  # sine of the elevation below which shadows do not grow further
TREE_SHADE = 0.9  # share of sunlight that a tree blocks
CLOUD_SHADE = 0.65  # share of sunlight that a cloud blocks


def thing_shadows(rng: np.random.Generator, site: Site, things: list[Thing]) -> Array:
    """Return the share of sunlight that the things block from the ground, (h, W) in [0, 1]."""
    view = site.view
    mask = np.zeros((view.size, view.size), np.uint8)
    for thing in things:
        if thing.width:
            outline = _outline(thing, site.light)
            z = np.maximum(outline[:, 1], 0.6 * view.eye)  # nothing behind the camera
            places = np.stack([view.column(outline[:, 0], z), view.row(z)], 1)
            hull = cv2.convexHull(np.round(places * UNIT).astype(np.int32))
            cv2.fillPoly(mask, [hull], 255, cv2.LINE_AA, BITS)
    soft = blur(f32(mask[view.first_row :]) / 255, 0.006 * view.size)
    leaves = fbm(rng, soft.shape, cells=40, octaves=2, stretch=2.5)
    return TREE_SHADE * smoothstep(0.15, 0.75, soft + 0.12 * leaves * (soft > 0.02))


def _outline(thing: Thing, light: Light) -> Array:
    """Return world (2 CORNERS, 2) around the shadow of an ellipsoid that stands on the ground."""
    angle = np.linspace(0, 2 * np.pi, OUTLINE_POINTS, endpoint=False)
    reach = -thing.height * light.to_sun[[0, 2]] / max(float(light.to_sun[1]), LOWEST_SUN)
    round_foot = 0.4 * thing.width * np.stack([np.cos(angle), np.sin(angle)], 1)
    body = round_foot + 0.5 * (1 + np.cos(angle)[:, None]) * reach
    return np.concatenate([body, 0.3 * round_foot]) + (thing.x, thing.z)  # it always touches the foot


def cloud_shadows(rng: np.random.Generator, site: Site) -> Array:
    """Return the shade of clouds on distant ground, (h, W) in [0, 1]."""
    drift = fbm(rng, site.z.shape, cells=2, octaves=4, gain=0.5, stretch=5)
    patches = CLOUD_SHADE * smoothstep(0.1, 0.9, drift) * smoothstep(15.0, 60.0, site.z)
    return patches * np.float32(rng.random() < 0.6)
