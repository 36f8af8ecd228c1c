"""Parts of compositions: far fields, rows, paths, shores, cottages, reeds, lilies.

Each function takes a `Site` and samples positions and sizes from the site's random generator.
"""

__all__ = [
    "background", "cottage", "crossing", "far_fields", "flower", "path", "rafts", "reeds", "rows", "shore",
]  # fmt: skip

from functools import partial

import numpy as np

from translate.synthetic.arrays import Array
from translate.synthetic.landscapes import buildings as built
from translate.synthetic.landscapes.perspective import FOCAL
from translate.synthetic.landscapes.site import Plan, Site, Thing
from translate.synthetic.landscapes.vegetation import reeds as draw_reeds
from translate.synthetic.light import rgb

CROPS = [rgb(c) * 0.9 for c in (0x8A9C4A, 0xC8B464, 0x6A8444, 0xA89060, 0xD8C84C, 0x7C9460)]
SAND = rgb(0xC8B088)
FLOWERS = [
    np.stack([rgb(c) for c in colours])
    for colours in (
        (0xD8402C, 0xE04830, 0xC83428),  # poppies
        (0xF4F0E4, 0xF0ECE0, 0xF4E070),  # daisies
        (0xF0D040, 0xE8C838, 0xF4E488),  # buttercups
        (0x9A78C0, 0xB090D0, 0xF0ECF4),  # bellflowers
        (0xE890A8, 0xF0B8C4, 0xF4F0E8),  # mallows
    )
]


def far_fields(site: Site, albedo: Array) -> Array:
    """Add fields of other crops behind the near one."""
    rng, edge = site.rng, site.rng.uniform(60, 110)
    for _ in range(4):
        slope = rng.uniform(-0.25, 0.25)
        crop = site.mottle(CROPS[rng.integers(len(CROPS))], 0.12)
        beyond = 1 - site.soft(site.z + slope * site.x - edge, 2.0)
        albedo = albedo + (crop - albedo) * beyond[..., None]
        edge *= rng.uniform(1.3, 2.0)
    return albedo


def rows(site: Site, ridge: Array, furrow: Array, *, spacing: float, depth: float) -> Plan:
    """Plan a field of parallel rows `spacing` m apart; `depth` is how much of `furrow` shows between them."""
    turn = float(site.rng.uniform(-0.5, 0.5))
    across = (site.x * np.float32(np.cos(turn)) + site.z * np.float32(np.sin(turn))) / spacing
    pixel = site.z / (FOCAL * site.view.size * spacing)
    rows = np.sin(2 * np.pi * across + 0.6 * site.grain) * np.clip(1.4 - 3.5 * pixel, 0, 1)
    share = np.clip(depth * (1 - rows) - 0.1, 0, 1)[..., None]
    albedo = site.mottle(ridge, 0.16) * (1 - share) + site.mottle(furrow, 0.2) * share
    return Plan(far_fields(site, albedo), np.clip(0.7 + rows, 0, 1), np.zeros_like(site.z), background(site))


def background(site: Site) -> list[Thing]:
    """Return belts of trees far away, so that the ground does not end in a straight line."""
    rng = site.rng
    things = [site.wood(rng.uniform(380, 700), height=rng.uniform(9, 15))]
    for _ in range(int(rng.integers(1, 4))):
        left = rng.uniform(-1.3, 0.7)
        things.append(site.wood(rng.uniform(110, 320), left, left + rng.uniform(0.3, 1.2), rng.uniform(4, 9)))
    return things


def flower(site: Site, plan: Plan, abundance: float) -> None:
    """Add one kind of flower to a plan; in the distance, where flowers are below a pixel, it only tints the ground."""
    plan.blossoms, plan.abundance = FLOWERS[site.rng.integers(len(FLOWERS))], abundance
    veil = np.clip(0.25 + 0.4 * site.patches, 0, 0.6) * abundance * plan.grass * (site.z < 120)
    plan.albedo = plan.albedo + (plan.blossoms[0] - plan.albedo) * veil[..., None]


def path(site: Site, albedo: Array, grass: Array) -> tuple[Array, Array]:
    """Add a cart track, two ruts of sand with grass between them; return the new albedo and cover of grass."""
    distance = site.band_distance(site.rng.uniform(1.6, 3.0), 0.05)
    track = site.soft(distance + 0.12 * site.grain, 0.3)
    middle = site.soft(np.abs(distance + 1.1) - 0.3 + 0.1 * site.grain, 0.3) * 0.6
    bare = (track * (1 - middle))[..., None]
    return albedo + (site.mottle(SAND, 0.28) - albedo) * bare, grass * (1 - track)


def cottage(site: Site, forbidden: Array | None = None) -> list[Thing]:
    """Return a cottage with trees and shrubs beside it; nothing if its ground is `forbidden`."""
    rng, z = site.rng, site.rng.uniform(35, 90)
    x, length = site.across(z, 0.75), rng.uniform(8, 12)
    if forbidden is not None and max(site.at(forbidden, x + side * length, z) for side in (-1, 0, 1)) > 0.05:
        return []
    beside = [site.tree(x + side * rng.uniform(7, 12), z + 4, "round") for side in (-1, 1)]
    shrubs = [site.tree(x + rng.uniform(-6, 8), z - 1.5, "bush", 1.1) for _ in range(2)]
    return [Thing(partial(built.cottage, length=length), x, z, length, 0.6 * length), *beside, *shrubs]


def crossing(site: Site, water: Array, z: float) -> list[Thing]:
    """Return a bridge over the water `z` m away; nothing if there is no water."""
    row = min(int(site.view.row(z)) - site.view.first_row, len(water) - 1)
    wet = site.x[row, water[row] > 0.5]
    if not len(wet):
        return []
    draw = built.footbridge if site.rng.random() < 0.4 else built.stone_bridge
    return [Thing(partial(draw, span=float(np.ptp(wet)) + 3.0), float(wet.mean()), z)]


def shore(site: Site, albedo: Array, distance: Array, rim: Array) -> Plan:
    """Fill in water where `distance` is negative, with a bare, wet rim and grass beyond it."""
    water = site.soft(distance, 0.25)
    bare = 0.8 * np.clip(site.soft(distance - 0.5 + 0.25 * site.grain, 0.4) - water, 0, 1)
    albedo = albedo + (site.mottle(rim) - albedo) * bare[..., None]
    return Plan(albedo, 1 - np.maximum(water, bare), water)


def reeds(site: Site, water: Array, count: int) -> list[Thing]:
    """Return clumps of reeds at random spots of the water's edge."""
    rng, things = site.rng, []
    slope = np.abs(np.gradient(water, axis=1)) + np.abs(np.gradient(water, axis=0))
    edge = np.argwhere(slope > 0.15)
    for row, column in edge[rng.integers(0, max(len(edge), 1), min(count, len(edge)))].tolist():
        z, x = float(site.z[row, 0]), float(site.x[row, column])
        draw = partial(draw_reeds, width=rng.uniform(0.8, 2.5), height=rng.uniform(0.5, 1.3), albedo=site.green)
        if z < 60:
            things.append(Thing(draw, x, z))
    return things


def rafts(site: Site, far: float) -> Array:
    """Return world (N, 2) of lily pads, in rafts between the camera and `far` m."""
    rng, rafts = site.rng, []
    for depth in rng.random(12).tolist():
        z = site.near * (0.8 * far / site.near) ** depth
        count = int(rng.integers(8, 40))
        rafts.append(rng.normal((site.across(z, 0.9), z), (0.9, 0.8), (count, 2)))
    pads = np.concatenate(rafts)
    return pads[(pads[:, 1] > 0.9 * site.near) & (pads[:, 1] < 0.92 * far)]
