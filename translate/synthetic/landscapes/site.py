"""The empty ground on which a scene is planned, and the objects on it."""

__all__ = ["Plan", "Site", "Thing"]

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.landscapes.pen import Pen
from translate.synthetic.landscapes.perspective import FOCAL, View
from translate.synthetic.landscapes.terrain import ground_grain
from translate.synthetic.landscapes.trees import TREES, treeline
from translate.synthetic.light import Light, rgb

Rng = np.random.Generator

GREENS = [rgb(c) for c in (0x7C9448, 0x8A9C4A, 0x6B8A44, 0x98A052, 0x74904E)]
DRY_GRASS = rgb(0xA89858)
LEAVES = {  # season: colours of foliage
    "spring": [rgb(c) for c in (0x86A04A, 0x94A850, 0x7A9848, 0x8CA460)],
    "summer": [rgb(c) for c in (0x64843C, 0x587A3A, 0x728C42, 0x4E7038, 0x6C8A48)],
    "autumn": [rgb(c) for c in (0xB88A38, 0xA8642C, 0x8A8840, 0xC49C40, 0x6C7C3C)],
}
BLOSSOM = [rgb(c) for c in (0xE0B8BC, 0xE4DCD4)]  # of fruit trees in spring
SEASONS = {"spring": 0.25, "summer": 0.5, "autumn": 0.25}
SPECIES = ("round", "round", "poplar", "bush", "pine")
TREE_HEIGHTS_M = {"round": 9.0, "poplar": 14.0, "pine": 12.0, "bush": 1.8}  # m
TREE_WIDTHS = {"round": 0.8, "poplar": 0.18, "pine": 0.4, "bush": 1.8}  # heights
DRY_TINT = f32([1.22, 1.02, 0.8])  # the tint of dry patches


@dataclass(frozen=True)
class Thing:
    """An object on the ground `x` m right and `z` m ahead.

    Attributes:
        draw: draws the object where the pen stands.
        x: metres to the right.
        z: metres ahead.
        width: of the body that casts its shadow, m; 0 casts none.
        height: m.
    """

    draw: Callable[[Pen, Rng], None]
    x: float
    z: float
    width: float = 0.0
    height: float = 0.0


@dataclass
class Plan:
    """A landscape before it is lit. Arrays cover the rows below the horizon.

    Attributes:
        albedo: (h, W, 3) colour of the ground.
        grass: (h, W) density of grass.
        water: (h, W) share of the pixel that is water.
        things: on the ground.
        blade: height of the grass, m.
        blossoms: (K, 3) colours of flowers, or None.
        abundance: share of the blades that flower.
        calm: 1 for still water, 0 for a breeze.
        lilies: world (N, 2) of lily pads, m, or None.
    """

    albedo: Array
    grass: Array
    water: Array
    things: list[Thing] = field(default_factory=list)
    blade: float = 0.3
    blossoms: Array | None = None
    abundance: float = 0.0
    calm: float = 0.7
    lilies: Array | None = None


class Site:
    """A grid of ground under a camera, with its season, its grass and its trees."""

    def __init__(self, rng: Rng, view: View, light: Light) -> None:
        self.rng, self.view, self.light = rng, view, light
        self.x, self.z = view.ground()
        self.near = float(self.z[-1, 0])  # m, the nearest ground in the picture
        self.grain = ground_grain(rng, self.x, self.z, view)
        self.patches = ground_grain(rng, self.x * 0.12, self.z * 0.12, view)
        self.season = str(rng.choice(list(SEASONS), p=list(SEASONS.values())))
        self.leaves = LEAVES[self.season]
        self.species = [*rng.choice(SPECIES, 2).tolist(), "round"]
        self.green = GREENS[rng.integers(len(GREENS))] * np.float32(rng.uniform(0.85, 1.1))
        if self.season == "autumn":
            self.green = self.green * 0.6 + DRY_GRASS * 0.4

    def soft(self, distance: Array, width: float = 0.15) -> Array:
        """Return 1 where `distance` (m on the ground) is negative, 0 beyond; soft over `width` m or a pixel."""
        pixel = self.z / (FOCAL * self.view.size)
        return np.clip(0.5 - distance / (width + 1.5 * pixel), 0, 1)

    def mottle(self, colour: Array, contrast: float = 0.22) -> Array:
        """Return `colour` (3,) with the grain and the patches of real ground, (h, W, 3)."""
        dry = np.clip(0.5 * self.patches, -0.6, 1)[..., None]
        return np.exp(contrast * self.grain)[..., None] * colour * (1 + (DRY_TINT - 1) * dry)

    def band_distance(self, width: float, bend: float) -> Array:
        """Return the signed distance (h, W), m, to the edge of a band `width` m wide that winds into the distance."""
        start, goal = self.rng.uniform(-0.6, 0.6) * self.near / FOCAL, self.rng.uniform(-0.35, 0.35)
        beyond = self.z - self.near
        swing = bend * np.clip(beyond, 0, 400) ** 0.85
        middle = start + goal * beyond + swing * np.sin(2.2 * np.log(self.z) + self.rng.uniform(0, 6.3))
        return np.abs(self.x - middle) - width / 2 * (1 + 0.12 * self.patches)

    def across(self, z: float, reach: float = 0.8) -> float:
        """Sample x, m, within `reach` of the picture's half width at distance `z`."""
        return float(self.rng.uniform(-reach, reach)) * self.view.half_width(z)

    def at(self, mask: Array, x: float, z: float) -> float:
        """Return the value of a ground mask at world (x, z); 0 off the picture."""
        row = int(self.view.row(z)) - self.view.first_row
        column = int(self.view.column(x, z))
        inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
        return float(mask[row, column]) if inside else 0.0

    def tree(self, x: float, z: float, kind: str = "", height: float = 0.0) -> Thing:
        """Return a tree in its season's colours; of the scene's species and of usual height, unless these are given."""
        rng = self.rng
        kind = kind or str(rng.choice(self.species))
        height = height or TREE_HEIGHTS_M[kind] * float(rng.uniform(0.65, 1.2))
        leaf = self.leaves[rng.integers(len(self.leaves))] * np.float32(rng.uniform(0.75, 1.1))
        if self.season == "spring" and kind == "round" and rng.random() < 0.3:
            leaf, height = BLOSSOM[rng.integers(len(BLOSSOM))], 0.6 * height
        draw = partial(TREES[kind], height=height, albedo=leaf)
        return Thing(draw, x, z, height * TREE_WIDTHS[kind], height)

    def scatter(self, count: int, near: float, far: float, forbidden: Array | None = None) -> list[Thing]:
        """Scatter up to `count` trees between `near` and `far` m, evenly over the picture, off `forbidden` ground."""
        things = []
        for _ in range(count):
            z = near * (far / near) ** self.rng.random()
            x = self.across(z, 1.1)
            if forbidden is None or self.at(forbidden, x, z) < 0.05:
                things.append(self.tree(x, z))
        return things

    def wood(self, z: float, left: float = -1.2, right: float = 1.2, height: float = 9.0) -> Thing:
        """Return a belt of trees across the picture between two shares of its half width."""
        half = self.view.half_width(z)
        leaf = self.leaves[self.rng.integers(3)] * np.float32(0.8)
        return Thing(partial(treeline, left=left * half, right=right * half, height=height, albedo=leaf), 0.0, z)
