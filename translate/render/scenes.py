"""Compositions: which ground, which water and which things make up a landscape."""

__all__ = ["SCENES", "Scene"]

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from translate.render import built
from translate.render.arrays import Array
from translate.render.site import Plan, Site, Thing
from translate.render.sward import reeds
from translate.render.view import FOCAL, rgb

STRAWS = [rgb(c) for c in (0xC8A860, 0xD0B068, 0xB89A58, 0xC09C50)]
CROPS = [rgb(c) * 0.9 for c in (0x8A9C4A, 0xC8B464, 0x6A8444, 0xA89060, 0xD8C84C, 0x7C9460)]
SAND, SOIL, LAVENDER = rgb(0xC8B088), rgb(0x7A6248), rgb(0x8C74B4)
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


def meadow(site: Site) -> Plan:
    """Grass with flowers, perhaps a path and a cottage, trees."""
    rng = site.rng
    albedo, grass = _far_fields(site, site.mottled(site.green)), np.ones_like(site.z)
    if rng.random() < 0.55:
        albedo, grass = _path(site, albedo, grass)
    plan = Plan(albedo, grass, np.zeros_like(site.z), _background(site), blade=rng.uniform(0.2, 0.4))
    if rng.random() < 0.7:
        _flower(site, plan, rng.uniform(0.12, 0.5))
    if rng.random() < 0.45:
        plan.things += _cottage(site, 1 - grass)
    plan.things += site.scatter(int(rng.integers(3, 10)), 16, 130, 1 - grass)
    return plan


def grain(site: Site) -> Plan:
    """A harvested field with haystacks."""
    rng = site.rng
    colour = STRAWS[rng.integers(len(STRAWS))]
    plan = _rows(site, colour, colour * 0.62, spacing=0.9, depth=0.30)
    plan.blade = 0.16
    for _ in range(int(rng.integers(1, 6))):
        z, width = 13 * 5.5 ** rng.random(), rng.uniform(2.8, 4.5)
        draw = partial(built.haystack, width=width)
        plan.things.append(Thing(draw, site.across(z), z, width, width))
    plan.things += site.scatter(int(rng.integers(1, 7)), 45, 160)
    if rng.random() < 0.35:
        plan.things += _cottage(site)
    return plan


def crops(site: Site) -> Plan:
    """Rows of lavender or of young corn that run into the distance."""
    rng = site.rng
    plan = _rows(site, LAVENDER if rng.random() < 0.5 else site.green, SOIL, spacing=1.6, depth=0.45)
    plan.things += site.scatter(int(rng.integers(1, 7)), 45, 160)
    if rng.random() < 0.5:
        plan.things += _cottage(site)
    return plan


def river(site: Site) -> Plan:
    """A river that winds through a meadow, with poplars and perhaps a bridge."""
    rng = site.rng
    distance = site.winding(rng.uniform(7, 13), 0.10)
    plan = _shored(site, _far_fields(site, site.mottled(site.green)), distance, SOIL)
    plan.calm, plan.things = rng.uniform(0.4, 0.95), _background(site)
    if rng.random() < 0.5:
        _flower(site, plan, 0.2)
    site.species = ["poplar", "poplar", *site.species]
    dry = site.soft(distance - 1.5)
    plan.things += site.scatter(int(rng.integers(6, 14)), 18, 130, dry)
    if rng.random() < 0.4:
        plan.things += _cottage(site, dry)
    if rng.random() < 0.45:
        plan.things += _crossing(site, plan.water, rng.uniform(28, 45))
    plan.things += _reeds(site, plan.water, 26)
    return plan


def lake(site: Site) -> Plan:
    """Open water with a wooded far shore and sailing boats."""
    rng, far = site.rng, site.rng.uniform(90, 320)
    near = site.near * (0.5 if rng.random() < 0.5 else rng.uniform(1.05, 1.5))
    beach = near - site.z + rng.uniform(-0.5, 0.5) * site.x + 0.4 * site.patches
    distance = np.maximum(site.z - far * (1 + 0.10 * site.patches), beach)
    plan = _shored(site, site.mottled(site.green), distance, SAND * 0.8)
    plan.calm = rng.uniform(0.0, 0.9)
    plan.things.append(site.wood(far * 1.12, height=rng.uniform(8, 16)))
    plan.things += site.scatter(int(rng.integers(3, 9)), far * 1.1, far * 1.35)
    for _ in range(int(rng.integers(0, 5))):
        z = rng.uniform(24, min(far, 130) * 0.9)
        plan.things.append(Thing(partial(built.sailboat, length=rng.uniform(4, 7)), site.across(z), z))
    if rng.random() < 0.5:
        z = far * 1.06
        plan.things.append(Thing(partial(built.cottage, length=11.0), site.across(z, 0.7), z, 11, 7))
    plan.things += _reeds(site, plan.water, 22)
    return plan


def pond(site: Site) -> Plan:
    """A garden pond with water lilies under old trees, perhaps with a footbridge."""
    rng, far = site.rng, site.rng.uniform(24, 38)
    distance = site.z - far * (1 + 0.08 * site.patches) + 0.02 * site.x**2 * rng.random()
    plan = _shored(site, site.mottled(site.green), distance, SOIL)
    plan.calm = 0.95
    plan.things.append(site.wood(far * 1.9, height=11.0))
    for _ in range(int(rng.integers(5, 10))):
        z = far * rng.uniform(1.15, 1.7)
        plan.things.append(site.tree(site.across(z, 1.1), z))
    plan.things += [site.tree(site.across(far, 1.0), far * 1.06, "bush") for _ in range(5)]
    if rng.random() < 0.5:
        z = far * 0.72
        plan.things.append(Thing(partial(built.footbridge, span=rng.uniform(9, 13)), site.across(z, 0.35), z))
    plan.lilies = _rafts(site, far)
    plan.things += _reeds(site, plan.water, 22)
    return plan


def _far_fields(site: Site, albedo: Array) -> Array:
    """Fields of other crops behind the near one."""
    rng, edge = site.rng, site.rng.uniform(60, 110)
    for _ in range(4):
        slope = rng.uniform(-0.25, 0.25)
        crop = site.mottled(CROPS[rng.integers(len(CROPS))], 0.12)
        beyond = 1 - site.soft(site.z + slope * site.x - edge, 2.0)
        albedo = albedo + (crop - albedo) * beyond[..., None]
        edge *= rng.uniform(1.3, 2.0)
    return albedo


def _rows(site: Site, ridge: Array, furrow: Array, *, spacing: float, depth: float) -> Plan:
    """A field of parallel rows `spacing` m apart; `depth` is how much of `furrow` shows between them."""
    turn = float(site.rng.uniform(-0.5, 0.5))
    across = (site.x * np.float32(np.cos(turn)) + site.z * np.float32(np.sin(turn))) / spacing
    pixel = site.z / (FOCAL * site.view.size * spacing)
    rows = np.sin(2 * np.pi * across + 0.6 * site.grain) * np.clip(1.4 - 3.5 * pixel, 0, 1)
    share = np.clip(depth * (1 - rows) - 0.1, 0, 1)[..., None]
    albedo = site.mottled(ridge, 0.16) * (1 - share) + site.mottled(furrow, 0.2) * share
    return Plan(
        _far_fields(site, albedo), np.clip(0.7 + rows, 0, 1), np.zeros_like(site.z), _background(site)
    )


def _background(site: Site) -> list[Thing]:
    """Belts of trees far away, so that the ground does not end at a ruled line."""
    rng = site.rng
    things = [site.wood(rng.uniform(380, 700), height=rng.uniform(9, 15))]
    for _ in range(int(rng.integers(1, 4))):
        left = rng.uniform(-1.3, 0.7)
        things.append(site.wood(rng.uniform(110, 320), left, left + rng.uniform(0.3, 1.2), rng.uniform(4, 9)))
    return things


def _flower(site: Site, plan: Plan, abundance: float) -> None:
    """Sow one kind of flower; too small to be seen one by one far away, they still colour the distance."""
    plan.blossoms, plan.abundance = FLOWERS[site.rng.integers(len(FLOWERS))], abundance
    veil = np.clip(0.25 + 0.4 * site.patches, 0, 0.6) * abundance * plan.grass * (site.z < 120)
    plan.albedo = plan.albedo + (plan.blossoms[0] - plan.albedo) * veil[..., None]


def _path(site: Site, albedo: Array, grass: Array) -> tuple[Array, Array]:
    """A cart track: two ruts of sand with grass between them; the new albedo and cover of grass."""
    distance = site.winding(site.rng.uniform(1.6, 3.0), 0.05)
    track = site.soft(distance + 0.12 * site.grain, 0.3)
    middle = site.soft(np.abs(distance + 1.1) - 0.3 + 0.1 * site.grain, 0.3) * 0.6
    bare = (track * (1 - middle))[..., None]
    return albedo + (site.mottled(SAND, 0.28) - albedo) * bare, grass * (1 - track)


def _cottage(site: Site, forbidden: Array | None = None) -> list[Thing]:
    """A cottage with a tree or two beside it, if there is room."""
    rng, z = site.rng, site.rng.uniform(35, 90)
    x, length = site.across(z, 0.75), rng.uniform(8, 12)
    if forbidden is not None and site.at(forbidden, x, z) > 0.05:
        return []
    beside = [site.tree(x + side * rng.uniform(7, 12), z + 4, "round") for side in (-1, 1)]
    shrubs = [site.tree(x + rng.uniform(-6, 8), z - 1.5, "bush", 1.1) for _ in range(2)]
    return [Thing(partial(built.cottage, length=length), x, z, length, 0.6 * length), *beside, *shrubs]


def _crossing(site: Site, water: Array, z: float) -> list[Thing]:
    """A bridge over the water `z` m away, where there is some."""
    row = min(int(site.view.row(z)) - site.view.first_row, len(water) - 1)
    wet = site.x[row, water[row] > 0.5]
    if not len(wet):
        return []
    draw = built.footbridge if site.rng.random() < 0.4 else built.stone_bridge
    return [Thing(partial(draw, span=float(np.ptp(wet)) + 3.0), float(wet.mean()), z)]


def _shored(site: Site, albedo: Array, distance: Array, rim: Array) -> Plan:
    """Water where `distance` is negative, with a bare, wet rim and grass beyond it."""
    water = site.soft(distance, 0.25)
    bare = 0.8 * np.clip(site.soft(distance - 0.5 + 0.25 * site.grain, 0.4) - water, 0, 1)
    albedo = albedo + (site.mottled(rim) - albedo) * bare[..., None]
    return Plan(albedo, 1 - np.maximum(water, bare), water)


def _reeds(site: Site, water: Array, count: int) -> list[Thing]:
    """Clumps of reeds at random spots of the water's edge."""
    rng, things = site.rng, []
    slope = np.abs(np.gradient(water, axis=1)) + np.abs(np.gradient(water, axis=0))
    edge = np.argwhere(slope > 0.15)
    for row, column in edge[rng.integers(0, max(len(edge), 1), min(count, len(edge)))].tolist():
        z, x = float(site.z[row, 0]), float(site.x[row, column])
        draw = partial(reeds, width=rng.uniform(0.8, 2.5), height=rng.uniform(0.5, 1.3), albedo=site.green)
        if z < 60:
            things.append(Thing(draw, x, z))
    return things


def _rafts(site: Site, far: float) -> Array:
    """World (N, 2) of lily pads, in rafts between the camera and `far` m."""
    rng, rafts = site.rng, []
    for depth in rng.random(12).tolist():
        z = site.near * (0.8 * far / site.near) ** depth
        count = int(rng.integers(8, 40))
        rafts.append(rng.normal((site.across(z, 0.9), z), (0.9, 0.8), (count, 2)))
    pads = np.concatenate(rafts)
    return pads[(pads[:, 1] > 0.9 * site.near) & (pads[:, 1] < 0.92 * far)]


class Scene(NamedTuple):
    """How often a composition is drawn, and from where it is seen.

    Attributes:
        share: of all pictures.
        horizon: its lowest and highest row, as a share of the height.
        eye: lowest and highest camera, m above the ground.
        plan: lays it out.
    """

    share: float
    horizon: tuple[float, float]
    eye: tuple[float, float]
    plan: Callable[[Site], Plan]


SCENES: dict[str, Scene] = {
    "meadow": Scene(0.29, (0.40, 0.60), (2.2, 4.5), meadow),
    "grain": Scene(0.15, (0.38, 0.58), (2.2, 4.0), grain),
    "crops": Scene(0.08, (0.38, 0.55), (2.4, 4.0), crops),
    "river": Scene(0.20, (0.38, 0.52), (3.0, 5.0), river),
    "lake": Scene(0.18, (0.42, 0.58), (2.5, 5.0), lake),
    "pond": Scene(0.10, (0.32, 0.42), (2.4, 3.4), pond),
}
