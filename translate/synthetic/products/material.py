"""Materials of products: the reflection and the grain of their surfaces."""

__all__ = ["MATERIALS", "Material", "grain"]

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.products.relief import slopes

TILE = 256  # px of a 512 px canvas, edge of the repeating tile


@dataclass(frozen=True, kw_only=True)
class Material:
    """The reflection and the grain of a surface.

    Attributes:
        gloss: strength of the highlight of the key light.
        sharp: Blinn's exponent of the highlight.
        mirror: strength of the reflection of the studio's light boxes.
        sheen: light that fibres scatter at grazing angles.
        metal: share of the reflection that has the colour of the surface.
        grain: name of the tile, see `grain`.
        bump: slope of the grain, standard deviation.
        mottle: strength of the grain in the colour, [0, 1].
    """

    gloss: float = 0.0
    sharp: float = 10.0
    mirror: float = 0.0
    sheen: float = 0.0
    metal: float = 0.0
    grain: str = "smooth"
    bump: float = 0.0
    mottle: float = 0.0


MATERIALS = {
    "leather": Material(gloss=0.20, sharp=22, mirror=0.10, grain="pebbles", bump=0.055, mottle=0.04),
    "smooth": Material(gloss=0.30, sharp=36, mirror=0.20, grain="fine", bump=0.025, mottle=0.03),
    "patent": Material(gloss=0.75, sharp=140, mirror=0.75, grain="smooth"),
    "suede": Material(gloss=0.02, sharp=5, sheen=0.30, grain="nap", bump=0.10, mottle=0.13),
    "nubuck": Material(gloss=0.04, sharp=8, sheen=0.18, grain="fine", bump=0.10, mottle=0.10),
    "canvas": Material(gloss=0.02, sharp=6, sheen=0.08, grain="weave", bump=0.22, mottle=0.16),
    "satin": Material(gloss=0.30, sharp=14, mirror=0.22, sheen=0.20, grain="fine", bump=0.03, mottle=0.02),
    "knit": Material(gloss=0.02, sharp=5, sheen=0.12, grain="knit", bump=0.30, mottle=0.22),
    "mesh": Material(gloss=0.05, sharp=10, sheen=0.06, grain="mesh", bump=0.22, mottle=0.45),
    "croc": Material(gloss=0.50, sharp=60, mirror=0.40, grain="scales", bump=0.35, mottle=0.22),
    "straw": Material(gloss=0.05, sharp=10, grain="basket", bump=0.40, mottle=0.40),
    "cork": Material(gloss=0.02, sharp=6, grain="crumbs", bump=0.15, mottle=0.40),
    "wood": Material(gloss=0.20, sharp=30, mirror=0.10, grain="rings", bump=0.03, mottle=0.25),
    "rubber": Material(gloss=0.10, sharp=14, mirror=0.04, grain="fine", bump=0.04, mottle=0.03),
    "foam": Material(gloss=0.05, sharp=9, sheen=0.05, grain="fine", bump=0.06, mottle=0.04),
    "elastic": Material(gloss=0.03, sharp=8, sheen=0.06, grain="ribs", bump=0.30, mottle=0.25),
    "cord": Material(gloss=0.03, sharp=8, sheen=0.08, grain="weave", bump=0.20, mottle=0.15),
    "metal": Material(gloss=0.90, sharp=50, mirror=0.90, metal=0.85),
    "lining": Material(gloss=0.02, sharp=6, grain="fine", bump=0.05, mottle=0.05),
}


@lru_cache(maxsize=64)
def grain(name: str, edge: int) -> tuple[Array, Array, Array]:
    """Return the tile of a grain for a canvas `edge` px wide; its opposite edges meet.

    Returns:
        Its slope to the right and downwards, of standard deviation 1, and its tone, of mean 0 and deviation 1.
    """
    tile = GRAINS[name]()
    side = max(16, round(TILE * edge / 512))
    if side != TILE:
        tile = cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA if side < TILE else cv2.INTER_CUBIC)
    ring = np.pad(tile, 4, mode="wrap")
    across, down = (slope[4:-4, 4:-4] for slope in slopes(ring))
    steepness = max(float(np.sqrt((across**2 + down**2).mean())), 1e-6)
    tone = (tile - tile.mean()) / max(float(tile.std()), 1e-6)
    return across / steepness, down / steepness, np.clip(tone, -2.5, 2.5)


def _noise(sigma: float, seed: int, squeeze: float = 1.0) -> Array:
    """Return white noise blurred by `sigma` px, and by `squeeze` times that to the right."""
    white = np.random.default_rng(seed).standard_normal((TILE, TILE), np.float32)
    tile = _soften(white, sigma, squeeze)
    return tile / tile.std()


def _soften(tile: Array, sigma: float, squeeze: float = 1.0) -> Array:
    """Blur a tile whose opposite edges meet with a Gaussian."""
    pad = int(4 * sigma * max(squeeze, 1)) + 1
    ring = cv2.GaussianBlur(np.pad(tile, pad, mode="wrap"), (0, 0), sigmaX=sigma * squeeze, sigmaY=sigma)
    return ring[pad:-pad, pad:-pad]


def _cells(count: int, seed: int, squeeze: float = 1.0) -> Array:
    """Return domes over the cells of scattered points (S. Worley, "A cellular texture basis function", 1996)."""
    rng = np.random.default_rng(seed)
    per_side = round(np.sqrt(count))
    lattice = np.stack(np.meshgrid(np.arange(per_side), np.arange(per_side)), -1).reshape(-1, 2)
    spots = (lattice + 0.5 + rng.uniform(-0.42, 0.42, lattice.shape)) * TILE / per_side
    far = np.ones((3 * TILE, 3 * TILE), np.uint8)
    columns, rows = spots.astype(int).T
    for i in range(3):
        for j in range(3):
            far[rows + i * TILE, columns + j * TILE] = 0
    distance = cv2.distanceTransform(far, cv2.DIST_L2, 5)[TILE : 2 * TILE, TILE : 2 * TILE]
    return _soften(-(distance**1.6), 0.8)


def _lattice() -> tuple[Array, Array]:
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32) * np.float32(2 * np.pi / TILE)
    return x, y


def _weave() -> Array:
    x, y = _lattice()
    over = np.sin(24 * x) * np.sin(24 * y) > 0
    return _soften(f32(np.where(over, np.abs(np.cos(24 * x)), np.abs(np.cos(24 * y)))), 0.8) + 0.25 * _noise(1.0, 3)


def _knit() -> Array:
    x, y = _lattice()
    wale = 20 * x
    return np.abs(np.sin(wale)) * (0.6 + 0.4 * np.sin(32 * y + 2.2 * np.abs(np.cos(wale)))) + 0.1 * _noise(1.0, 4)


def _mesh() -> Array:
    x, y = _lattice()
    holes = np.maximum(np.cos(26 * x) * np.cos(13 * y), np.sin(26 * x) * np.sin(13 * y))
    return -np.clip(holes - 0.45, 0, 1) + 0.03 * _noise(1.0, 5)


def _basket() -> Array:
    x, y = _lattice()
    over = np.sin(11 * x) * np.sin(11 * y) > 0
    return _soften(f32(np.where(over, np.sin(11 * x) ** 2, np.sin(11 * y) ** 2)), 1.0) + 0.2 * _noise(1.2, 6)


def _rings() -> Array:
    _, y = _lattice()
    return f32(np.sin(14 * y + 0.8 * _noise(8, 7, 4))) + 0.3 * _noise(0.8, 8, 8)


GRAINS = {
    "smooth": lambda: np.zeros((TILE, TILE), np.float32),
    "fine": lambda: _noise(1.6, 1) + 0.6 * _noise(6, 9),
    "nap": lambda: _noise(1.1, 2) + 1.2 * _noise(4, 10, 1.6),
    "pebbles": lambda: _cells(2600, 11),
    "scales": lambda: _cells(180, 12),
    "weave": _weave,
    "knit": _knit,
    "mesh": _mesh,
    "basket": _basket,
    "crumbs": lambda: _cells(2500, 13) * 0.1 + _noise(1.5, 14),
    "rings": _rings,
    "ribs": lambda: f32(np.sin(40 * _lattice()[0])) + 0.1 * _noise(1.0, 15),
}
