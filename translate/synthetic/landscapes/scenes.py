"""Compositions: the ground, the water and the objects of a landscape."""

__all__ = ["SCENES", "Scene"]

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from translate.synthetic.landscapes import buildings as built
from translate.synthetic.landscapes import features
from translate.synthetic.landscapes.site import Plan, Site, Thing
from translate.synthetic.light import rgb

STRAWS = [rgb(c) for c in (0xC8A860, 0xD0B068, 0xB89A58, 0xC09C50)]
BEACH, SOIL, LAVENDER = 0.8 * rgb(0xC8B088), rgb(0x7A6248), rgb(0x8C74B4)


def meadow(site: Site) -> Plan:
    """Plan a meadow: grass with flowers, perhaps a path and a cottage, trees."""
    rng = site.rng
    albedo, grass = features.far_fields(site, site.mottle(site.green)), np.ones_like(site.z)
    if rng.random() < 0.55:
        albedo, grass = features.path(site, albedo, grass)
    plan = Plan(albedo, grass, np.zeros_like(site.z), features.background(site), blade=rng.uniform(0.2, 0.4))
    if rng.random() < 0.7:
        features.flower(site, plan, rng.uniform(0.12, 0.5))
    if rng.random() < 0.45:
        plan.things += features.cottage(site, 1 - grass)
    plan.things += site.scatter(int(rng.integers(3, 10)), 16, 130, 1 - grass)
    return plan


def grain(site: Site) -> Plan:
    """Plan a harvested field with haystacks."""
    rng = site.rng
    colour = STRAWS[rng.integers(len(STRAWS))]
    plan = features.rows(site, colour, colour * 0.62, spacing=0.9, depth=0.30)
    plan.blade = 0.16
    for _ in range(int(rng.integers(1, 6))):
        z, width = 13 * 5.5 ** rng.random(), rng.uniform(2.8, 4.5)
        draw = partial(built.haystack, width=width)
        plan.things.append(Thing(draw, site.across(z), z, width, width))
    plan.things += site.scatter(int(rng.integers(1, 7)), 45, 160)
    if rng.random() < 0.35:
        plan.things += features.cottage(site)
    return plan


def crops(site: Site) -> Plan:
    """Plan rows of lavender or of young corn that run into the distance."""
    rng = site.rng
    plan = features.rows(site, LAVENDER if rng.random() < 0.5 else site.green, SOIL, spacing=1.6, depth=0.45)
    plan.things += site.scatter(int(rng.integers(1, 7)), 45, 160)
    if rng.random() < 0.5:
        plan.things += features.cottage(site)
    return plan


def river(site: Site) -> Plan:
    """Plan a river that winds through a meadow, with poplars and perhaps a bridge."""
    rng = site.rng
    distance = site.band_distance(rng.uniform(7, 13), 0.10)
    plan = features.shore(site, features.far_fields(site, site.mottle(site.green)), distance, SOIL)
    plan.calm, plan.things = rng.uniform(0.4, 0.95), features.background(site)
    if rng.random() < 0.5:
        features.flower(site, plan, 0.2)
    site.species = ["poplar", "poplar", *site.species]
    dry = site.soft(distance - 1.5)
    plan.things += site.scatter(int(rng.integers(6, 14)), 18, 130, dry)
    if rng.random() < 0.4:
        plan.things += features.cottage(site, dry)
    if rng.random() < 0.45:
        plan.things += features.crossing(site, plan.water, rng.uniform(28, 45))
    plan.things += features.reeds(site, plan.water, 26)
    return plan


def lake(site: Site) -> Plan:
    """Plan open water with a wooded far shore and sailing boats."""
    rng, far = site.rng, site.rng.uniform(90, 320)
    near = site.near * (0.5 if rng.random() < 0.5 else rng.uniform(1.05, 1.5))
    beach = near - site.z + rng.uniform(-0.5, 0.5) * site.x + 0.4 * site.patches
    distance = np.maximum(site.z - far * (1 + 0.10 * site.patches), beach)
    plan = features.shore(site, site.mottle(site.green), distance, BEACH)
    plan.calm = rng.uniform(0.0, 0.9)
    plan.things.append(site.wood(far * 1.12, height=rng.uniform(8, 16)))
    plan.things += site.scatter(int(rng.integers(3, 9)), far * 1.1, far * 1.35)
    for _ in range(int(rng.integers(0, 5))):
        z = rng.uniform(24, min(far, 130) * 0.9)
        plan.things.append(Thing(partial(built.sailboat, length=rng.uniform(4, 7)), site.across(z), z))
    if rng.random() < 0.5:
        z = far * 1.06
        plan.things.append(Thing(partial(built.cottage, length=11.0), site.across(z, 0.7), z, 11, 7))
    plan.things += features.reeds(site, plan.water, 22)
    return plan


def pond(site: Site) -> Plan:
    """Plan a garden pond with water lilies under old trees, perhaps with a footbridge."""
    rng, far = site.rng, site.rng.uniform(24, 38)
    distance = site.z - far * (1 + 0.08 * site.patches) + 0.02 * site.x**2 * rng.random()
    plan = features.shore(site, site.mottle(site.green), distance, SOIL)
    plan.calm = 0.95
    plan.things.append(site.wood(far * 1.9, height=11.0))
    for _ in range(int(rng.integers(5, 10))):
        z = far * rng.uniform(1.15, 1.7)
        plan.things.append(site.tree(site.across(z, 1.1), z))
    plan.things += [site.tree(site.across(far, 1.0), far * 1.06, "bush") for _ in range(5)]
    if rng.random() < 0.5:
        z = far * 0.72
        plan.things.append(Thing(partial(built.footbridge, span=rng.uniform(9, 13)), site.across(z, 0.35), z))
    plan.lilies = features.rafts(site, far)
    plan.things += features.reeds(site, plan.water, 22)
    return plan


class Scene(NamedTuple):
    """A composition, its frequency, and the position of the camera.

    Attributes:
        share: of all pictures.
        horizon: its lowest and highest row, as a share of the height.
        eye: lowest and highest camera, m above the ground.
        plan: lays out the composition on a site.
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
