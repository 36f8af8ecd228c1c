"""Landscapes of which the second domain alone has boats, haystacks or snow: what a translation invents can be counted.

A scene is drawn with the part and without it, and is the same otherwise. Photographs never have it; of the paintings,
a share has. The truth of each test picture is therefore known in both states, and so is the place of the part.
"""

__all__ = ["PARTS", "PRESENT", "jobs", "parse_part"]

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from translate.synthetic.arrays import Picture
from translate.synthetic.draw_all import Job
from translate.synthetic.landscapes import buildings as built
from translate.synthetic.landscapes.landscape import Seed, canvas_size, photograph, repaint, shrink
from translate.synthetic.landscapes.pen import Pen
from translate.synthetic.landscapes.scenes import SCENES
from translate.synthetic.landscapes.site import Plan, Site, Thing
from translate.synthetic.light import rgb
from translate.utils.errors import OptionError, did_you_mean

PRESENT = 128  # added to the number of a place in the map of places, if the truth has the part there
PART_SEED = 7  # last word of the seed of what is added
COUNT = 3  # boats or haystacks in a picture, so that there are several places to invent one at
MIN_CHANGE = 16  # levels: a place is where the picture changes at least by that
SNOW = rgb(0xE8ECF2)


def boat(rng: np.random.Generator) -> Callable[..., None]:
    """Return the drawing of a sailing boat."""
    return partial(built.sailboat, length=rng.uniform(4, 7))


def stack(rng: np.random.Generator) -> Callable[..., None]:
    """Return the drawing of a haystack."""
    return partial(built.haystack, width=rng.uniform(2.8, 4.5))


class Kind(NamedTuple):
    """A kind of part: the compositions that can have it, and where it stands; without `draw`, it covers the ground."""

    scenes: tuple[str, ...]
    draw: Callable[[np.random.Generator], Callable[..., None]] | None = None
    own: Callable[..., None] | None = None  # what draws it in the usual compositions, which is left out
    on_water: bool = False
    depths: tuple[float, float] = (0.0, 0.0)  # nearest and farthest, m


PARTS = {
    "boats": Kind(("river", "lake"), boat, built.sailboat, True, (22.0, 90.0)),
    "haystacks": Kind(("meadow", "grain", "crops"), stack, built.haystack, False, (13.0, 45.0)),
    "snow": Kind(("meadow", "grain", "crops")),
}


def parse_part(text: str) -> tuple[str, float]:
    """Parse "boats=0.5", a part and the share of the pictures that have it; raise OptionError for other texts."""
    name, _, number = text.partition("=")
    if name not in PARTS:
        raise OptionError(f"part {name!r} is unknown{did_you_mean(name, PARTS)}; give {', '.join(PARTS)}, as boats=0.5")
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise OptionError(f"{text!r}: the share of the pictures should be a number from 0 to 1, as in {name}=0.5")
    return name, share


def jobs(part: str, share: float, train: int, test: int, size: int, seed: int) -> list[Job]:
    """Return the jobs of both domains: B has the part in `share` of its pictures, A never.

    Beside the folders of `landscape.jobs`, truth/other has each truth in the other state, without the part or with it,
    and truth/places numbers the places of the part from 1 on, plus PRESENT where the truth has it.
    """

    def has(k: int) -> bool:
        return int((k + 1) * share) > int(k * share)

    def files(*folders: str, k: int) -> tuple[str, ...]:
        return tuple(f"{folder}/{k:05d}.png" for folder in folders)

    draw = {present: partial(draw_scene, part=part, present=present) for present in (False, True)}
    paint = {present: partial(draw_painting, part=part, present=present) for present in (False, True)}
    photo = partial(draw_photo, part=part)
    of_a = ("testA", "truth/A", "truth/other/A", "truth/places/A")
    of_b = ("truth/B", "testB", "truth/other/B", "truth/places/B")
    return [
        *(Job(photo, (seed, 0, k), size, files("trainA", k=k)) for k in range(train)),
        *(Job(paint[has(k)], (seed, 1, k), size, files("trainB", k=k)) for k in range(train)),
        *(Job(partial(draw[False], other="b"), (seed, 2, k), size, files(*of_a, k=k)) for k in range(test)),
        *(Job(partial(draw[has(k)], other="a"), (seed, 3, k), size, files(*of_b, k=k)) for k in range(test)),
    ]


def draw_photo(seed: Seed, size: int, *, part: str) -> tuple[Picture]:
    """Photograph the scene `seed` without the part."""
    return (shrink(_photograph(seed, size, part, False)[0], size),)


def draw_painting(seed: Seed, size: int, *, part: str, present: bool) -> tuple[Picture]:
    """Paint the scene `seed`, with the part if `present`."""
    return (shrink(repaint(_photograph(seed, size, part, present)[0], seed), size),)


def draw_scene(seed: Seed, size: int, *, part: str, present: bool, other: str) -> tuple[Picture, ...]:
    """Draw the scene `seed`: photograph, painting, domain `other` in the other state, and the map of the places."""
    (large, covered), (changed, _) = (_photograph(seed, size, part, state) for state in (present, not present))
    visible = np.abs(large.astype(np.int16) - changed).max(axis=2) >= MIN_CHANGE
    places = covered * visible + (PRESENT * present * (covered > 0) * visible).astype(np.uint8)
    places = cv2.resize(places.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST)
    changed = repaint(changed, seed) if other == "b" else changed
    return shrink(large, size), shrink(repaint(large, seed), size), shrink(changed, size), places


def _photograph(seed: Seed, size: int, part: str, present: bool) -> tuple[Picture, Picture]:
    """Return the photograph on its canvas, and the numbered places that the part covers or would cover."""
    kind = PARTS[part]
    total = sum(SCENES[name].share for name in kind.scenes)
    scenes = {name: SCENES[name]._replace(share=SCENES[name].share / total) for name in kind.scenes}
    addition = Addition(kind, seed, present)
    picture = photograph(seed, canvas_size(size), scenes, addition)
    return picture, addition.covered


@dataclass
class Addition:
    """Takes the usual objects of a kind out of a plan and, if `present`, puts a part in.

    Attributes:
        covered: (H, W) numbers of the objects, from 1 on, which cover these pixels or would cover them; set by a call.
    """

    kind: Kind
    seed: Seed
    present: bool
    covered: Picture = field(default_factory=lambda: np.zeros((0, 0), np.uint8))

    def __call__(self, site: Site, plan: Plan) -> None:
        """Change a plan, and set the map of what the part covers."""
        plan.things = [thing for thing in plan.things if getattr(thing.draw, "func", None) is not self.kind.own]
        size = site.view.size
        self.covered = np.zeros((size, size), np.uint8)
        if self.kind.draw is None:
            self.covered[site.view.first_row :] = plan.water < 0.5
            if self.present:
                lay_snow(site, plan)
            return
        things = self._place(site, plan)
        for number, thing in enumerate(things, 1):
            self.covered[_coverage(thing, site, mirrored=bool(plan.water.any()))] = number
        if self.present:
            plan.things += things

    def _place(self, site: Site, plan: Plan) -> list[Thing]:
        """Return objects at random places of the ground, far ones first."""
        assert self.kind.draw
        near, far = self.kind.depths
        fits = (plan.water > 0.9) if self.kind.on_water else (plan.water < 0.05)
        spots = np.argwhere(fits & (site.z > near) & (site.z < far))
        rng = np.random.default_rng((*self.seed, PART_SEED))
        things = []
        for number in range(COUNT if len(spots) else 0):
            row, column = spots[rng.integers(len(spots))]
            draw = partial(_draw_alike, draw=self.kind.draw(rng), seed=(*self.seed, PART_SEED, number))
            width = 0.0 if self.kind.on_water else 4.0
            things.append(Thing(draw, float(site.x[row, column]), float(site.z[row, column]), width, width))
        return sorted(things, key=lambda thing: -thing.z)


def _draw_alike(pen: Pen, _: np.random.Generator, *, draw: Callable[..., None], seed: Seed) -> None:
    """Draw an object by its own seed, so that it looks the same wherever it stands in the order of drawing."""
    draw(pen, np.random.default_rng(seed))


def _coverage(thing: Thing, site: Site, *, mirrored: bool) -> NDArray[np.bool_]:
    """Return the pixels (H, W) bool that an object and its reflection cover."""
    pen = Pen(site.view, site.light, mirrored)
    pen.stand(thing.x, thing.z)
    thing.draw(pen, np.random.default_rng(0))
    covered = pen.layers[0][..., 3] >= 128
    if mirrored:
        covered |= pen.layers[1][..., 3] >= 128
    return covered


def lay_snow(site: Site, plan: Plan) -> None:
    """Cover the ground with snow, thinly where it is mottled."""
    cover = np.clip(0.93 + 0.12 * site.patches, 0.7, 1)[..., None]
    plan.albedo = plan.albedo + (SNOW - plan.albedo) * cover
    plan.grass, plan.abundance = 0.1 * plan.grass, 0.0
