"""Trees and hedges, built from dabs of leaves that are lit one by one."""

__all__ = ["TREES", "bush", "pine", "poplar", "round_tree", "treeline"]

from collections.abc import Callable

import numpy as np

from translate.synthetic.arrays import Array, f32
from translate.synthetic.landscapes.pen import Pen
from translate.synthetic.light import rgb

BARK = rgb(0x5A4A3A)
LEAF_RADIUS_M = 0.11  # m, radius of a dab of leaves
MIN_LEAF_RADIUS_PX = 0.62  # the smallest dab, px
MAX_DABS = 2800  # per tree or hedge
LEAF_TINTS = (0.16, 0.12, 0.16)  # deviation of log R, G, B from leaf to leaf
TRANSLUCENCY = 0.45  # how far light wraps around a crown


def _leaves(
    pen: Pen, rng: np.random.Generator, blobs: Array, albedo: Array, *, leaf: float = LEAF_RADIUS_M,
    crowns: Array | None = None,
) -> None:  # fmt: skip
    """Cover spheres with leaves, each lit by its place on its sphere and on the whole crown.

    Args:
        pen: stands at the foot of the plant.
        rng: where the leaves are.
        blobs: (K, 4): centre (right, up, towards the camera) and radius of each sphere, m.
        albedo: (3,) or (K, 3) colour of the leaves.
        leaf: radius of a dab, m.
        crowns: (K, 4) centre and radius of the crown that each sphere belongs to; None makes them one tree.
    """
    # as many dabs as cover the spheres, larger ones where there would be too many
    radius = max(leaf, MIN_LEAF_RADIUS_PX / pen.scale)
    counts = np.maximum(2.1 * (blobs[:, 3] / radius) ** 2, 3)
    counts = np.ceil(counts * min(1.0, MAX_DABS / float(counts.sum()))).astype(int)
    radius = max(radius, float(np.sqrt(2.0 * (blobs[:, 3] ** 2).sum() / counts.sum())))

    # their places, colours and sizes
    which = np.repeat(np.arange(len(blobs)), counts)
    of = blobs[which]
    direction = rng.standard_normal((len(of), 3), np.float32)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    spread = 0.62 + 0.55 * rng.random((len(of), 1), np.float32) ** 1.6  # most leaves inside, some sprigs out
    places = of[:, :3] + direction * of[:, 3:] * spread
    middle, reach = _crown(blobs) if crowns is None else (crowns[which, :3], crowns[which, 3:])
    tint = np.exp(rng.normal(0, LEAF_TINTS, (len(of), 3)) + rng.normal(0, 0.14, (len(of), 1)))
    albedo = np.broadcast_to(albedo, (len(blobs), 3))[which] * tint.astype(np.float32)
    colours = _leaf_radiance(pen, albedo, direction, (places - middle) / reach)

    # from far to near
    order = np.argsort(places[:, 2] + 0.3 * rng.standard_normal(len(of)) * of[:, 3])
    sizes = radius * rng.uniform(0.6, 1.25, len(of)).astype(np.float32)
    pen.dabs(places[order, :2], sizes[order], colours[order])


def _leaf_radiance(pen: Pen, albedo: Array, direction: Array, crown: Array) -> Array:
    """Return the radiance (N, 3) of leaves that face `direction`, at `crown` (N, 3), 0 in the middle and 1 outside."""
    normals = direction + 1.1 * crown
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    out = np.clip(np.linalg.norm(crown, axis=1), 0, 1)
    openness = np.clip(0.08 + 0.75 * out**2 + 0.25 * crown[:, 1], 0.05, 1)
    return pen.light.shade(albedo, normals, openness, wrap=TRANSLUCENCY)


def _crown(blobs: Array) -> tuple[Array, Array]:
    """Return middle and half extent, each (3,) m, of the box around all spheres."""
    low, high = (blobs[:, :3] - blobs[:, 3:]).min(0), (blobs[:, :3] + blobs[:, 3:]).max(0)
    return (low + high) / 2, (high - low) / 2


def _trunk(pen: Pen, rng: np.random.Generator, height: float, width: float, limbs: float = 0) -> None:
    """Draw a tapering trunk, lit from one side, with limbs that reach `limbs` heights out."""
    lean = rng.normal(0, 0.04) * height
    sides = f32([[-1, 0, 0.3], [1, 0, 0.3]])
    dark, bright = sorted(pen.light.shade(BARK, sides, 0.5), key=lambda c: float(c.sum()))
    if pen.light.to_sun[0] < 0:
        dark, bright = bright, dark
    foot, top = width / 2, width / 4
    pen.polygon([(-foot * 1.3, 0), (foot * 1.3, 0), (lean + top, height), (lean - top, height)], dark)
    pen.polygon([(0, 0), (foot * 1.3, 0), (lean + top, height), (lean, height)], bright)
    for start in rng.uniform(0.5, 0.9, int(limbs * 4)).tolist():
        side = rng.uniform(-1, 1) * limbs
        pen.line([(lean * start, height * start), (side * height, height * (start + 0.4))], dark, width * 0.35)


def round_tree(pen: Pen, rng: np.random.Generator, height: float, albedo: Array) -> None:
    """Draw an oak or a lime: a broad crown of several clumps on a short trunk."""
    _trunk(pen, rng, 0.5 * height, 0.05 * height, 0.5)
    count = int(rng.integers(9, 15))
    half = f32([rng.uniform(0.32, 0.46), 0.37, 0.36]) * height
    clumps = _sample_shell(rng, count, 0.3, 0.72) * half + f32([0, 0.62 * height, 0])
    radii = rng.uniform(0.28, 0.46, (count, 1)).astype(np.float32) * half[0]
    twigs = np.repeat(clumps, 3, 0) + _sample_shell(rng, 3 * count, 0.8, 1.1) * np.repeat(radii, 3, 0)
    tips = rng.uniform(0.10, 0.20, (3 * count, 1)).astype(np.float32) * half[0]
    blobs = np.vstack([np.hstack([clumps, radii]), np.hstack([twigs, tips])])
    _leaves(pen, rng, blobs, albedo)


def _sample_shell(rng: np.random.Generator, count: int, low: float, high: float) -> Array:
    """Sample points (count, 3) between the spheres of radius `low` and `high` around the origin."""
    direction = rng.standard_normal((count, 3)).astype(np.float32)
    return (
        direction
        / np.linalg.norm(direction, axis=1, keepdims=True)
        * rng.uniform(low, high, (count, 1)).astype(np.float32)
    )


def poplar(pen: Pen, rng: np.random.Generator, height: float, albedo: Array) -> None:
    """Draw a tall, slender column of leaves."""
    _trunk(pen, rng, 0.4 * height, 0.03 * height)
    t = np.linspace(0.10, 0.96, 20).astype(np.float32)
    girth = height * (0.022 + 0.052 * np.sin(np.pi * t**0.7)) * rng.uniform(0.8, 1.25, 20).astype(np.float32)
    side = rng.normal(0, 0.45, (2, 20)).astype(np.float32) * girth
    _leaves(pen, rng, np.stack([side[0], t * height, side[1], girth], 1), albedo)


def pine(pen: Pen, rng: np.random.Generator, height: float, albedo: Array) -> None:
    """Draw a fir: tiers that narrow to a tip, darker and bluer than other trees."""
    _trunk(pen, rng, 0.35 * height, 0.04 * height)
    blobs = []
    for t in np.linspace(0.12, 0.99, 16):
        spread = 0.24 * height * (1.02 - t)
        for angle in rng.uniform(0, 2 * np.pi, 2 + round(4 * (1 - t))):
            reach = 0.75 * spread
            place = (reach * np.cos(angle), height * (t - 0.1 * (1 - t)), reach * np.sin(angle))
            blobs.append((*place, 0.36 * spread + 0.010 * height))
    _leaves(pen, rng, f32(blobs), albedo * f32([0.62, 0.78, 0.95]), leaf=0.7 * LEAF_RADIUS_M)


def bush(pen: Pen, rng: np.random.Generator, height: float, albedo: Array) -> None:
    """Draw a low, wide shrub."""
    count = int(rng.integers(4, 8))
    x = rng.uniform(-0.7, 0.7, count) * height
    radius = rng.uniform(0.3, 0.45, count) * height
    _leaves(pen, rng, np.stack([x, radius * 1.1, rng.uniform(-0.3, 0.3, count) * height, radius], 1), albedo)


def treeline(pen: Pen, rng: np.random.Generator, left: float, right: float, height: float, albedo: Array) -> None:
    """Draw a wood or a hedge seen from afar, from `left` to `right` m of where the pen stands."""
    count = max(3, round((right - left) / (0.45 * height)))
    x = np.linspace(left, right, count) + rng.normal(0, 0.25 * height, count)
    tall = height * np.exp(rng.normal(-0.25, 0.30, count))
    size = tall * rng.uniform(0.28, 0.45, count)
    depth = rng.normal(0, height, count)
    tops = np.stack([x, tall - size, depth, size], 1)
    skirts = np.stack([x + rng.normal(0, 0.5, count) * size, 0.5 * size + 0.12 * tall, depth, 0.9 * size], 1)
    crowns = np.stack([x, 0.55 * tall, depth, 0.6 * tall], 1)
    tints = albedo * np.exp(rng.normal(0, 0.16, (count, 1)))
    both = [np.concatenate(p).astype(np.float32) for p in ((tops, skirts), (tints, tints), (crowns, crowns))]
    _leaves(pen, rng, both[0], both[1], leaf=0.05 * height + LEAF_RADIUS_M, crowns=both[2])


TREES: dict[str, Callable[..., None]] = {
    "round": round_tree,
    "poplar": poplar,
    "pine": pine,
    "bush": bush,
}
